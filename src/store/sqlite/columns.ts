import { customType } from 'drizzle-orm/sqlite-core'
import type * as Core from '../../core/types.ts'

/** Integers come back as `bigint` (safeIntegers): amounts stay so, counts and times become numbers. */
export const units = customType<{ data: bigint; driverData: bigint }>({ dataType: () => 'integer' })
export const whole = customType<{ data: number; driverData: bigint | number }>({
  dataType: () => 'integer',
  fromDriver: Number,
})
export const flag = customType<{ data: boolean; driverData: bigint | number }>({
  dataType: () => 'integer',
  fromDriver: (value) => value !== 0n,
  toDriver: (value) => (value ? 1 : 0),
})
export const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'blob' })
export const json = customType<{ data: unknown; driverData: string }>({
  dataType: () => 'text',
  fromDriver: (value) => JSON.parse(value),
  toDriver: (value) => JSON.stringify(value),
})
/** JSON has no 64-bit integers: amounts within it are strings of digits. */
const unitsInside = (name: string, held: unknown): unknown =>
  name === 'upTo' && held !== null ? BigInt(String(held)) : held
const digitsInside = (_name: string, given: unknown): unknown => (typeof given === 'bigint' ? `${given}` : given)
export const tiers = customType<{ data: readonly Core.ApprovalTier[]; driverData: string }>({
  dataType: () => 'text',
  fromDriver: (value) => JSON.parse(value, unitsInside),
  toDriver: (value) => JSON.stringify(value, digitsInside),
})

export const confirmations = customType<{ data: readonly Core.ConfirmationTier[]; driverData: string }>({
  dataType: () => 'text',
  fromDriver: (value) => JSON.parse(value, unitsInside),
  toDriver: (value) => JSON.stringify(value, digitsInside),
})
