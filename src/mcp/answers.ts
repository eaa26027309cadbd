import type { CallToolResult } from '@modelcontextprotocol/server'
import type { ApprovalView, InstrumentView, PaymentView, RefusalView, RequestView } from '../actions/wire.ts'
import { CODES, type Code } from '../core/errors.ts'
import { quoted } from './form.ts'
import type { JsonObject } from './tool.ts'
import { undeliveredLine } from './undelivered.ts'

const NO: ReadonlySet<string> = new Set(['refused', 'voided', 'denied', 'expired'])
const NAME_MAX = 60
/** Above all that a host name can be: cut, it would name another. */
const ORIGIN_MAX = 300

/** What a call about one request answers: the view, and in one line what it means and what to do next. */
export function requestAnswer(view: RequestView, note = ''): CallToolResult {
  const refusal = refusalOf(view)
  return answer({ ...view, ...(refusal && { refusal }) }, [note, requestLine(view, refusal)], refusal !== null)
}

/** As {@link requestAnswer}, for one payment. */
export function paymentAnswer(view: PaymentView, note = ''): CallToolResult {
  const refusal = refusalOf(view)
  const lines = [note, paymentLine(view, refusal), replayedLine(view)]
  return answer({ ...view, ...(refusal && { refusal }) }, lines, refusal !== null)
}

export function replayedLine({ replayed }: PaymentView): string {
  return replayed ? 'This is the earlier payment for the same purchase; nothing was paid again.' : ''
}

/** Who is paid, quoted: on the web the site that asks, whatever its account. */
export function payeeText({ name, origin, address }: PaymentView['payee']): string {
  return name === undefined && origin !== undefined
    ? quoted(origin, ORIGIN_MAX)
    : quoted(name ?? address ?? '', NAME_MAX)
}

/** What is read as a whole: compact JSON, once for programs and once for models. */
export function jsonAnswer(view: object): CallToolResult {
  return answer(view, [JSON.stringify(view)], false)
}

export function answer(view: object, lines: readonly string[], isError: boolean): CallToolResult {
  return {
    ...(isError && { isError }),
    content: [{ type: 'text', text: lines.filter((line) => line !== '').join(' ') }],
    structuredContent: { ...(view as JsonObject) },
  }
}

const DEFAULT_REFUSALS: Readonly<Record<string, { code: Code; message: string }>> = {
  voided: { code: 'rail_declined', message: 'The payment was not made.' },
  denied: { code: 'approval_denied', message: 'A human said no.' },
  expired: { code: 'approval_expired', message: 'Nobody answered in time.' },
  refused: { code: 'limit_exceeded', message: 'The payment was refused.' },
}

/** Why it is a no, or null when it is not. Every no has a code, whatever the store kept of it. */
export function refusalOf(view: { readonly status: string; readonly refusal?: RefusalView }): RefusalView | null {
  if (!NO.has(view.status)) return null
  const { code, message } = DEFAULT_REFUSALS[view.status] as { code: Code; message: string }
  return view.refusal ?? { code, rule: view.status, message, hint: CODES[code].hint }
}

function requestLine(view: RequestView, refusal: RefusalView | null): string {
  const { request_id, status, instrument, approval } = view
  if (refusal) return `Request ${request_id} is ${status}. ${refusalLine(refusal)}`
  if (approval) return `Request ${request_id} is pending. ${pendingLine(approval, request_id, 'get_request')}`
  if (instrument) return `Request ${request_id} is approved. ${instrumentLine(instrument)}`
  return `Request ${request_id} is ${status}.`
}

export function paymentLine(view: PaymentView, refusal: RefusalView | null): string {
  const { payment_id, status, approval } = view
  if (refusal) return `Payment ${payment_id} is ${status}. ${refusalLine(refusal)}`
  if (approval) return `Payment ${payment_id} is not made yet. ${pendingLine(approval, payment_id, 'get_payment')}`
  const left = view.instrument ? ` ${instrumentLine(view.instrument)}` : ''
  return `${undeliveredLine(view) ?? stateLine(view)}${left}`
}

function stateLine({
  payment_id,
  status,
  amount,
  captured_amount,
  refunded_amount,
  currency,
  payee,
}: PaymentView): string {
  const to = payeeText(payee)
  switch (status) {
    case 'captured':
      return `Payment ${payment_id}: paid ${captured_amount} ${currency} to ${to}.`
    case 'authorized':
      return `Payment ${payment_id}: ${amount} ${currency} to ${to} is authorized and held, not captured yet. Do not pay again; poll get_payment.`
    case 'in_doubt':
      return `Payment ${payment_id}: ${amount} ${currency} to ${to} was sent and its outcome is not known yet. The money is held. Do not pay again; poll get_payment.`
    case 'partially_refunded':
    case 'refunded':
      return `Payment ${payment_id}: ${refunded_amount} of ${captured_amount} ${currency} to ${to} was refunded.`
    default:
      return `Payment ${payment_id} is ${status}.`
  }
}

function pendingLine({ command, url, expires_at }: ApprovalView, id: string, poll: string): string {
  const how = url === undefined ? `run \`${command}\`` : `decide at ${url}`
  return `A human must approve it by ${expires_at}: tell your user to ${how}, then poll ${poll} with ${id}. Do not ask or pay again for the same thing.`
}

function instrumentLine(instrument: InstrumentView): string {
  const { instrument_id, status, display, remaining_amount, currency, usage_limit, usage_consumed, mode } = instrument
  const uses = usage_limit === null ? '' : ` and ${usage_limit - usage_consumed} of ${usage_limit} uses`
  const name = display === null ? instrument_id : `${instrument_id} (${display})`
  const sandbox = mode === 'sandbox' ? ' Sandbox: no real money.' : ''
  return `Instrument ${name} is ${status}: ${remaining_amount} ${currency}${uses} left until ${instrument.expires_at}.${sandbox}`
}

export function refusalLine({ code, message, hint }: RefusalView): string {
  return `${code}: ${message} ${hint}`
}
