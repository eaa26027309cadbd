import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Claim, Room, Store } from '../../src/ports.ts'
import { makeKeyPair, signerOf } from '../../src/vault/keys.ts'
import { NOON, temporaryFolder } from '../support/purse.ts'
import { openTestStore } from '../support/store.ts'

export const MINUTE = 60_000
export const DAY = 24 * 60 * MINUTE
const ROOM: Room = { keys: 1_000, bytes: 500_000, allBytes: 50_000_000 }

/** A store whose clock a test moves, and claims of its keys. */
export async function keptStore(room: Room = ROOM) {
  const time = { now: NOON }
  const pair = makeKeyPair()
  const journalKey = { publicKey: Buffer.from(pair.publicKey, 'base64'), sign: signerOf(pair) }
  const path = join(temporaryFolder(), 'bursar.db')
  const opened = await openTestStore({ path, clock: { now: () => time.now }, journalKey })
  const open: Store[] = []
  onTestFinished(async () => {
    for (const store of open) await store.close()
    await opened.close()
  })
  return {
    time,
    kept: opened.store.kept,
    store: opened.store,
    /** As another process has it. */
    async another(): Promise<Store> {
      const store = await opened.again()
      open.push(store)
      return store
    },
    claim: (key: string, more: Partial<Claim> = {}): Claim => ({
      ...{ caller: 'a', key, asked: 'f'.repeat(64), holder: randomUUID(), room },
      ...{ busyUntil: time.now + 5 * MINUTE, expiresAt: time.now + DAY, ...more },
    }),
    /** The first column of all rows, past the code that wrote them. Whole numbers as such. */
    async column(sql: string): Promise<readonly unknown[]> {
      const books = await opened.books()
      try {
        return (await books.column(sql)).map((value) => (/^-?\d{1,15}$/.test(String(value)) ? Number(value) : value))
      } finally {
        await books.close()
      }
    },
  }
}

export type KeptStore = Awaited<ReturnType<typeof keptStore>>

/** A call that was claimed and done, with an answer of so many bytes. */
export async function done({ kept, claim }: KeptStore, key: string, bytes: number, caller = 'a'): Promise<void> {
  const mine = claim(key, { caller })
  const { state } = await kept.claim(mine)
  if (state !== 'mine') throw new Error(`The key ${key} is ${state}.`)
  await kept.keep(mine, 'x'.repeat(bytes))
}

/** What a claim of each of these keys by another finds. */
export async function found({ kept, claim }: KeptStore, keys: readonly string[], caller = 'a'): Promise<unknown[]> {
  const states: unknown[] = []
  for (const key of keys) {
    const mine = claim(key, { caller })
    const there = await kept.claim(mine)
    if (there.state === 'mine') await kept.drop(mine)
    states.push(there.state === 'done' ? (there.answer?.length ?? null) : there.state)
  }
  return states
}
