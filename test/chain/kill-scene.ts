import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { recover } from '../../src/actions/recover.ts'
import type { Payment } from '../../src/core/types.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type ChainPurse, openChainPurse, UNIT } from '../support/chain-purse.ts'
import { bundled, Child } from '../support/children.ts'
import { journalProblems, problemsOf } from './audit.ts'
import { CONFIRMATIONS, type Key, PURCHASES, story, withBlocks } from './kill-story.ts'
import type { Orders } from './victim.ts'

/** Longer than an authorization is good for. */
const LATER_SECONDS = 6 * 60
const SETTLE_WITHIN_MS = 60_000

/**
 * What the chain does between the death and the next process. Of what waited for a block it takes all, forgets all, or
 * forgets all until it is too late; or it takes it, and nobody looks before the time is over.
 */
export const MEANWHILE = ['mined', 'forgotten', 'forgotten, late', 'mined, late'] as const
export type Meanwhile = (typeof MEANWHILE)[number]

export interface Death {
  /** What was told to callers, by what was bought: the payment and its status. */
  readonly said: ReadonlyMap<string, readonly string[]>
  /** What the points were; known only of one that lived. */
  readonly points: readonly string[]
  readonly lived: boolean
}

/** A chain, purses on it, and processes that die. */
export class Scene {
  readonly chain: Chain
  private readonly root = mkdtempSync(join(tmpdir(), 'bursar-kill-'))
  private readonly script: string
  private next: Child
  /** How far the chain's clock, and all others with it, were moved on. */
  private aheadMs = 0

  static async begin(): Promise<Scene> {
    const script = await bundled('test/chain/victim.ts')
    return new Scene(script, await startChain())
  }

  private constructor(script: string, chain: Chain) {
    this.script = script
    this.chain = chain
    this.next = new Child(script, [])
  }

  async end(): Promise<void> {
    await this.next.stop('SIGKILL')
    await this.chain.stop()
    for (const gone of [this.root, dirname(this.script)]) rmSync(gone, { recursive: true, force: true })
  }

  open(folder: string): Promise<ChainPurse> {
    const ahead = this.aheadMs
    return openChainPurse(folder, this.chain, {
      clock: { now: () => Date.now() + ahead },
      confirmations: CONFIRMATIONS,
      sessionId: 'a day',
      reads: (reads) => withBlocks(reads, this.chain),
    })
  }

  /** A folder with a purse whose account holds 1,000, of which bursar has not seen the last 100 yet. */
  async newFolder(): Promise<string> {
    const { chain } = this
    const folder = mkdtempSync(join(this.root, 'purse-'))
    await chain.automine()
    const purse = await this.open(folder)
    await chain.give(purse.relayerAddress as `0x${string}`, 10n ** 18n)
    await chain.mint(purse.address as `0x${string}`, 900n * UNIT)
    await chain.mine(3)
    await recover(purse.bursar)
    await this.deposit(purse.address)
    await purse.close()
    await chain.automine(false)
    return folder
  }

  async deposit(address: string): Promise<void> {
    await this.chain.mint(address as `0x${string}`, 100n * UNIT)
    await this.chain.mine()
  }

  /** Has a process do this. The one after it is started already. */
  send(folder: string, job: Orders['job'], more: Partial<Orders> = {}): Child {
    const { network, token, url } = this.chain
    const place = { network, token, url }
    const orders = {
      folder,
      place,
      job,
      aheadMs: this.aheadMs,
      killAt: 0,
      instrument: '',
      first: 0,
      atOnce: 1,
      ...more,
    }
    const child = this.next
    child.process.stdin!.write(`${JSON.stringify(orders satisfies Orders)}\n`)
    this.next = new Child(this.script, [])
    return child
  }

  /** Has a process do this, which ends itself at that point; at 0, or where there is no such point, it lives. */
  async kill(folder: string, job: Orders['job'], killAt: number): Promise<Death> {
    const child = this.send(folder, job, { killAt })
    await child.ended
    const { signalCode, exitCode } = child.process
    expect([signalCode, exitCode]).toEqual(signalCode ? ['SIGKILL', null] : [null, 0])
    const words = child.lines.map((line) => line.split(' '))
    const points = child.lines.find((line) => line.startsWith('points '))?.slice('points '.length) ?? '[]'
    return {
      said: new Map(words.map(([key = '', ...rest]) => [key, rest])),
      points: JSON.parse(points) as string[],
      lived: signalCode === null,
    }
  }

  async pass(meanwhile: Meanwhile): Promise<void> {
    if (meanwhile.startsWith('forgotten')) await this.chain.dropPending()
    await this.chain.mine()
    if (meanwhile.endsWith('late')) await this.later()
    await this.chain.automine()
  }

  /** The time of whatever was signed is over, and final blocks say so. */
  async later(): Promise<void> {
    await this.chain.warp(LATER_SECONDS)
    this.aheadMs += LATER_SECONDS * 1000
    await this.chain.mine(3)
  }

  /** What was left behind, taken up by another process and brought to its end. */
  async takeUp(folder: string, said: Death['said']): Promise<void> {
    const purse = await this.open(folder)
    try {
      expect(await journalProblems(purse)).toEqual([])
      for (const [key, [id, status]] of said)
        if (key in PURCHASES && status === 'captured')
          expect((await purse.bursar.store.read.one('payments', { id: id! }))?.captured).toBe(
            PURCHASES[key as Key].units,
          )
      await settled(purse, this.chain)
      const before = await alive(purse)
      const after = new Map<string, string>()
      await story(purse, (key, view) => after.set(key, view.payment_id))
      await settled(purse, this.chain)
      for (const [key, payments] of before) expect([after.get(key), payments.length]).toEqual([payments[0]!.id, 1])
      const moved = [...(await alive(purse))].map(
        ([key, payments]) => [key, payments.map(({ captured }) => captured)] as const,
      )
      expect(new Map(moved)).toEqual(new Map(Object.entries(PURCHASES).map(([key, { units }]) => [key, [units]])))
    } finally {
      await purse.close()
    }
    rmSync(folder, { recursive: true })
  }
}

/** Whether something still waits for the chain. */
export async function isOpen({ bursar: { store }, wallet }: ChainPurse): Promise<boolean> {
  const { id: walletId, relayer } = wallet
  return (
    (await store.read.list('payments', { walletId, status: ['authorized', 'in_doubt'] })).length > 0 ||
    (await store.read.list('transfers', { walletId, status: 'open' })).length > 0 ||
    (await store.read.list('broadcasts', { relayer: relayer as string, fee: null })).length > 0
  )
}

/** Recovers until nothing waits any more, while blocks come. How many rounds that takes is nobody's promise. */
export async function untilClosed(purse: ChainPurse, chain: Chain): Promise<void> {
  const end = performance.now() + SETTLE_WITHIN_MS
  for (await recover(purse.bursar); (await isOpen(purse)) && performance.now() < end; await recover(purse.bursar))
    await chain.mine(8)
}

/** As above; then nothing may be wrong. */
export async function settled(purse: ChainPurse, chain: Chain): Promise<void> {
  await untilClosed(purse, chain)
  expect(await problemsOf(purse, chain)).toEqual([])
}

/** The payments of each key that hold or moved money, or may yet. */
export async function alive({ bursar }: ChainPurse): Promise<Map<string, readonly Payment[]>> {
  const status = ['authorized', 'in_doubt', 'captured', 'awaiting_approval'] as const
  const found = (await bursar.store.read.list('payments', { status })) as readonly Payment[]
  const byKey = new Map<string, readonly Payment[]>()
  for (const payment of found)
    byKey.set(payment.idempotencyKey!, [...(byKey.get(payment.idempotencyKey!) ?? []), payment])
  return byKey
}
