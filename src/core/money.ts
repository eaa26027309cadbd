import { BursarError } from './errors.ts'

/** What an amount is counted in. `decimals` is the number of digits after the point of the smallest unit. */
export interface Asset {
  /** ISO 4217 code for money on cards (`USD`). */
  readonly code: string
  /** 0 to 9. */
  readonly decimals: number
}

/** An exact amount: whole smallest units (cents, yen) of one asset. Never a float. */
export interface Money {
  readonly units: bigint
  readonly asset: Asset
}

/**
 * The largest single amount, in smallest units. Any sum of 9,000 such amounts still fits the
 * 63 bits in which the database compares and adds.
 */
export const MAX_UNITS = 1_000_000_000_000_000n

const DECIMAL = /^(0|[1-9][0-9]{0,19})(?:\.([0-9]{1,9}))?$/

/**
 * Reads a decimal string such as `"49.00"` as exact units.
 *
 * @throws `amount_invalid` for a sign, exponent, spaces, digits other than 0-9, leading zeros,
 * more decimals than the asset has, more than 20 integer digits, zero, or more than {@link MAX_UNITS}.
 */
export function parse(text: string, asset: Asset): Money {
  const money = parseAny(text, asset)
  if (money.units === 0n) throw invalid('An amount must be more than zero.')
  return money
}

/** As {@link parse}, but zero is an amount too: for limits that allow nothing. */
export function parseAny(text: string, asset: Asset): Money {
  const match = DECIMAL.exec(text)
  if (!match) throw invalid('An amount is a plain decimal string such as "49.00".')
  const [, whole = '', fraction = ''] = match
  if (fraction.length > asset.decimals)
    throw invalid(`${asset.code} has ${asset.decimals} decimals; the amount has ${fraction.length}.`)
  const units = BigInt(whole + fraction.padEnd(asset.decimals, '0'))
  if (units > MAX_UNITS)
    throw invalid(`The largest single amount is ${format({ units: MAX_UNITS, asset })} ${asset.code}.`)
  return { units, asset }
}

/** The decimal string with all decimals of the asset: `4900n` USD is `"49.00"`. Exact inverse of {@link parse}. */
export function format(money: Money): string {
  return formatUnits(money.units, money.asset.decimals)
}

/** As {@link format}, for units whose asset is known by its decimals alone. */
export function formatUnits(units: bigint, decimals: number): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0')
  if (decimals === 0) return sign + digits
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** Units of a string written by {@link format}, which always carries every decimal. For journal events, not for input. */
export function unitsOf(formatted: string): bigint {
  return BigInt(formatted.replace('.', ''))
}

/** @throws TypeError on two assets: a bug, never a user's mistake. */
export function add(a: Money, b: Money): Money {
  return { units: a.units + same(a, b).units, asset: a.asset }
}

/** @throws TypeError on two assets. */
export function subtract(a: Money, b: Money): Money {
  return { units: a.units - same(a, b).units, asset: a.asset }
}

/** Negative, zero or positive, as `Array.sort` wants it. @throws TypeError on two assets. */
export function compare(a: Money, b: Money): number {
  const difference = a.units - same(a, b).units
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function same(a: Money, b: Money): Money {
  if (a.asset.code !== b.asset.code || a.asset.decimals !== b.asset.decimals)
    throw new TypeError(`Cannot mix ${a.asset.code} and ${b.asset.code}.`)
  return b
}

function invalid(message: string): BursarError {
  return new BursarError('amount_invalid', message)
}
