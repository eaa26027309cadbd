import { BlockList, isIP } from 'node:net'
import { BursarError } from '../core/errors.ts'
import type { Client } from './shared/client.ts'

/** By which addresses the server is reached, and whom it believes. */
export interface Access {
  /** `https://pay.example.com`; the first is what links are made with. */
  readonly origins: readonly string[]
  /** Whether TLS ends at a proxy before this server: then its X-Forwarded headers are believed, and nobody else's. */
  readonly behindProxy: boolean
}

/** What the socket and the headers say. */
export interface Arrival {
  readonly peer: string
  readonly encrypted: boolean
  header(name: string): string | null
}

const LOCAL = new BlockList()
LOCAL.addSubnet('127.0.0.0', 8)
LOCAL.addAddress('::1', 'ipv6')
const PRIVATE = new BlockList()
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(net, bits)
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

const FORWARDED = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']

export function isLoopback(address: string): boolean {
  return isIn(LOCAL, address)
}

function isIn(list: BlockList, address: string): boolean {
  const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address.replace(/%.*$/, '')
  const family = isIP(plain)
  return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}

/**
 * Who asks, and at which of our addresses. A name that is not ours is refused, whatever it resolves to: a page of another
 * site could have it point here (DNS rebinding). So is what a page of another site sends.
 *
 * @throws `forbidden`
 */
export function admitted({ origins, behindProxy }: Access, { peer, encrypted, header }: Arrival): Client {
  const local = isLoopback(peer)
  const forwarded = FORWARDED.some((name) => header(name) !== null)
  if (forwarded && !behindProxy)
    throw new BursarError(
      'forbidden',
      'There is a proxy in front of this server: it has to be started with --behind-proxy.',
    )
  if (behindProxy && !local && !(forwarded && isIn(PRIVATE, peer)))
    throw new BursarError('forbidden', 'Only the proxy in front of this server may ask it.')
  const scheme = forwarded ? lastOf(header('x-forwarded-proto')) : encrypted ? 'https' : 'http'
  const host = (forwarded ? lastOf(header('x-forwarded-host')) : null) ?? header('host')
  const origin = origins.find((one) => one === `${scheme}://${host?.toLowerCase()}`)
  if (origin === undefined) throw new BursarError('forbidden', 'This server is not known by that name.')
  const from = header('origin')
  if (from !== null && !origins.includes(from)) throw new BursarError('forbidden', 'Another site may not ask this one.')
  const said = forwarded ? lastOf(header('x-forwarded-for')) : null
  const address = said !== null && isIP(said) !== 0 ? said : peer
  return { address, secure: scheme === 'https' || (local && !behindProxy), origin }
}

/** What the nearest proxy added. What is before it came with the request. */
function lastOf(value: string | null): string | null {
  return value === null ? null : (value.split(',').at(-1) as string).trim()
}
