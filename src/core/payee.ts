import { iso31661Alpha2ToAlpha3 } from 'iso-3166'
import { accountId, accountOf } from './account.ts'
import { categoryOf } from './category.ts'
import { BursarError } from './errors.ts'
import { plain } from './text.ts'
import type { Payee } from './types.ts'

const NAME_MAX = 100

/** A payee as a caller writes it. */
export interface PayeeInput {
  readonly name?: string | undefined
  readonly merchant_category?: string | undefined
  readonly country?: string | undefined
  readonly address?: string | undefined
  readonly network?: string | undefined
}

/**
 * The merchant that is decided on, stored and sent: clean name, one ISO 18245 category, ISO 3166 country.
 *
 * @throws `argument_invalid` when nothing names the merchant, or a category or country does not exist.
 */
export function merchantOf(input: PayeeInput): Payee {
  const name = input.name === undefined ? '' : plain(input.name, NAME_MAX)
  if (name === '' || input.address !== undefined || input.network !== undefined)
    throw new BursarError('argument_invalid', 'A card pays a merchant by payee.name, not an address on a network.')
  return {
    name,
    ...(input.merchant_category !== undefined && { category: categoryOf(input.merchant_category) }),
    ...(input.country !== undefined && { country: countryOf(input.country) }),
  }
}

/**
 * The account on a chain that is decided on, stored and paid. A name beside it is the agent's label, and decides nothing.
 *
 * @param network where an address without one is, CAIP-2
 * @throws `argument_invalid` when there is no address, its checksum is wrong, or two networks are named
 */
export function accountPayeeOf(input: PayeeInput, network: string): Payee {
  if (input.address === undefined)
    throw new BursarError('argument_invalid', 'USDC pays an address: payee.address, 0x… or a CAIP-10 id.')
  const account = accountOf(input.address, input.network ?? network)
  if (input.network !== undefined && account.network !== input.network)
    throw new BursarError('argument_invalid', 'payee.address and payee.network name two networks.')
  const name = input.name === undefined ? '' : plain(input.name, NAME_MAX)
  return { ...(name !== '' && { name }), ...account }
}

/** An ISO 3166-1 alpha-2 code. @throws `argument_invalid` for one that is not assigned. */
export function countryOf(text: string): string {
  const code = text.toUpperCase()
  if (!Object.hasOwn(iso31661Alpha2ToAlpha3, code))
    throw new BursarError('argument_invalid', 'country is an ISO 3166-1 code of two letters, such as US.')
  return code
}

/** What limits and constraints compare payees by: the account (CAIP-10) where there is one, the origin, or the folded name. */
export function payeeKey({ address, network, origin, ...payee }: Payee): string {
  if (address !== undefined && network !== undefined) return accountId({ network, address })
  if (origin !== undefined) return origin
  return `name:${fold(payee.name ?? '')}`
}

/**
 * A web origin (RFC 6454) from a URL, or from a host alone: `https://api.example.com`.
 *
 * @throws `argument_invalid`
 */
export function originOf(text: string): string {
  const url = text.includes('://') ? text : `https://${text}`
  const { protocol, origin, username, password } = URL.canParse(url) ? new URL(url) : NO_URL
  if (!['https:', 'http:'].includes(protocol) || username !== '' || password !== '')
    throw new BursarError('argument_invalid', 'An origin is https:// and a host, such as https://api.example.com.')
  return origin
}

const NO_URL = { protocol: '', origin: '', username: '', password: '' }

/** A name without case, accents' encoding, and repeated or surrounding space. */
export function fold(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
}
