import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, parseAbiItem } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { afterEach, expect } from 'vitest'
import { getPayment } from '../../src/actions/agent/read.ts'
import type { RequestInput } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { InstrumentView, PaymentView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { nonceOf } from '../../src/core/transfer.ts'
import type { Broadcast, Payment } from '../../src/core/types.ts'
import type { Clock, Rail } from '../../src/ports.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import type { Chain } from '../support/chain.ts'
import {
  bothBooks,
  type ChainPurse,
  type ChainPurseOptions,
  fundChainPurse,
  makeInstrument,
  openChainPurse,
  send,
  UNIT,
} from '../support/chain-purse.ts'
import { collected } from '../support/collected.ts'
import { unstick } from '../support/pool.ts'
import { temporaryFolder } from '../support/purse.ts'
import { expectAllowances, feeOf } from './scene-books.ts'

const USED = parseAbiItem('event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)')

export interface SceneOptions extends ChainPurseOptions {
  /** In whole USDC; 1,000 unless said otherwise. */
  readonly funds?: bigint
  readonly terms?: Partial<RequestInput>
  /** A call of `pay` looks once whether the transfer arrived, and does not wait for it. */
  readonly impatient?: boolean
}

/** A purse on a chain with money in it, and an instrument. At the end of the test its books must be those of the chain. */
export interface Scene {
  readonly chain: Chain
  readonly folder: string
  readonly purse: ChainPurse
  readonly inst: InstrumentView
  /** The wallet's own key, in whoever's hands. */
  readonly payer: PrivateKeyAccount
  /** What the end of the test is not held to: fees that a reorganization took back stay counted. */
  readonly except: Set<'fees'>
  pay(to: string, amount: string, more?: object): Promise<PaymentView>
  get(view: Pick<PaymentView, 'payment_id'>): Promise<PaymentView>
  row(view: Pick<PaymentView, 'payment_id'>): Promise<Payment>
  /** The whole recovery, and what it sent is in a block, where blocks come by themselves. @throws what failed of it */
  recover(): Promise<void>
  /** Recovers until the payment is settled. */
  settle(view: Pick<PaymentView, 'payment_id'>): Promise<PaymentView>
  /** The same purse as another process opens it. */
  other(options?: ChainPurseOptions): Promise<ChainPurse>
}

/** How far the purses' clock is before the system's, in milliseconds. */
let ahead = 0
const open: { scene: Scene | null; purse: ChainPurse }[] = []

export const clock: Clock = { now: () => Date.now() + ahead }

/** Moves on the clock of the purses alone. */
export function later(seconds: number): void {
  ahead += seconds * 1000
}

/** Moves on both clocks, and mines what the chain needs to be sure of the new time. */
export async function pass(chain: Chain, seconds: number): Promise<void> {
  later(seconds)
  await chain.warp(seconds)
  await chain.mine(3)
}

export async function makeScene(chain: Chain, options: SceneOptions = {}): Promise<Scene> {
  // Every block takes a second at least: a chain that mines fast is before its time.
  ahead = Math.max(0, (await chain.now()) * 1000 - Date.now())
  const { funds = 1000n, terms, impatient, ...rest } = options
  const folder = temporaryFolder()
  const opening = { clock, ...rest, ...(impatient && { rail: looksOnce }) }
  const purse = await openChainPurse(folder, chain, opening)
  await fundChainPurse(purse, chain, funds * UNIT)
  const inst = await makeInstrument(purse, terms)
  const scene: Scene = {
    ...{ chain, folder, purse, inst, payer: keyOf(folder), except: new Set() },
    pay: (to, amount, more = {}) => send(purse, inst, to, amount, more),
    get: ({ payment_id }) => getPayment(purse.bursar, purse.caller, payment_id),
    row: async ({ payment_id }) => (await purse.bursar.store.read.one('payments', { id: payment_id })) as Payment,
    async recover() {
      await recover(purse.bursar)
      await mempoolIsEmpty(chain)
    },
    async settle(view) {
      for (let tries = 0; tries < 50 && (await scene.row(view)).held > 0n; tries += 1) await scene.recover()
      return scene.get(view)
    },
    async other(more = {}) {
      const again = await openChainPurse(folder, chain, { ...opening, ...more })
      open.push({ scene: null, purse: again })
      return again
    },
  }
  open.push({ scene, purse })
  return scene
}

/** As `openChainPurse` makes it. */
function keyOf(folder: string): PrivateKeyAccount {
  return privateKeyToAccount(`0x${createHash('sha256').update(`wallet of ${folder}`).digest('hex')}`)
}

/** Returns when all that was sent is in a block; at once, where blocks do not come by themselves. */
export async function mempoolIsEmpty(chain: Chain): Promise<void> {
  if (!(await chain.rpc<boolean>('anvil_getAutomine'))) return
  const isEmpty = async () => Number((await unstick(chain)).pending) === 0
  for (let tries = 0; tries < 200 && !(await isEmpty()); tries += 1) await sleep(5)
}

function looksOnce(rail: Rail): Rail {
  return { ...rail, pay: (terms) => rail.pay({ ...terms, waitMs: 0 }) }
}

afterEach(async () => {
  const scenes = open.splice(0)
  try {
    for (const { scene } of scenes) if (scene) await expectSettled(scene)
  } finally {
    for (const { purse } of scenes) await purse.close()
  }
})

/** A human's yes to what the store shows now. */
export async function yes({ purse }: Scene, { payment_id }: Pick<PaymentView, 'payment_id'>): Promise<PaymentView> {
  const { digest } = await question(purse.bursar, payment_id)
  const proof = hostProof(purse.authority.ownerId, digest, 'test')
  return (await approve(purse.bursar, payment_id, proof, {})) as PaymentView
}

/** What the refusal of a payment is about, without its words. */
export function ruleOf({ status, refusal }: PaymentView): [string, string | undefined, string | undefined] {
  return [status, refusal?.code, refusal?.rule]
}

/** The details of the last event of this type about a payment or the wallet. */
export async function lastEvent(
  { purse }: Pick<Scene, 'purse'>,
  type: string,
  about = '',
): Promise<Record<string, unknown> | null> {
  const events = await collected(purse.bursar.store.read.events(purse.wallet.id))
  const last = events.findLast((event) => event.type === type && event.body!.includes(about))
  return last ? (JSON.parse(last.body!) as { details: Record<string, unknown> }).details : null
}

export async function counted({ purse }: Pick<Scene, 'purse'>, type: string, about = ''): Promise<number> {
  const events = await collected(purse.bursar.store.read.events(purse.wallet.id))
  return events.filter((event) => event.type === type && event.body!.includes(about)).length
}

/** All that was ever signed by the wallet, in no order. */
export async function signed({ purse }: Pick<Scene, 'purse'>) {
  return purse.bursar.store.read.list('transfers', {})
}

/** All that the relayer signed, in the order of its nonces. */
export async function broadcasts({ purse }: Pick<Scene, 'purse'>): Promise<readonly Broadcast[]> {
  const rows = await purse.bursar.store.read.list('broadcasts', {})
  return rows.toSorted((a, b) => a.relayerNonce - b.relayerNonce || a.createdAt - b.createdAt)
}

/** Everything is as a payment leaves it that never was: held, allowance, uses and limits. */
export async function expectGivenBack({ purse, inst }: Scene, available = 1000n): Promise<void> {
  const { read } = purse.bursar.store
  const kept = (await read.one('accounts', { walletId: purse.wallet.id }))!
  expect([kept.available, kept.held]).toEqual([available * UNIT, 0n])
  const instrument = (await read.one('instruments', { id: inst.instrument_id }))!
  expect([instrument.remaining, instrument.usageConsumed]).toEqual([instrument.amount, 0])
  for (const { used } of await uses(purse)) expect([used.amount, used.count]).toEqual([0n, 0])
}

async function uses({ bursar, caller, wallet }: ChainPurse) {
  const spender = { ...caller, walletId: wallet.id, instrumentId: '', payeeKey: '', origin: null, category: null }
  return (await bursar.store.read.limits({ ...spender, protocol: 'transfer' }, bursar.clock.now())).filter(
    ({ limit }) => limit.scope !== 'payee' && limit.window !== 'payment',
  )
}

/**
 * What must be so after anything that happened: the chain moved each payment once that the books say was paid and no
 * other, the account holds what the books say, nothing is held, fees are what the chain took, and the journal rebuilds
 * it all.
 */
export async function expectSettled(scene: Scene): Promise<void> {
  const { chain, purse } = scene
  await chain.automine()
  await chain.mine(3)
  await scene.recover()
  await scene.recover()
  const { read } = purse.bursar.store
  expect((await verifyStore(purse.bursar, journalNoteKey(purse.publicKey))).problems).toEqual([])
  const payments = (await read.list('payments', { walletId: purse.wallet.id })) as readonly Payment[]
  const moved = payments.filter(({ captured, refunded }) => captured - refunded > 0n)
  // The token does not know of permits: what they moved, the balances below tell.
  const permits = await read.list('transfers', { walletId: purse.wallet.id, kind: 'permit2' })
  const byPermit = new Set(permits.map(({ paymentId }) => paymentId))
  const byToken = moved.filter(({ id }) => !byPermit.has(id))
  expect((await usedNonces(scene)).toSorted()).toEqual(byToken.map(({ id }) => nonceOf(id)).toSorted())
  const kept = (await read.one('accounts', { walletId: purse.wallet.id }))!
  expect(kept.available + kept.held + kept.external + kept.overdrawn).toBe(0n)
  expect([kept.held, payments.filter(({ held }) => held > 0n)]).toEqual([0n, []])
  const { chain: holds, books } = await bothBooks(purse, chain)
  expect(books).toBe(holds)
  if (!scene.except.has('fees')) await expectFees(scene)
  await expectAllowances(purse)
}

async function usedNonces({ chain, purse }: Scene): Promise<readonly string[]> {
  const args = { authorizer: purse.address as Address }
  const logs = await chain.publicClient.getLogs({ address: chain.token, event: USED, args, fromBlock: 0n })
  return logs.map((log) => log.args.nonce as string)
}

/** Every transaction of the relayer's is in the chain, or another is in its place, and their fees are counted. */
async function expectFees(scene: Scene): Promise<void> {
  const { chain, purse } = scene
  let took = 0n
  for (const { txHash } of await broadcasts(scene)) took += await feeOf(chain, txHash)
  const days = await purse.bursar.store.read.list('fee_days', {})
  expect(days.reduce((sum, { spent }) => sum + spent, 0n)).toBe(took)
  expect(days.reduce((sum, { held }) => sum + held, 0n)).toBe(0n)
  expect((await broadcasts(scene)).filter(({ fee }) => fee === null)).toEqual([])
}
