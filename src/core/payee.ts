import { iso31661Alpha2ToAlpha3 } from 'iso-3166'
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
 * The payee that is decided on, stored and sent: clean name, one ISO 18245 category, ISO 3166 country.
 *
 * @throws `argument_invalid` when nothing names the payee, or a category or country does not exist.
 */
export function payeeOf(input: PayeeInput): Payee {
  const name = input.name === undefined ? undefined : plain(input.name, NAME_MAX)
  const address = input.address === undefined ? undefined : plain(input.address, NAME_MAX)
  if (!name && !address) throw new BursarError('argument_invalid', 'payee needs a name or an address.')
  return {
    ...(name && { name }),
    ...(input.merchant_category !== undefined && { category: categoryOf(input.merchant_category) }),
    ...(input.country !== undefined && { country: countryOf(input.country) }),
    ...(address && { address }),
    ...(input.network !== undefined && { network: plain(input.network, NAME_MAX) }),
  }
}

/** An ISO 3166-1 alpha-2 code. @throws `argument_invalid` for one that is not assigned. */
export function countryOf(text: string): string {
  const code = text.toUpperCase()
  if (!Object.hasOwn(iso31661Alpha2ToAlpha3, code))
    throw new BursarError('argument_invalid', 'country is an ISO 3166-1 code of two letters, such as US.')
  return code
}

/** What limits and constraints compare payees by: the address where there is one, else the folded name. */
export function payeeKey(payee: Payee): string {
  if (payee.address !== undefined) return `address:${payee.network ?? ''}:${payee.address}`
  return `name:${fold(payee.name ?? '')}`
}

/** A name without case, accents' encoding, and repeated or surrounding space. */
export function fold(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
}
