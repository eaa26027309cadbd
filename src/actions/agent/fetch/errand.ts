import { digestOf } from '../../../core/canonical.ts'
import { BursarError } from '../../../core/errors.ts'
import { parse } from '../../../core/money.ts'
import { SAME_PURCHASE_MS } from '../../../core/payment.ts'
import { refusal } from '../../../core/refusal.ts'
import type { Key } from '../../../core/step.ts'
import { plain } from '../../../core/text.ts'
import type { Instrument, Refusal, Text, Wallet } from '../../../core/types.ts'
import type { WebRequest } from '../../../ports/web.ts'
import type { Bursar } from '../../../ports.ts'
import type { Caller } from '../../wire.ts'

export interface FetchInput {
  readonly instrument_id: string
  readonly url: string
  /** `GET` unless said otherwise. */
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
  /** Decimal string in the instrument's currency. "0" only asks for the price. */
  readonly max_amount: string
  readonly purpose: string
  readonly task_id?: string | undefined
  readonly idempotency_key?: string | undefined
}

/** What an agent wants to have, with its arguments made clean. */
export interface Errand {
  readonly caller: Caller
  readonly request: WebRequest
  /** Null where there is none of this agent's. */
  readonly means: { readonly instrument: Instrument; readonly wallet: Wallet } | null
  readonly instrumentId: string
  /** Smallest units. */
  readonly max: bigint
  /** Only the price is asked for: nothing is bought, and nothing goes on record. */
  readonly isQuery: boolean
  readonly purpose: Text
  readonly taskId: string | null
  readonly same: NonNullable<Key['same']>
  /** What is wrong with the arguments: it becomes a refusal, so that the attempt is on record. */
  readonly fault: Refusal | null
}

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const PURPOSE_MAX = 500
const TASK_MAX = 100
const QUOTE_MAX = 64
const URL_MAX = 2_000
const BODY_MAX = 100_000
const HEADERS_MAX = 32
const HEADER_MAX = 1_000
const NOTHING = /^0(\.0{1,18})?$/
const KEY = /^[\x21-\x7e]{1,128}$/
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/
const VALUE = /^[\x20-\x7e]*$/
const LONE_SURROGATE = /\p{Surrogate}/u
/** What says who asks, or pays: an agent has no credential of its own here, and only bursar pays. */
const CREDENTIAL = /auth|cookie|token|secret|credential|password|api-?key|session|signature|^(x-)?payment/
/** What belongs to the connection, or says where a request came from. */
const CONNECTION =
  /^(host|content-length|content-encoding|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|via|accept-encoding|user-agent|forwarded|origin|referer|x-forwarded-.*|x-real-ip|x-original-.*|x-rewrite-.*|x-(http-)?method.*|sec-.*|proxy-.*)$/
/** How long a purchase that was paid and not delivered is the answer to the same call. */
const UNDELIVERED_MS = 24 * 60 * 60 * 1000

export async function errandOf(bursar: Bursar, caller: Caller, input: FetchInput): Promise<Errand> {
  const { agentId } = caller
  const { read } = bursar.store
  const instrumentId = plain(input.instrument_id, QUOTE_MAX)
  const instrument = await read.one('instruments', { id: instrumentId })
  const wallet = instrument?.agentId === agentId ? await read.one('wallets', { id: instrument.walletId }) : null
  const means = instrument && wallet ? { instrument, wallet } : null
  const { request, max, fault } = checked(input, wallet)
  const { method, url, headers, body } = request
  const sorted = Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    ...{ caller, request, means, instrumentId, max, fault },
    isQuery: !fault && NOTHING.test(input.max_amount),
    purpose: bursar.ids.text(plain(input.purpose, PURPOSE_MAX)),
    taskId: input.task_id === undefined ? null : plain(input.task_id, TASK_MAX),
    same: {
      agentId,
      // Neither why nor for how much: who asks again in other words, or would pay more, asks for the same.
      fingerprint: digestOf({ instrumentId, method, url, headers: sorted, body }),
      idempotencyKey: fault ? null : (input.idempotency_key ?? null),
      withinMs: SAME_PURCHASE_MS,
      undelivered: { withinMs: UNDELIVERED_MS, began: bursar.clock.now() },
    },
  }
}

type Checked = Pick<Errand, 'request' | 'max' | 'fault'>

function checked(input: FetchInput, wallet: Wallet | null): Checked {
  const method = (input.method ?? 'GET').toUpperCase()
  // For the record of what cannot be asked.
  const asGiven = { method: plain(method, 10), url: plain(input.url, URL_MAX), headers: {}, body: null }
  try {
    const request = { method: methodOf(method), url: urlOf(input.url), ...contentOf(method, input) }
    if (!KEY.test(input.idempotency_key ?? 'none'))
      throw invalid('idempotency_key is 1 to 128 printable ASCII characters.')
    return { request, max: wallet ? maxOf(input.max_amount, wallet) : 0n, fault: null }
  } catch (error) {
    if (!(error instanceof BursarError)) throw error
    return { request: asGiven, max: 0n, fault: refusal(error.code, 'arguments', error.message) }
  }
}

function methodOf(method: string): string {
  if (METHODS.includes(method)) return method
  throw invalid(`method is one of: ${METHODS.join(', ')}.`)
}

/** Without the fragment, which no server is told. What else a URL may be, the web decides before it asks. */
function urlOf(text: string): string {
  if (text.length > URL_MAX || !URL.canParse(text))
    throw invalid('url is an absolute URL such as https://api.example.com/.')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') throw invalid('url holds a name or password: leave them out.')
  url.hash = ''
  return url.href
}

function contentOf(method: string, { headers = {}, body }: FetchInput): Pick<WebRequest, 'headers' | 'body'> {
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) throw invalid(`${method} has no body.`)
  if (body !== undefined && Buffer.byteLength(body) > BODY_MAX) throw invalid(`body is at most ${BODY_MAX} bytes.`)
  if (body !== undefined && LONE_SURROGATE.test(body)) throw invalid('body holds half a character.')
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  if (entries.length > HEADERS_MAX) throw invalid(`There are at most ${HEADERS_MAX} headers.`)
  for (const [name, value] of entries) checkHeader(name, value)
  const clean = Object.fromEntries(entries)
  if (Object.keys(clean).length < entries.length) throw invalid('A header is there twice.')
  return { headers: clean, body: body ?? null }
}

function checkHeader(name: string, value: string): void {
  if (!NAME.test(name) || !VALUE.test(value) || value.length > HEADER_MAX) throw invalid('A header is malformed.')
  if (CREDENTIAL.test(name))
    throw invalid(`Leave out the header ${name}: credentials and payments are not yours to send.`)
  if (CONNECTION.test(name)) throw invalid(`Leave out the header ${name}: bursar sets it.`)
}

/** @throws `amount_invalid` */
function maxOf(text: string, { currency, decimals }: Wallet): bigint {
  return NOTHING.test(text) ? 0n : parse(text, { code: currency, decimals }).units
}

function invalid(message: string): BursarError {
  return new BursarError('argument_invalid', message)
}
