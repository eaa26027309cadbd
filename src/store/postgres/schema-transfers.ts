import { text } from 'drizzle-orm/pg-core'
import type * as Core from '../../core/types.ts'
import { bursar, units, whole } from './columns.ts'

/** What the rail `usdc` keeps, as `drizzle/postgres` makes it. */
export const transfers = bursar.table('transfers', {
  paymentId: text('payment_id').primaryKey(),
  walletId: text('wallet_id').notNull(),
  asset: text('asset').notNull(),
  from: text('from_address').notNull(),
  to: text('to_address').notNull(),
  value: units('value').notNull(),
  validBefore: whole('valid_before').notNull(),
  nonce: text('nonce').notNull(),
  signature: text('signature').notNull(),
  fromBlock: whole('from_block').notNull(),
  status: text('status').$type<Core.Transfer['status']>().notNull(),
  txHash: text('tx_hash'),
  block: whole('block'),
  voidProof: whole('void_proof'),
  signedAt: whole('signed_at').notNull(),
  kind: text('kind').$type<Core.Transfer['kind']>().notNull(),
  facilitator: text('facilitator'),
  moved: units('moved'),
})

export const purchases = bursar.table('purchases', {
  paymentId: text('payment_id').primaryKey(),
  resourceRef: text('resource_ref').notNull(),
  value: units('value'),
  version: whole('version').$type<Core.Proof['version']>(),
  flow: text('flow'),
  header: text('header'),
  httpStatus: whole('http_status'),
  deliveredAt: whole('delivered_at'),
  facilitator: text('facilitator'),
})

export const broadcasts = bursar.table('broadcasts', {
  txHash: text('tx_hash').primaryKey(),
  relayer: text('relayer').notNull(),
  relayerNonce: whole('relayer_nonce').notNull(),
  paymentId: text('payment_id'),
  raw: text('raw').notNull(),
  maxFee: units('max_fee').notNull(),
  fee: units('fee'),
  day: text('day').notNull(),
  createdAt: whole('created_at').notNull(),
})

export const relayers = bursar.table('relayers', {
  id: text('id').primaryKey(),
  dailyMax: units('daily_max').notNull(),
})

export const fee_days = bursar.table('fee_days', {
  relayer: text('relayer').notNull(),
  day: text('day').notNull(),
  held: units('held').notNull(),
  spent: units('spent').notNull(),
})

export const deposits = bursar.table('deposits', {
  walletId: text('wallet_id').notNull(),
  txHash: text('tx_hash').notNull(),
  position: whole('position').notNull(),
  amount: units('amount').notNull(),
  from: text('from_address').notNull(),
  block: whole('block').notNull(),
  seq: whole('seq').notNull(),
})

export const scans = bursar.table('scans', {
  walletId: text('wallet_id').primaryKey(),
  block: whole('block').notNull(),
})

export const known_payees = bursar.table('known_payees', {
  walletId: text('wallet_id').notNull(),
  account: text('account').notNull(),
  shape: text('shape').notNull(),
  payments: whole('payments').notNull(),
})
