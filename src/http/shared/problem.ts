import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { BursarError, CODES, type Code } from '../../core/errors.ts'

/** RFC 9457, with what bursar says of every error. */
export interface Problem {
  /** `urn:bursar:problem:<code>`. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: Code
  readonly detail: string
  /** What to do next. */
  readonly hint: string
  readonly retry: (typeof CODES)[Code]['retry']
}

/** Codes that are not here are what somebody may not do: 403. */
const STATUS: Partial<Record<Code, ContentfulStatusCode>> = {
  amount_invalid: 400,
  argument_invalid: 400,
  unauthenticated: 401,
  passphrase_wrong: 401,
  insufficient_funds: 402,
  not_found: 404,
  approval_invalid: 409,
  asked_before: 409,
  already_exists: 409,
  busy: 409,
  not_pending: 409,
  offer_changed: 409,
  wrong_state: 409,
  approval_denied: 403,
  approval_expired: 410,
  instrument_expired: 410,
  instrument_revoked: 410,
  usage_limit_reached: 410,
  request_too_large: 413,
  currency_mismatch: 422,
  idempotency_conflict: 422,
  offer_not_payable: 422,
  rail_declined: 422,
  rate_limited: 429,
  too_many_asks: 429,
  journal_tampered: 500,
  config_invalid: 500,
  schema_newer: 500,
  rail_unavailable: 502,
  seller_unavailable: 502,
  key_unavailable: 503,
  outcome_unknown: 503,
}

export function statusOf(code: Code): ContentfulStatusCode {
  return STATUS[code] ?? 403
}

/** A {@link BursarError} with headers that its answer needs, such as `Retry-After`. */
export class Refused extends BursarError {
  readonly headers: Readonly<Record<string, string>>
  constructor(code: Code, message: string, headers: Readonly<Record<string, string>>) {
    super(code, message)
    this.headers = headers
  }
}

export function problemOf({ code, message, hint }: BursarError): Problem {
  const title = code.charAt(0).toUpperCase() + code.slice(1).replaceAll('_', ' ')
  const { retry } = CODES[code]
  return { type: `urn:bursar:problem:${code}`, title, status: statusOf(code), code, detail: message, hint, retry }
}

/** @param more members beside those of every problem, such as the payment that was refused */
export function problemResponse(error: BursarError, more: object = {}): Response {
  const problem = problemOf(error)
  return new Response(JSON.stringify({ ...problem, ...more }), {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(error instanceof Refused && error.headers),
    },
  })
}

/** For what should not happen: nothing of it is shown. */
export function bugResponse(): Response {
  const problem = {
    type: 'about:blank',
    title: 'Internal error',
    status: 500,
    detail: 'Something went wrong inside bursar. Do not repeat a purchase: look it up first.',
  }
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
  return new Response(JSON.stringify(problem), { status: 500, headers })
}
