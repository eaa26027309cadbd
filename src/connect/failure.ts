import { type JSONRPCMessage, type JSONRPCRequest, SdkError, SdkHttpError } from '@modelcontextprotocol/client'
import { plain } from '../core/text.ts'

/** The connection ended before the answer came. */
export class Lost extends Error {
  override readonly name = 'Lost'
}

/**
 * Why there is no answer. `unsent`: the server has not got the request. `session`: it has, and did nothing, since it does not know
 * the session. `lost`: it may have done what was asked. `refused`: it said no.
 */
export type Failure =
  | { readonly kind: 'unsent' | 'session' | 'lost' }
  | { readonly kind: 'refused'; readonly text: string | null; readonly status: number | null }

const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
/** Of something in front of the server that cannot reach it, or of a server that is about to end. */
const AWAY = new Set([502, 503, 504])

export function failureOf(error: unknown): Failure {
  if (error instanceof SdkHttpError) {
    const { status, text } = error.data as { status?: number; text?: string }
    if (status === 404) return { kind: 'session' }
    // Something in front may give 502 and 504 after it sent the request on.
    if (status !== undefined && AWAY.has(status)) return { kind: status === 503 ? 'unsent' : 'lost' }
    return { kind: 'refused', status: status ?? null, text: text ?? null }
  }
  if (error instanceof SdkError) return { kind: 'refused', status: null, text: null }
  const { cause } = error as { cause?: { code?: unknown; errors?: readonly { code?: unknown }[] } }
  const codes = cause?.errors?.map(({ code }) => code) ?? [cause?.code]
  return { kind: codes.every((code) => UNSENT.has(String(code))) ? 'unsent' : 'lost' }
}

const READS = new Set(['check_budget', 'get_request', 'get_payment', 'list_payments'])

/** Whether doing it twice is as doing it once, without a look at what it was. */
export function isRepeatable({ method, params }: JSONRPCRequest): boolean {
  if (method === 'tools/call') return READS.has(String(params?.name))
  return method !== 'prompts/get'
}

/** It may have been done: what an agent has to know. */
export function lostAnswer(request: JSONRPCRequest): JSONRPCMessage {
  return failed(
    request,
    'The connection to bursar was lost before its answer came: it may have been done. Look with list_payments or check_budget. To repeat the identical call is safe: it is the same payment.',
  )
}

export function unreachedAnswer(request: JSONRPCRequest): JSONRPCMessage {
  return failed(
    request,
    'The bursar server cannot be reached, so nothing was done. Try again in a minute, or tell your user.',
  )
}

const TEXT_MAX = 500

/** What the server said, in as much as it is what bursar says. */
export function refusedAnswer(
  request: JSONRPCRequest,
  { text, status }: Failure & { kind: 'refused' },
): JSONRPCMessage {
  const said = jsonIn(text)
  const { error, code, detail, hint } = said
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number')
    return { jsonrpc: '2.0', id: request.id, error: { code: error.code, message: messageIn(error) } }
  const words = [detail, hint].filter((one) => typeof one === 'string').join(' ')
  if (typeof code === 'string' && words !== '') return failed(request, plain(`${code}: ${words}`, TEXT_MAX))
  return failed(request, `The server answered with HTTP ${status ?? 'of another kind'}, which bursar does not.`)
}

function messageIn(error: object): string {
  return 'message' in error && typeof error.message === 'string' ? plain(error.message, TEXT_MAX) : ''
}

function jsonIn(text: string | null): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const INTERNAL_ERROR = -32603

/** For a tool's call a result, which is what models read; an error for anything else. */
function failed({ id, method }: JSONRPCRequest, text: string): JSONRPCMessage {
  if (method !== 'tools/call') return { jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message: text } }
  return { jsonrpc: '2.0', id, result: { resultType: 'complete', isError: true, content: [{ type: 'text', text }] } }
}
