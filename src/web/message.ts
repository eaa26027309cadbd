import type { WebRequest } from '../ports/web.ts'
import { ACCEPTED } from './body.ts'
import type { Answer, Message } from './exchange.ts'
import type { Place } from './places.ts'

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** Where a message ends, what it is bound to and how it travels is for us to say (RFC 9110 §7.6.1, RFC 9112 §6). */
const OURS: ReadonlySet<string> = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'accept-encoding'],
  ...['keep-alive', 'upgrade', 'expect', 'te', 'trailer'],
])
/** RFC 9110 §5.1 in lower case, and §5.5. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** @throws RangeError for a method or a header that no caller may give */
export function mustBeSendable({ method, headers }: WebRequest): void {
  if (!METHODS.has(method)) throw new RangeError('The method is not one that is sent.')
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name) || OURS.has(name)) throw new RangeError('A header has a name that is not sent.')
    if (!HEADER_VALUE.test(value)) throw new RangeError('A header has a value that cannot be sent.')
  }
}

export function messageOf({ url }: Place, { method, headers, body }: WebRequest): Message {
  const own = { 'user-agent': 'bursar', 'accept-encoding': ACCEPTED }
  return { path: url.pathname + url.search, method, headers: { ...own, ...headers }, body }
}

/** Where an answer sends the request on to; null where it is the answer itself. */
export function redirectOf(answer: Answer, { method, body }: WebRequest, from: Place): string | null {
  if (!REDIRECTS.has(answer.status) || body !== null || (method !== 'GET' && method !== 'HEAD')) return null
  const [location, ...others] = answer.values('location')
  if (location === undefined || others.length > 0 || !URL.canParse(location, from.url.href)) return null
  return new URL(location, from.url.href).href
}
