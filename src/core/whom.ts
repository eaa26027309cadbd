import type { Attempt, Spending } from './decide.ts'
import { contractOf, networkOf } from './network.ts'
import { fold, payeeKey } from './payee.ts'
import { refusal } from './refusal.ts'
import type { Refusal } from './types.ts'

/** The rules about whom an instrument pays. */

/** A wallet pays on its own chain, and neither itself nor the token's contract, from which nothing comes back. */
export function networkAllowed({ instrument, wallet }: Spending, { payee }: Attempt): Refusal | null {
  if (wallet.asset !== null && payee.network !== networkOf(wallet.asset))
    return refusal('network_not_allowed', 'wallet.asset', `The wallet pays on ${networkOf(wallet.asset)}.`)
  return outside(instrument.constraints.networks, payee.network)
    ? refusal('network_not_allowed', 'instrument.constraints.networks', 'The network is not one the instrument allows.')
    : null
}

/** What is simply told to pay contacts nobody: an instrument that is held to origins pays only what they ask for. */
export function originAllowed({ instrument }: Spending, { payee }: Attempt): Refusal | null {
  return outside(instrument.constraints.origins, payee.origin)
    ? refusal('payee_not_allowed', 'instrument.constraints.origins', 'The payee is not one the instrument allows.')
    : null
}

export function categoryAllowed({ instrument }: Spending, { payee }: Attempt): Refusal | null {
  return outside(instrument.constraints.merchantCategories, payee.category)
    ? refusal(
        'merchant_category_not_allowed',
        'instrument.constraints.merchant_categories',
        payee.category === undefined
          ? 'The instrument is limited to some merchant categories, and the payee has none. Say payee.merchant_category.'
          : `Merchant category ${payee.category} is not one the instrument allows.`,
      )
    : null
}

export function payeeAllowed({ instrument }: Spending, { payee }: Attempt): Refusal | null {
  const allowed = instrument.constraints.payees?.map(fold)
  return outside(allowed, payee.name === undefined ? undefined : fold(payee.name))
    ? refusal('payee_not_allowed', 'instrument.constraints.payees', 'The payee is not one the instrument allows.')
    : null
}

export function addressAllowed({ instrument, wallet }: Spending, { payee }: Attempt): Refusal | null {
  const account = payee.address === undefined ? undefined : payeeKey(payee)
  if (account !== undefined && account === wallet.account)
    return refusal('address_not_allowed', 'wallet.account', 'The address is the account of the wallet itself.')
  if (wallet.asset !== null && payee.address === contractOf(wallet.asset))
    return refusal(
      'address_not_allowed',
      'wallet.asset',
      'The address is the contract of the token: what it gets is lost.',
    )
  return outside(instrument.constraints.addresses, account)
    ? refusal(
        'address_not_allowed',
        'instrument.constraints.addresses',
        'The address is not one the instrument allows.',
      )
    : null
}

export function countryAllowed({ instrument }: Spending, { payee }: Attempt): Refusal | null {
  return outside(instrument.constraints.countries, payee.country)
    ? refusal(
        'country_not_allowed',
        'instrument.constraints.countries',
        payee.country === undefined
          ? 'The instrument is limited to some countries, and the payee has none. Say payee.country.'
          : `The country ${payee.country} is not one the instrument allows.`,
      )
    : null
}

/** A list restricts, and what is unknown is outside it. */
function outside(allowed: readonly string[] | undefined, value: string | undefined): boolean {
  return allowed !== undefined && (value === undefined || !allowed.includes(value))
}
