import { customType, pgSchema } from 'drizzle-orm/pg-core'
import type * as Core from '../../core/types.ts'

export const bursar = pgSchema('bursar')

/** Rows travel as JSON both ways. Whole numbers of 16 digits and more come as texts, which JavaScript can read exactly. */
export const units = customType<{ data: bigint; driverData: number | string }>({
  dataType: () => 'bigint',
  fromDriver: (value) => BigInt(value),
  toDriver: (value) => value.toString(),
})
export const whole = customType<{ data: number; driverData: number | string }>({
  dataType: () => 'bigint',
  fromDriver: Number,
})
export const flag = customType<{ data: boolean; driverData: boolean }>({ dataType: () => 'boolean' })
/** `bytea`, as hexadecimal digits. */
export const bytes = customType<{ data: Buffer; driverData: string }>({
  dataType: () => 'bytea',
  fromDriver: (value) => Buffer.from(value.replace(/^\\x/, ''), 'hex'),
  toDriver: (value) => `\\x${value.toString('hex')}`,
})
export const json = customType<{ data: unknown; driverData: unknown }>({ dataType: () => 'jsonb' })

interface Tier {
  readonly upTo: bigint | null
}
/** JSON has no 64-bit integers: amounts within it are strings of digits. */
const unitsInside = <T extends Tier>(held: unknown): readonly T[] =>
  (held as T[]).map((tier) => (tier.upTo === null ? tier : { ...tier, upTo: BigInt(tier.upTo) }))
const digitsInside = (given: readonly Tier[]): unknown =>
  given.map((tier) => (tier.upTo === null ? tier : { ...tier, upTo: tier.upTo.toString() }))

export const tiers = customType<{ data: readonly Core.ApprovalTier[]; driverData: unknown }>({
  dataType: () => 'jsonb',
  fromDriver: (value) => unitsInside<Core.ApprovalTier>(value),
  toDriver: digitsInside,
})
export const confirmations = customType<{ data: readonly Core.ConfirmationTier[]; driverData: unknown }>({
  dataType: () => 'jsonb',
  fromDriver: (value) => unitsInside<Core.ConfirmationTier>(value),
  toDriver: digitsInside,
})
