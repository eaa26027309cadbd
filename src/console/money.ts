import { formatUnits, parseAny, unitsOf } from '../core/money.ts'

/** Decimal strings go in and come out; sums are of whole smallest units. */

/** How many decimals the currency of this amount has: amounts from the server carry all of them. */
export function decimalsOf(amount: string): number {
  return amount.split('.')[1]?.length ?? 0
}

/** What somebody typed, with all decimals of the currency. @throws `amount_invalid` */
export function typed(text: string, like: string): string {
  const decimals = decimalsOf(like)
  return formatUnits(parseAny(text.trim(), { code: 'The currency', decimals }).units, decimals)
}

export function minus(a: string, b: string): string {
  return formatUnits(unitsOf(a) - unitsOf(b), decimalsOf(a))
}

export function isMore(a: string, b: string): boolean {
  return unitsOf(a) > unitsOf(b)
}

export function isZero(amount: string): boolean {
  return unitsOf(amount) === 0n
}

export function total(amounts: readonly string[]): string {
  const decimals = decimalsOf(amounts[0] ?? '0')
  return formatUnits(
    amounts.reduce((sum, amount) => sum + unitsOf(amount), 0n),
    decimals,
  )
}

/** For the length of a bar and nothing else: a number that is near enough. */
export function forDrawing(amount: string): number {
  return Number(amount)
}
