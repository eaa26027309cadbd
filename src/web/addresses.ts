import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * All of IPv6 that is handed out for public use (IANA, "Internet Protocol Version 6 Address Space"; RFC 4291 §2.4). What is
 * outside of it is unassigned or special, such as the deprecated `::127.0.0.1`, and ipaddr.js does not know all of it.
 */
const [GLOBAL, GLOBAL_BITS] = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Whether an address is one of the public internet: unicast, and in no block of IANA's special-purpose registries for IPv4
 * and IPv6 (RFC 6890), which include every way to write one address inside of another. What is no address is not.
 */
export function isPublic(address: string): boolean {
  const parsed = parse(address)
  if (parsed?.range() !== 'unicast') return false
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL, GLOBAL_BITS)
}

/** Whether an address is this machine itself, written plainly: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return parse(address)?.range() === 'loopback'
}

/** Null for what is no address in its usual spelling, or one of a zone: ipaddr.js alone would read `0177.1` as one. */
function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const isUsual = isIP(address) !== 0 && !address.includes('%')
  return isUsual && ipaddr.isValid(address) ? ipaddr.parse(address) : null
}
