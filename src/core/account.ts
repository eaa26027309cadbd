import { keccak_256 } from '@noble/hashes/sha3'
import { BursarError } from './errors.ts'
import { chainIdOf } from './network.ts'

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const ONE_CASE = /^0x(?:[0-9a-f]{40}|[0-9A-F]{40})$/
const ZERO = `0x${'0'.repeat(40)}`
/** How much of an address people look at: the first and last characters. */
const SEEN = 4

/** An account on a chain, as it is stored: `address` in EIP-55 form, `network` CAIP-2. */
export interface ChainAccount {
  readonly network: string
  readonly address: string
}

/**
 * An address in EIP-55 form. The checksum is computed for one that has none (all letters of one case) and required of any
 * other.
 *
 * @throws `argument_invalid`; for the zero address too, which nobody means
 */
export function addressOf(text: string): string {
  if (!ADDRESS.test(text)) throw invalid('An address is 0x and 40 hexadecimal digits.')
  const checksummed = checksum(text)
  if (!ONE_CASE.test(text) && checksummed !== text)
    throw invalid('The checksum of the address is wrong (EIP-55): a character of it was changed.')
  if (checksummed === ZERO) throw invalid('The zero address is nobody.')
  return checksummed
}

/**
 * An account from a CAIP-10 id or from a bare address.
 *
 * @param network where a bare address is, CAIP-2
 * @throws `argument_invalid`
 */
export function accountOf(text: string, network: string): ChainAccount {
  const parts = text.split(':')
  if (parts.length === 1) {
    chainIdOf(network)
    return { network, address: addressOf(text) }
  }
  const [namespace, reference, address = ''] = parts
  const id = `${namespace}:${reference}`
  chainIdOf(id)
  if (parts.length !== 3) throw invalid('An account is a CAIP-10 id such as eip155:8453:0x….')
  return { network: id, address: addressOf(address) }
}

/** CAIP-10. */
export function accountId({ network, address }: ChainAccount): string {
  return `${network}:${address}`
}

/** The address in a CAIP-10 id. */
export function addressIn(account: string): string {
  return account.slice(account.lastIndexOf(':') + 1)
}

/** What a hurried eye sees of an account: two that share it and are not the same look alike. */
export function shapeOf(account: string): string {
  const digits = addressIn(account).slice(2).toLowerCase()
  return `${digits.slice(0, SEEN)}…${digits.slice(-SEEN)}`
}

/** EIP-55. */
function checksum(address: string): string {
  const digits = address.slice(2).toLowerCase()
  const hash = Buffer.from(keccak_256(digits)).toString('hex')
  const mixed = Array.from(digits, (digit, i) =>
    Number.parseInt(hash.charAt(i), 16) >= 8 ? digit.toUpperCase() : digit,
  )
  return `0x${mixed.join('')}`
}

function invalid(message: string): BursarError {
  return new BursarError('argument_invalid', message)
}
