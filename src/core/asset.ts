import { code as iso4217 } from 'currency-codes'
import { BursarError } from './errors.ts'
import type { Asset } from './money.ts'

const MAX_DECIMALS = 9

/** The currency of wallets on a chain: Circle's dollar token. Which contract it is stands in the wallet's asset, a CAIP-19 id. */
export const USDC = 'USDC'

/**
 * The asset that an ISO 4217 code names, with its decimals from the published list.
 *
 * @throws `currency_mismatch` for a code that is not in the list, is not some country's money (`XAU`), or has more than nine decimals:
 * its amounts would not fit the database's exact sums.
 */
export function assetOf(currency: string): Asset {
  const found = /^[A-Z]{3}$/.test(currency) ? iso4217(currency) : undefined
  if (!found || found.countries.some((country) => country.startsWith('Zz')))
    throw new BursarError('currency_mismatch', 'A currency is an ISO 4217 code in capitals, such as USD.')
  if (found.digits > MAX_DECIMALS)
    throw new BursarError('currency_mismatch', 'An asset with more than nine decimals cannot be counted exactly.')
  return { code: found.code, decimals: found.digits }
}
