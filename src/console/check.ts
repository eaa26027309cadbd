import type { ActStatement } from '../core/act.ts'
import type { Narrowing, PaymentTerms, RequestTerms, Statement } from '../core/approval.ts'
import { termsDigest } from '../core/approval.ts'
import { canonical } from '../core/canonical.ts'
import { parseDuration } from '../core/duration.ts'
import type { InboxItem, PaymentView, RequestView } from './types.ts'
import { hash } from './verify/crypto.ts'

/** What would be signed is not what is shown. Nothing was signed. */
export class Tampered extends Error {
  constructor(what: string) {
    super(
      `Not signed: ${what} This should never happen. Do not answer here; look at the request with the command line.`,
    )
    this.name = 'Tampered'
  }
}

/** What the server wants signed: the text, and the WebAuthn challenge that stands for it. */
export interface ToSign {
  readonly statement: string
  readonly options: { readonly challenge: string }
}

const APPROVAL = [
  'approval_id',
  'checkpoint',
  'decision',
  'digest',
  'expires_at',
  'narrowed',
  'owner_id',
  'subject_id',
  'type',
  'v',
]
const ACT = ['act', 'args', 'checkpoint', 'expires_at', 'nonce', 'owner_id', 'type', 'v']

/**
 * That the passkey will sign a yes to exactly the terms on the screen, by this owner, and to nothing else. The digest is computed
 * here from what is shown: a server, or something between, that shows one thing and has another signed is found out.
 *
 * @throws Tampered
 */
export function checkApproval(toSign: ToSign, shown: InboxItem, narrowing: Narrowing, ownerId: string): Statement {
  const said = opened(toSign, 'bursar-approval-v1', APPROVAL) as unknown as Statement
  const digest = termsDigest(termsOf(shown))
  must(said.v === 1 && said.type === 'bursar.approval' && said.decision === 'approve', 'it is not an approval.')
  must(said.digest === digest && shown.question.digest === digest, 'the terms are not those that are shown.')
  must(said.subject_id === shown.question.subject_id, 'it is about another request.')
  must(said.approval_id === shown.question.approval_id, 'it answers another question.')
  must(canonical(said.narrowed) === canonical(narrowing), 'it allows something else than you chose.')
  must(said.owner_id === ownerId, 'it is in the name of another owner.')
  return said
}

/** As {@link checkApproval}, for an act of the owner. @throws Tampered */
export function checkAct(toSign: ToSign, act: string, args: object, ownerId: string): ActStatement {
  const said = opened(toSign, 'bursar-act-v1', ACT) as unknown as ActStatement
  must(said.v === 1 && said.type === 'bursar.act' && said.act === act, 'it is another act.')
  must(canonical(said.args) === canonical(args), 'it does something else than you chose.')
  must(said.owner_id === ownerId, 'it is in the name of another owner.')
  return said
}

function opened({ statement, options }: ToSign, label: string, fields: readonly string[]): Record<string, unknown> {
  const digest = hash('sha256', `${label}\0${statement}`, 'binary')
  const challenge = btoa(digest).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  must(challenge === options.challenge, 'the passkey was asked to sign another text than this one.')
  const said = parsed(statement)
  must(canonical(said) === statement, 'the text is not canonical JSON.')
  must(Object.keys(said).sort().join() === fields.join(), 'the text says more or less than it may.')
  return said
}

function parsed(statement: string): Record<string, unknown> {
  try {
    const said: unknown = JSON.parse(statement)
    if (typeof said === 'object' && said !== null) return said as Record<string, unknown>
  } catch {
    // Falls through.
  }
  throw new Tampered('the text cannot be read.')
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Tampered(what)
}

/** The terms as they are hashed, from what is on the screen. */
function termsOf({ kind, view }: InboxItem): RequestTerms | PaymentTerms {
  return kind === 'request' ? requestTerms(view as RequestView) : paymentTerms(view as PaymentView)
}

function requestTerms(view: RequestView): RequestTerms {
  const { request_id, wallet_id, agent_id, type, amount, currency, usage_limit, per_payment_max, constraints } = view
  const ms = parseDuration(view.expires_in)
  return {
    kind: 'request',
    ...{ request_id, wallet_id, agent_id, type, amount, currency, usage_limit, per_payment_max, constraints },
    expires_in_ms: ms,
  }
}

function paymentTerms({
  payment_id,
  agent_id,
  amount,
  currency,
  protocol,
  payee,
  instrument,
}: PaymentView): PaymentTerms {
  const { merchant_category, category_name: _name, ...others } = payee
  return {
    kind: 'payment',
    ...{ payment_id, agent_id, protocol },
    wallet_id: instrument?.wallet_id ?? '',
    instrument_id: instrument?.instrument_id ?? '',
    amount: amount ?? '',
    currency: currency ?? '',
    payee: { ...others, ...(merchant_category !== undefined && { category: merchant_category }) },
  }
}
