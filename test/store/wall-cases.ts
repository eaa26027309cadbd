import type { Allowed, Case } from './wall.ts'
import { ALLOWED_ASKS, ASKS } from './wall-asks.ts'
import { BOOKS } from './wall-books.ts'
import { ALLOWED_ON_CHAIN, ON_CHAIN } from './wall-chain.ts'
import { ALLOWED_CHARGED, CHARGED } from './wall-charged.ts'
import { ALLOWED_CREDENTIALS, CREDENTIALS } from './wall-credentials.ts'
import { ALLOWED_KEPT, KEPT } from './wall-kept.ts'
import { LIMITS } from './wall-limits.ts'
import { ALLOWED_OWNERS, OWNERS } from './wall-owners.ts'
import { ALLOWED_APPROVED, ALLOWED_PAYMENT, PAYMENTS } from './wall-payments.ts'
import { ALLOWED_PURCHASES, PURCHASES } from './wall-purchases.ts'
import { ALLOWED_RULES, RULES } from './wall-rules.ts'
import { ALLOWED_INSTRUMENT, NARROWER_INSTRUMENT, TERMS } from './wall-terms.ts'
import { ALLOWED_TRANSFERS, TRANSFERS } from './wall-transfers.ts'
import { ALLOWED_UPTO, UPTO } from './wall-upto.ts'
import { ALLOWED_BY_X402, BY_X402 } from './wall-x402.ts'

/** Each of them is refused by its own wall and by nothing else. */
export const CHAIN_CASES: ReadonlySet<Case> = new Set([
  ...TRANSFERS,
  ...UPTO,
  ...ON_CHAIN,
  ...PURCHASES,
  ...BY_X402,
  ...CHARGED,
])

/** What no store lets pass. */
export const CASES: readonly Case[] = [
  ...[BOOKS, LIMITS, TERMS, PAYMENTS, CREDENTIALS, OWNERS, ASKS, RULES, KEPT].flat(),
  ...CHAIN_CASES,
]

/** What every store lets pass. */
export const ALLOWED: readonly Allowed[] = [
  ...[ALLOWED_PAYMENT, ALLOWED_APPROVED, ALLOWED_INSTRUMENT, NARROWER_INSTRUMENT],
  ...ALLOWED_TRANSFERS,
  ...ALLOWED_UPTO,
  ...ALLOWED_ON_CHAIN,
  ...ALLOWED_PURCHASES,
  ...ALLOWED_BY_X402,
  ...ALLOWED_CREDENTIALS,
  ...ALLOWED_CHARGED,
  ...ALLOWED_OWNERS,
  ...ALLOWED_ASKS,
  ...ALLOWED_RULES,
  ...ALLOWED_KEPT,
]
export { ALLOWED_PAYMENT }
