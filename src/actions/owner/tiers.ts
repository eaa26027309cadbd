import { BursarError } from '../../core/errors.ts'
import type { Asset } from '../../core/money.ts'
import { parse } from '../../core/money.ts'

/**
 * Up to which amounts tiers hold, in units; null for the last one, which holds for any.
 *
 * @param what the tiers are, for people
 * @throws `argument_invalid` unless they rise and the last one alone is for any amount; `amount_invalid`
 */
export function boundsOf(
  tiers: readonly { readonly up_to: string | null }[],
  asset: Asset,
  what: string,
): readonly (bigint | null)[] {
  const bounds = tiers.map(({ up_to }) => (up_to === null ? null : parse(up_to, asset).units))
  const rising = bounds.every((bound, i) => {
    const before = i === 0 ? 0n : bounds[i - 1]
    return before !== null && before !== undefined && (bound === null || bound > before)
  })
  if (!rising || bounds.at(-1) !== null)
    throw new BursarError('argument_invalid', `${what} rise by amount and end with one for any amount.`)
  return bounds
}
