import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { getPayment } from '../../src/actions/agent/read.ts'
import type { RequestInput } from '../../src/actions/agent/request-instrument.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { addAgent, keyHashOf } from '../../src/actions/owner/agents.ts'
import { approve, deny } from '../../src/actions/owner/approve.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { listLimits } from '../../src/actions/owner/inspect.ts'
import type { LimitInput } from '../../src/actions/owner/limit.ts'
import { removeLimit, setLimit } from '../../src/actions/owner/limit.ts'
import type { WalletInput } from '../../src/actions/owner/wallets.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import type { LimitView, PaymentView, RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { operatorProof } from '../../src/approvals/operator.ts'
import type { Narrowing } from '../../src/core/approval.ts'
import { BursarError } from '../../src/core/errors.ts'
import type { Bursar } from '../../src/ports.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { type CardSandbox, sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import { collected } from '../support/collected.ts'
import { buy, CARD, makeCard, makePurse, type Purse, type PurseOptions } from '../support/purse.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A card that nothing restricts but its amount. */
export const OPEN_CARD = {
  amount: '9000.00',
  usage_limit: undefined,
  expires_in: '366d',
  constraints: {},
} satisfies Partial<RequestInput>

/** As {@link makePurse}, with a card network that never waits. */
export async function quickPurse(options: PurseOptions = {}): Promise<Purse> {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-'))
  let made: Purse | undefined
  const clock = { now: () => made?.time.now ?? 0 }
  const sandbox = await sandboxIssuer({ path: join(folder, 'issuer.db'), clock, sleep: async () => undefined })
  made = await makePurse({ folder, rail: cardRail(sandbox.issuer, sandbox.network), ...options })
  const { close } = made
  onTestFinished(async () => {
    await close()
    sandbox.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return made
}

export function ask(purse: Purse, terms: Partial<RequestInput> = {}): Promise<RequestView> {
  return requestInstrument(purse.bursar, purse.caller, { ...CARD, ...terms })
}

/** A yes of the owner's key to what the store shows now. */
export async function operatorYes(purse: Purse, subjectId: string, narrowing: Narrowing = {}) {
  const { digest } = await question(purse.bursar, subjectId)
  return operatorProof(purse.bursar, purse.authority, subjectId, digest, narrowing)
}

export async function hostYes(purse: Purse, subjectId: string) {
  return hostProof(purse.authority.ownerId, (await question(purse.bursar, subjectId)).digest, 'test')
}

export async function approvePayment(purse: Purse, subjectId: string): Promise<PaymentView> {
  return (await approve(purse.bursar, subjectId, await hostYes(purse, subjectId), {})) as PaymentView
}

export async function approveRequest(purse: Purse, subjectId: string, narrowing: Narrowing = {}): Promise<RequestView> {
  return (await approve(purse.bursar, subjectId, await hostYes(purse, subjectId), narrowing)) as RequestView
}

export function no(purse: Purse, subjectId: string, reason: string | null = null) {
  return deny(purse.bursar, subjectId, { ownerId: purse.authority.ownerId, channel: 'test', reason })
}

export function limit(purse: Purse, input: LimitInput, walletId = purse.walletId): Promise<LimitView> {
  return setLimit(purse.bursar, purse.authority, walletId, input)
}

/** Makes the limits that every wallet must have so wide that only those of a test are met, and removes the others. */
export async function widen(purse: Purse, walletId = purse.walletId): Promise<void> {
  const wide = { max_amount: '1000000', over: 'deny' }
  await limit(purse, { scope: 'wallet', window: 'payment', ...wide }, walletId)
  await limit(purse, { scope: 'session', window: 'session', ...wide }, walletId)
  await limit(purse, { scope: 'wallet', window: 'day', ...wide }, walletId)
  for (const { limit_id, wallet_id, over } of await listLimits(purse.bursar))
    if (wallet_id === walletId && over === 'ask') await removeLimit(purse.bursar, purse.authority, limit_id)
}

/** The purse's own wallet with money to spare and only the limits of the test. */
export async function openPurse(made: Promise<Purse> | Purse = quickPurse()): Promise<Purse> {
  const purse = await made
  await fund(purse.bursar, purse.authority, purse.walletId, '99000')
  await widen(purse)
  return purse
}

/** The same purse seen through another wallet, which only this agent may use. */
export async function withWallet(purse: Purse, input: Partial<WalletInput>): Promise<Purse> {
  const { agentId } = purse.caller
  const made = { name: 'other', currency: 'USD', mode: 'sandbox', agentId, ...input }
  const { wallet_id } = await createWallet(purse.bursar, purse.authority, made)
  return openPurse({ ...purse, walletId: wallet_id })
}

/** The same purse seen by another agent of the same owner. */
export async function byAnotherAgent(purse: Purse): Promise<Purse> {
  const { agent_id: agentId, key } = await addAgent(purse.bursar, purse.authority, 'other')
  return { ...purse, caller: { agentId, sessionId: 'ses_other', credentialId: await credentialOf(purse.bursar, key) } }
}

/** The id of the credential whose key this is. */
export async function credentialOf({ store }: Bursar, key: string): Promise<string> {
  const credential = await store.read.one('credentials', { keyHash: keyHashOf(key) })
  if (!credential) throw new Error('There is no such credential.')
  return credential.id
}

/** The same agent in another run. */
export function inSession(purse: Purse, sessionId: string): Purse {
  return { ...purse, caller: { ...purse.caller, sessionId } }
}

/** The issuer and the card network behind the purse, on the same books and clock. */
export async function sandboxOf(purse: Purse): Promise<CardSandbox> {
  const path = join(purse.folder, 'issuer.db')
  const sandbox = await sandboxIssuer({ path, clock: purse.bursar.clock, sleep: async () => undefined })
  onTestFinished(() => sandbox.close())
  return sandbox
}

/** What the refusal of a payment is about, without its words. */
export function ruleOf(payment: PaymentView): [string, string | undefined, string | undefined] {
  return [payment.status, payment.refusal?.code, payment.refusal?.rule]
}

/** The code of the BursarError that is thrown. Anything else is a bug, and fails. */
export async function codeOf(doing: Promise<unknown>): Promise<string> {
  try {
    await doing
  } catch (error) {
    if (error instanceof BursarError) return error.code
    throw error
  }
  return 'no error'
}

/** Every event of a wallet's journal, or of one subject in it, by type. */
export async function eventsOf(purse: Purse, about = ''): Promise<string[]> {
  const events = await collected(purse.bursar.store.read.events(purse.walletId))
  return events.filter(({ body }) => body!.includes(about)).map(({ type }) => type)
}

/** A card, and a payment of 80.00 with it that waits for a human. */
export async function waiting(terms: object = OPEN_CARD) {
  const purse = await openPurse()
  await limit(purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
  const card = await makeCard(purse, terms)
  const call = () => buy(purse, card, '80.00', { purpose: 'A licence' })
  const payment = await call()
  const { payment_id: id } = payment
  const now = () => getPayment(purse.bursar, purse.caller, id)
  return { purse, card, id, call, payment, now, yes: () => approvePayment(purse, id) }
}
