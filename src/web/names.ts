import { BursarError } from '../core/errors.ts'
import { mustBePublic, type Place } from './places.ts'
import { type Gate, gateOf, until } from './time.ts'

/** As `lookup` of node:dns/promises. */
export type Lookup = (name: string, options: { readonly all: true }) => Promise<readonly { readonly address: string }[]>

/** @throws BursarError `url_not_allowed`, `seller_unavailable`; the signal's reason where that comes first */
export type AddressOf = (place: Place, signal: AbortSignal) => Promise<string>

/**
 * How many names are looked up at a time. The system's resolver takes one of Node's four threads until it has an answer,
 * and whoever owns a name decides when that is: files and compression need the other threads.
 */
const LOOKUPS_MAX = 2

/** Gives every visit its own {@link AddressOf}: once it said an address for a name, it never says another. */
export function namesOf(lookup: Lookup): () => AddressOf {
  const gate = gateOf(LOOKUPS_MAX)
  return () => {
    const pins = new Map<string, Promise<string>>()

    function pin(name: string, signal: AbortSignal): Promise<string> {
      const found = publicAddress(gate, lookup, name, signal)
      pins.set(name, found)
      // A failure is no answer, and nothing was asked there: it may be looked up again.
      found.catch(() => pins.delete(name))
      return found
    }

    return async ({ url: { hostname }, address }, signal) =>
      address ?? until(signal, pins.get(hostname) ?? pin(hostname, signal))
  }
}

async function publicAddress(gate: Gate, lookup: Lookup, name: string, signal: AbortSignal): Promise<string> {
  const addresses = await gate(signal, () => addressesOf(lookup, name))
  const [first] = addresses
  if (first === undefined) throw unknown()
  mustBePublic(addresses)
  return first
}

async function addressesOf(lookup: Lookup, name: string): Promise<readonly string[]> {
  try {
    const found = await lookup(name, { all: true })
    return found.map(({ address }) => address)
  } catch {
    // The resolver's words may tell of the network here.
    throw unknown()
  }
}

function unknown(): BursarError {
  return new BursarError('seller_unavailable', 'The name of the seller has no address now.')
}
