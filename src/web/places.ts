import { isIP } from 'node:net'
import { BursarError } from '../core/errors.ts'
import { isLoopback, isPublic } from './addresses.ts'

/** Where a request goes. */
export interface Place {
  /** Without fragment, user and password. */
  readonly url: Readonly<URL>
  /** The IP address in the URL, or what `localhost` means. Null: the host is a name, of which nothing is known yet. */
  readonly address: string | null
}

const URL_LENGTH_MAX = 2_000
/** As the WHATWG URL has them: the default port is no port. */
const PORTS: ReadonlySet<string> = new Set(['', '8443'])
/** RFC 6761 §6.3: these names are this machine, and no resolver is asked, which might say otherwise. */
const LOCALHOST = /^(?:.+\.)?localhost$/
/** RFC 1123 §2.1, and underscores; or an IPv6 address. The URL standard lets quotation marks and commas be part of a name. */
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/
const LOCALHOST_ADDRESS = '127.0.0.1'

/**
 * Reads a URL and checks all that can be checked of it alone. The WHATWG parser has only one spelling for each host, so
 * that `0x7f.1` is 127.0.0.1 here.
 *
 * @param loopback whether this machine itself may be asked
 * @throws BursarError `url_not_allowed`, whose message shows nothing of the URL
 */
export function placeOf(text: string, loopback: boolean): Place {
  if (text.length > URL_LENGTH_MAX) throw notAllowed('It is longer than 2,000 characters.')
  if (!URL.canParse(text)) throw notAllowed('It is not an absolute URL.')
  const url = new URL(text)
  url.hash = ''
  if (url.href.length > URL_LENGTH_MAX) throw notAllowed('It is longer than 2,000 characters.')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw notAllowed('It must begin with https.')
  if (url.username !== '' || url.password !== '') throw notAllowed('It may not hold a user or a password.')
  if (url.hostname.endsWith('.')) throw notAllowed('Its host may not end in a dot.')
  if (!HOST.test(url.hostname)) throw notAllowed('Its host is no name that a server has.')
  const address = addressIn(url.hostname)
  if (address !== null && isLoopback(address)) {
    if (!loopback) throw notAllowed('It leads to this machine itself.')
    return { url, address }
  }
  if (url.protocol !== 'https:') throw notAllowed('It must begin with https.')
  if (!PORTS.has(url.port)) throw notAllowed('Its port may only be 443 or 8443.')
  if (address !== null) mustBePublic([address])
  return { url, address }
}

/** @throws BursarError `url_not_allowed` unless every address of a host is public: one that is not may be the one that is meant. */
export function mustBePublic(addresses: readonly string[]): void {
  if (!addresses.every(isPublic)) throw notAllowed('Its host has an address that is not public.')
}

/** @throws BursarError `url_not_allowed` for a redirect from https to http. */
export function mustStaySecure(from: Place, to: Place): void {
  if (from.url.protocol === 'https:' && to.url.protocol !== 'https:')
    throw notAllowed('A redirect led from https to http.')
}

function addressIn(hostname: string): string | null {
  if (LOCALHOST.test(hostname)) return LOCALHOST_ADDRESS
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? null : bare
}

function notAllowed(reason: string): BursarError {
  return new BursarError('url_not_allowed', `This URL may not be asked. ${reason}`)
}
