import { randomInt } from 'node:crypto'

/** A range that card networks keep for tests: no bank issues it, so a leaked number is worth nothing. */
const TEST_BIN = '400000'
const LENGTH = 16

/** A made-up card number in the test range, with a valid Luhn digit. Never leaves the issuer's own file. */
export function testPan(): string {
  const serial = randomInt(10 ** (LENGTH - TEST_BIN.length - 1))
  const digits = TEST_BIN + String(serial).padStart(LENGTH - TEST_BIN.length - 1, '0')
  return digits + ((10 - (luhnSum(`${digits}0`) % 10)) % 10)
}

/** Sum of ISO/IEC 7812-1 annex B: a multiple of ten for a valid number. */
export function luhnSum(digits: string): number {
  return Array.from(digits)
    .reverse()
    .map((digit, place) => (place % 2 === 0 ? Number(digit) : Number(digit) * 2))
    .reduce((sum, value) => sum + (value > 9 ? value - 9 : value), 0)
}
