import type { Attempted, Wish } from '../../core/attempt.ts'
import { attempt } from '../../core/attempt.ts'
import { digestOf } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import { isId } from '../../core/ids.ts'
import { parse } from '../../core/money.ts'
import { networkOf } from '../../core/network.ts'
import type { PayeeInput } from '../../core/payee.ts'
import { accountPayeeOf, merchantOf, payeeKey } from '../../core/payee.ts'
import { SAME_PURCHASE_MS } from '../../core/payment.ts'
import { refusal } from '../../core/refusal.ts'
import type { Ask } from '../../core/step.ts'
import { plain } from '../../core/text.ts'
import type { Payee, Refusal, Text, Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { expire } from '../recover.ts'
import { settle } from '../settle.ts'
import { paymentView } from '../views.ts'
import type { Caller, PaymentView } from '../wire.ts'

export interface PayInput {
  readonly instrument_id: string
  /** Decimal string in the instrument's currency. */
  readonly amount: string
  readonly payee: PayeeInput
  readonly purpose: string
  readonly task_id?: string | undefined
  readonly idempotency_key?: string | undefined
}

const PURPOSE_MAX = 500
const TASK_MAX = 100
const QUOTE_MAX = 64
const KEY = /^[\x21-\x7e]{1,128}$/

/**
 * Tries to pay once. A refusal is an answer, not an error; every attempt is in the journal before this returns, and
 * money is held before any rail hears of it.
 *
 * @throws `busy` (nothing was changed), `outcome_unknown` (look it up before paying again)
 */
export async function pay(bursar: Bursar, caller: Caller, input: PayInput): Promise<PaymentView> {
  const purpose = bursar.ids.text(plain(input.purpose, PURPOSE_MAX))
  const wish = await wishOf(bursar, caller, input, purpose.digest, purpose.text)
  let done = await tried(bursar, caller, wish, purpose)
  // There may be several, each asked about under its own key.
  while (done.kind === 'lapsed') {
    await expire(bursar, done.paymentId)
    done = await tried(bursar, caller, wish, purpose)
  }
  if (done.kind === 'authorized') await settle(bursar, done.paymentId)
  else if (done.kind !== 'replayed') bursar.notify.changed(done.paymentId, null)
  const view = await paymentView(bursar, done.paymentId)
  return done.kind === 'replayed' ? { ...view, replayed: true } : view
}

async function tried(bursar: Bursar, caller: Caller, wish: Wish, purpose: Text): Promise<Attempted> {
  const { agentId, sessionId } = caller
  const { payee, protocol, fingerprint, idempotencyKey } = wish
  return bursar.store.update(
    {
      agentId,
      ...(caller.credentialId !== null && { credentialId: caller.credentialId }),
      ...(isId('instrument', wish.instrumentId) && { instrumentId: wish.instrumentId }),
      spender: {
        agentId,
        sessionId,
        payeeKey: payeeKey(payee),
        origin: null,
        category: payee.category ?? null,
        protocol,
      },
      same: { agentId, fingerprint, idempotencyKey, withinMs: SAME_PURCHASE_MS },
      ...(await asking(bursar, wish)),
    },
    (snapshot) => {
      const change = attempt(snapshot, wish)
      return change.facts.length === 0 ? change : { ...change, texts: [purpose] }
    },
  )
}

/** What a human would be asked, whatever the agent calls it. Where that is not known, nobody is asked. */
async function asking(
  bursar: Bursar,
  { agentId, instrumentId, amount, payee }: Wish,
): Promise<{ readonly asking?: Ask }> {
  const wallet = await walletOf(bursar, instrumentId)
  if (!wallet) return {}
  try {
    const { units } = parse(amount, { code: wallet.currency, decimals: wallet.decimals })
    return { asking: { agentId, walletId: wallet.id, payeeKey: payeeKey(payee), amount: units } }
  } catch (error) {
    if (error instanceof BursarError) return {}
    throw error
  }
}

/** The arguments made clean. What is wrong with them becomes a refusal, so that the attempt is on record too. */
async function wishOf(
  bursar: Bursar,
  caller: Caller,
  input: PayInput,
  purposeRef: string,
  purpose: string,
): Promise<Wish> {
  const way = await wayOf(bursar, input.instrument_id)
  const { payee, fault } = checked(input, way)
  const clean = plain(input.amount, QUOTE_MAX)
  // An amount that cleaning would change is no amount: it is kept from becoming one.
  const amount = clean === input.amount ? clean : `?${clean}`
  const instrumentId = plain(input.instrument_id, QUOTE_MAX)
  return {
    paymentId: bursar.ids.make('payment'),
    approvalId: bursar.ids.make('approval'),
    agentId: caller.agentId,
    sessionId: caller.sessionId,
    taskId: input.task_id === undefined ? null : plain(input.task_id, TASK_MAX),
    instrumentId,
    amount,
    payee,
    protocol: way.protocol,
    purposeRef,
    fingerprint: digestOf({ instrumentId, amount: trimmed(amount), payee: identityOf(payee), purpose }),
    idempotencyKey: fault ? null : (input.idempotency_key ?? null),
    credentialId: caller.credentialId,
    ...(caller.actors && { actors: caller.actors }),
    fault,
  }
}

/** How an instrument pays when it is simply told to: a card a merchant, USDC an account on the chain of its wallet. */
interface Way {
  readonly protocol: 'card' | 'transfer'
  readonly payeeOf: (input: PayeeInput) => Payee
}

async function wayOf(bursar: Bursar, instrumentId: string): Promise<Way> {
  const wallet = await walletOf(bursar, instrumentId)
  if (!wallet || wallet.asset === null) return { protocol: 'card', payeeOf: merchantOf }
  const network = networkOf(wallet.asset)
  return { protocol: 'transfer', payeeOf: (input) => accountPayeeOf(input, network) }
}

/** What is read here never changes: an instrument keeps its type and its wallet, and a wallet its asset. */
async function walletOf({ store: { read } }: Bursar, instrumentId: string): Promise<Wallet | null> {
  const instrument = await read.one('instruments', { id: instrumentId })
  return instrument && (await read.one('wallets', { id: instrument.walletId }))
}

function checked(input: PayInput, { payeeOf }: Way): { payee: Payee; fault: Refusal | null } {
  try {
    const payee = payeeOf(input.payee)
    if (!KEY.test(input.idempotency_key ?? 'none'))
      throw new BursarError('argument_invalid', 'idempotency_key is 1 to 128 printable ASCII characters.')
    return { payee, fault: null }
  } catch (error) {
    if (!(error instanceof BursarError)) throw error
    return { payee: {}, fault: refusal(error.code, 'arguments', error.message) }
  }
}

/** On a chain the account is who is paid, by whatever name the agent calls it. */
function identityOf(payee: Payee): Payee {
  const { name: _label, ...account } = payee
  return payee.address === undefined ? payee : account
}

/** "49", "49.0" and "49.00" are one amount. */
function trimmed(amount: string): string {
  return amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount
}
