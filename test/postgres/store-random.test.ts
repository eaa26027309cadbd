import { expect, it, onTestFinished, vi } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { pay } from '../../src/actions/agent/pay.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { approve, deny } from '../../src/actions/owner/approve.ts'
import { revokeCredential } from '../../src/actions/owner/credentials.ts'
import { freezeAll, freezeWallet, unfreezeAll, unfreezeWallet } from '../../src/actions/owner/freeze.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { refund } from '../../src/actions/owner/refund.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import type { Caller } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { BursarError } from '../../src/core/errors.ts'
import type { Fact } from '../../src/core/event.ts'
import type { Bursar } from '../../src/ports.ts'
import { Attempts } from '../../src/store/postgres/attempts.ts'
import { testDatabase } from '../support/postgres.ts'
import { CARD, SHOP } from '../support/purse.ts'
import { makeCardOf, makePostgresPurse, type PostgresPurse, problemsOf } from './store-purse.ts'
import { misled, type Seen, watched } from './watched.ts'

const SEED = Number(process.env.BURSAR_TEST_SEED ?? 1)
const ROUNDS = Number(process.env.BURSAR_TEST_ROUNDS ?? 3)
const AT_ONCE = 50

interface Who {
  readonly agentId: string
  readonly callers: Caller[]
  readonly wallets: string[]
  readonly cards: string[]
}

/** Numbers below `n`, the same for the same seed: mulberry32. */
function dice(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
}

/** An agent with a wallet in each currency and one that all share, cards of each, and credentials for all, a task, a part of it. */
async function makeWho(purse: PostgresPurse, name: string, currencies: readonly string[]): Promise<Who> {
  const { bursar, authority, store } = purse
  const { agent_id: agentId } = await addAgent(bursar, authority, name)
  const [own] = await store.read.list('credentials', { agentId })
  const caller = { agentId, sessionId: bursar.ids.make('session'), credentialId: own!.id }
  // While it has none of its own its cards are of the one that all share.
  const shared = await makeCardOf(purse, caller, { amount: '500.00', usage_limit: undefined })
  const who: Who = { agentId, callers: [caller], wallets: [purse.walletId], cards: [shared.instrument_id] }
  for (const [n, currency] of currencies.entries()) {
    const timeZone = n % 2 === 0 ? 'UTC' : 'Pacific/Auckland'
    const terms = { name: `${name} ${n}`, agentId, mode: 'sandbox', currency, timeZone } as const
    const { wallet_id } = await createWallet(bursar, authority, terms)
    who.wallets.push(wallet_id)
    await fund(bursar, authority, wallet_id, '60.00')
    const limit = { scope: 'wallet', window: 'total', over: 'ask', max_amount: '25.00' }
    await setLimit(bursar, authority, wallet_id, limit)
    for (const amount of ['500.00', '501.00'])
      who.cards.push((await makeCardOf(purse, caller, { amount, currency, usage_limit: undefined })).instrument_id)
  }
  for (const max_amount of ['40.00', '20.00']) {
    const minted = await mintCredential(bursar, who.callers.at(-1)!, { max_amount, currency: 'USD' } as never)
    who.callers.push({ ...caller, credentialId: minted.credential_id })
  }
  return who
}

interface Known {
  readonly asks: readonly string[]
  readonly captured: readonly string[]
}

async function answer(bursar: Bursar, ownerId: string, id: string, yes: boolean): Promise<unknown> {
  if (!yes) return deny(bursar, id, { ownerId, channel: 'test', reason: null })
  const { digest } = await question(bursar, id)
  return approve(bursar, id, hostProof(ownerId, digest, 'test'), {})
}

/** One call of many kinds: most of them pay. */
function call(purse: PostgresPurse, bursar: Bursar, who: Who, known: Known, roll: (n: number) => number, n: number) {
  const { authority } = purse
  const one = <T>(from: readonly T[]): T => from[roll(from.length)] as T
  const [caller, walletId, card] = [one(who.callers), one(who.wallets), one(who.cards)]
  const amount = one(['0.50', '1.00', '1.50', '6.00'])
  const [ask, paid, what, key] = [one(known.asks), one(known.captured), roll(100), roll(6)]
  const minted = who.callers.at(-1)!.credentialId as string
  if (what < 4) return fund(bursar, authority, walletId, '5.00')
  if (what < 8) return requestInstrument(bursar, caller, { ...CARD, amount } as never)
  if (what < 9) return freezeWallet(bursar, authority, walletId, undefined as never)
  if (what < 11) return unfreezeWallet(bursar, authority, walletId)
  if (what < 12) return key < 2 ? freezeAll(bursar, authority) : unfreezeAll(bursar, authority)
  if (what < 16) return mintCredential(bursar, caller, { max_amount: '5.00', currency: 'USD' } as never)
  if (what < 17) return revokeCredential(bursar, authority, minted)
  if (what < 21)
    return setLimit(bursar, authority, walletId, {
      ...{ scope: one(['wallet', 'instrument']), window: one(['total', 'day', 'session']), over: 'ask' },
      max_amount: one(['15.00', '30.00']),
    })
  if (what < 31 && ask) return answer(bursar, authority.ownerId, ask, what < 28)
  if (what < 34 && ask) return cancel(bursar, caller, ask)
  if (what < 40 && paid) return refund(bursar, authority, paid, one(['0.50', undefined]))
  const more =
    key < 2 ? { purpose: `key ${key}`, idempotency_key: `key-${key}-${Math.floor(n / AT_ONCE)}` } : { purpose: `${n}` }
  return pay(bursar, caller, { instrument_id: card, amount, payee: SHOP, ...more })
}

/** Keys under which more than one payment of an agent is good. */
async function sharedKeys({ store }: PostgresPurse, whos: readonly Who[]): Promise<readonly string[]> {
  const keys: string[] = []
  for (const { agentId } of whos)
    for (const { status, idempotencyKey } of await store.read.list('payments', { agentId }))
      if (idempotencyKey !== null && !['refused', 'voided', 'expired', 'canceled'].includes(status))
        keys.push(`${agentId} ${idempotencyKey}`)
  return keys.filter((key, place) => keys.indexOf(key) !== place)
}

/** What a fact takes from credentials, in units; below 0 what it gives back. */
function takenBy({ type, amount, details }: Fact): bigint {
  const units = (text: string | undefined): bigint => BigInt((text ?? '0').replace('.', ''))
  if (type === 'payment.authorized') return units(amount)
  if (type === 'payment.voided') return -units(amount)
  return type === 'payment.captured' ? -units(details.released) : 0n
}

/** Credentials whose spending does not lead step by step from nothing to what it is now, or leads beyond what they may. */
async function brokenTrails(purse: PostgresPurse, seen: readonly Seen[]): Promise<readonly string[]> {
  const trails = new Map<string, Map<bigint, number>>()
  const count = (id: string, at: bigint, by: number): void => {
    const trail = trails.get(id) ?? new Map<bigint, number>()
    trails.set(id, trail.set(at, (trail.get(at) ?? 0) + by))
  }
  for (const { facts, snapshot } of seen)
    for (const fact of facts) {
      const ids = (fact.details as { readonly charged?: readonly string[] }).charged ?? []
      for (const { id, spent } of snapshot.credentials.filter((credential) => ids.includes(credential.id))) {
        count(id, spent, 1)
        count(id, spent + takenBy(fact), -1)
      }
    }
  const broken: string[] = []
  for (const [id, trail] of trails) {
    const row = await purse.store.read.one('credentials', { id })
    count(id, 0n, -1)
    count(id, row!.spent, 1)
    if ((row!.maxAmount ?? row!.spent) < row!.spent || [...trail.values()].some((n) => n !== 0)) broken.push(id)
  }
  return broken
}

it(`security: whatever is asked at once is decided as if it came one after the other, seed ${SEED}`, async () => {
  const { url } = await testDatabase()
  const purse = await makePostgresPurse(url)
  const whos = [await makeWho(purse, 'alpha', ['USD', 'EUR', 'GBP'])]
  for (const name of ['beta', 'gamma']) whos.push(await makeWho(purse, name, ['USD', 'CHF']))
  const roll = dice(SEED)
  const seen: Seen[] = []
  const make = vi.spyOn(Attempts.prototype, 'make')
  onTestFinished(() => make.mockRestore())
  const reasons: unknown[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await unfreezeAll(purse.bursar, purse.authority)
    for (const id of whos.flatMap(({ wallets }) => wallets)) await unfreezeWallet(purse.bursar, purse.authority, id)
    const { read } = purse.store
    const asks = [
      ...(await read.list('requests', { status: 'pending' })),
      ...(await read.list('payments', { status: 'awaiting_approval' })),
    ]
    const captured = await read.list('payments', { status: 'captured' })
    const known = { asks: asks.map(({ id }) => id), captured: captured.map(({ id }) => id) }
    // Nodes that know of nothing yet what it belongs to.
    const stores = [await purse.node({ connections: 2 }), await purse.node({ connections: 4 })]
    const bursars = stores.map((store) => ({ ...purse.bursar, store: watched(store, seen) }))
    const calls = Array.from({ length: AT_ONCE }, (_, n) =>
      call(purse, bursars[roll(4) === 0 ? 1 : 0]!, whos[Math.max(0, roll(6) - 3)]!, known, roll, round * AT_ONCE + n),
    )
    for (const result of await Promise.allSettled(calls)) if (result.status === 'rejected') reasons.push(result.reason)
  }
  expect(reasons.filter((reason) => !(reason instanceof BursarError))).toEqual([])
  expect(await misled(purse.store, seen)).toEqual([])
  expect(await brokenTrails(purse, seen)).toEqual([])
  expect(await sharedKeys(purse, whos)).toEqual([])
  // Nothing of it was first refused by the walls of the database, and then run again.
  const ended = (await Promise.all(make.mock.results.map(({ value }) => value))) as { readonly kind: string }[]
  expect(ended.filter(({ kind }) => kind === 'failed')).toEqual([])
  expect(make.mock.calls.some(([queues]) => queues.length > 3)).toBe(true)
  expect(await problemsOf(purse)).toEqual([])
})
