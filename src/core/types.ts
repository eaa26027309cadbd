/**
 * The plain facts that bursar keeps. Each interface is one table's row and what its events rebuild.
 * Amounts are `bigint` units of the wallet's asset, times are milliseconds since the epoch (UTC), ids are typed strings.
 */
export type * from './types/approval.ts'
export * from './types/identity.ts'
export type * from './types/instrument.ts'
export * from './types/limit.ts'
export type * from './types/payment.ts'
export type * from './types/purchase.ts'
export * from './types/transfer.ts'
export * from './types/wallet.ts'
