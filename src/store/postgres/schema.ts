import { text } from 'drizzle-orm/pg-core'
import type { StoredPayment, TableName, Tables } from '../../core/tables.ts'
import type * as Core from '../../core/types.ts'
import { bursar, bytes, confirmations, flag, json, tiers, units, whole } from './columns.ts'
import { answers, credentials, invitations, notice_cursors, passkeys } from './schema-identity.ts'
import {
  broadcasts,
  deposits,
  fee_days,
  known_payees,
  purchases,
  relayers,
  scans,
  transfers,
} from './schema-transfers.ts'

/** The tables as `drizzle/postgres` makes them. The migrations are the truth (checks, triggers); a test compares. */
export const instance = bursar.table('instance', {
  id: text('id').primaryKey(),
  createdAt: whole('created_at').notNull(),
  frozen: flag('frozen').notNull(),
})

export const owners = bursar.table('owners', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  publicKey: text('public_key').notNull(),
  createdAt: whole('created_at').notNull(),
})

export const agents = bursar.table('agents', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  keyHash: text('key_hash'),
  status: text('status').$type<Core.Agent['status']>().notNull(),
  createdAt: whole('created_at').notNull(),
})

export const wallets = bursar.table('wallets', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  ownerId: text('owner_id').notNull(),
  agentId: text('agent_id'),
  mode: text('mode').$type<Core.Wallet['mode']>().notNull(),
  currency: text('currency').notNull(),
  decimals: whole('decimals').notNull(),
  timeZone: text('time_zone').notNull(),
  status: text('status').$type<Core.Wallet['status']>().notNull(),
  approvals: tiers('approvals').notNull(),
  createdAt: whole('created_at').notNull(),
  asset: text('asset'),
  account: text('account'),
  relayer: text('relayer'),
  confirmations: confirmations('confirmations').notNull(),
  allows: json('allows').$type<readonly Core.Allowance[]>().notNull(),
})

export const accounts = bursar.table('accounts', {
  walletId: text('wallet_id').primaryKey(),
  available: units('available').notNull(),
  held: units('held').notNull(),
  external: units('external').notNull(),
  overdrawn: units('overdrawn').notNull(),
})

export const entries = bursar.table('entries', {
  journal: text('journal').notNull(),
  seq: whole('seq').notNull(),
  n: whole('n').notNull(),
  walletId: text('wallet_id').notNull(),
  paymentId: text('payment_id'),
  kind: text('kind').$type<Core.Entry['kind']>().notNull(),
  debit: text('debit').$type<Core.Account>().notNull(),
  credit: text('credit').$type<Core.Account>().notNull(),
  amount: units('amount').notNull(),
})

export const limits = bursar.table('limits', {
  id: text('id').primaryKey(),
  walletId: text('wallet_id').notNull(),
  scope: text('scope').$type<Core.Scope>().notNull(),
  scopeValue: text('scope_value'),
  window: text('window').$type<Core.Window>().notNull(),
  maxAmount: units('max_amount'),
  maxCount: whole('max_count'),
  over: text('over').$type<Core.Limit['over']>().notNull(),
  createdAt: whole('created_at').notNull(),
  removedAt: whole('removed_at'),
})

export const counters = bursar.table('counters', {
  limitId: text('limit_id').notNull(),
  scopeValue: text('scope_value').notNull(),
  windowKey: text('window_key').notNull(),
  amount: units('amount').notNull(),
  count: whole('count').notNull(),
  forced: units('forced').notNull(),
})

export const approvals = bursar.table('approvals', {
  id: text('id').primaryKey(),
  subjectId: text('subject_id').notNull(),
  walletId: text('wallet_id').notNull(),
  digest: text('digest').notNull(),
  needs: text('needs').$type<Core.Assurance>().notNull(),
  status: text('status').$type<Core.Approval['status']>().notNull(),
  asked: text('asked'),
  assurance: text('assurance').$type<Core.Assurance>(),
  createdAt: whole('created_at').notNull(),
  expiresAt: whole('expires_at').notNull(),
  answeredAt: whole('answered_at'),
  reasonRef: text('reason_ref'),
  owners: whole('owners').notNull(),
})

export const requests = bursar.table('requests', {
  id: text('id').primaryKey(),
  walletId: text('wallet_id').notNull(),
  agentId: text('agent_id').notNull(),
  sessionId: text('session_id').notNull(),
  taskId: text('task_id'),
  currency: text('currency').notNull(),
  type: text('type').$type<Core.InstrumentType>().notNull(),
  amount: units('amount').notNull(),
  usageLimit: whole('usage_limit'),
  perPaymentMax: units('per_payment_max'),
  expiresInMs: whole('expires_in_ms').notNull(),
  constraints: json('constraints').$type<Core.Constraints>().notNull(),
  purposeRef: text('purpose_ref').notNull(),
  status: text('status').$type<Core.Request['status']>().notNull(),
  refusal: json('refusal').$type<Core.Refusal>(),
  instrumentId: text('instrument_id'),
  createdAt: whole('created_at').notNull(),
  fingerprint: text('fingerprint').notNull(),
})

export const instruments = bursar.table('instruments', {
  id: text('id').primaryKey(),
  requestId: text('request_id').notNull(),
  walletId: text('wallet_id').notNull(),
  agentId: text('agent_id').notNull(),
  type: text('type').$type<Core.InstrumentType>().notNull(),
  amount: units('amount').notNull(),
  remaining: units('remaining').notNull(),
  usageLimit: whole('usage_limit'),
  usageConsumed: whole('usage_consumed').notNull(),
  perPaymentMax: units('per_payment_max'),
  constraints: json('constraints').$type<Core.Constraints>().notNull(),
  expiresAt: whole('expires_at').notNull(),
  status: text('status').$type<Core.Instrument['status']>().notNull(),
  railRef: text('rail_ref'),
  display: text('display'),
  railStatus: text('rail_status').$type<Core.RailStatus>(),
  createdAt: whole('created_at').notNull(),
})

export const payments = bursar.table('payments', {
  id: text('id').primaryKey(),
  walletId: text('wallet_id'),
  instrumentId: text('instrument_id'),
  agentId: text('agent_id').notNull(),
  sessionId: text('session_id').notNull(),
  taskId: text('task_id'),
  protocol: text('protocol').notNull(),
  status: text('status').$type<StoredPayment['status']>().notNull(),
  amount: units('amount'),
  held: units('held').notNull(),
  captured: units('captured').notNull(),
  refunded: units('refunded').notNull(),
  forced: units('forced').notNull(),
  payee: json('payee').$type<Core.Payee>().notNull(),
  payeeKey: text('payee_key').notNull(),
  purposeRef: text('purpose_ref').notNull(),
  fingerprint: text('fingerprint').notNull(),
  idempotencyKey: text('idempotency_key'),
  refusal: json('refusal').$type<Core.Refusal>(),
  counted: json('counted').$type<readonly Core.CounterKey[]>().notNull(),
  validUntil: whole('valid_until').notNull(),
  railRef: text('rail_ref'),
  refundAsked: json('refund_asked').$type<Core.RefundAsked>(),
  createdAt: whole('created_at').notNull(),
  authorizedAt: whole('authorized_at'),
  updatedAt: whole('updated_at').notNull(),
  seq: whole('seq').notNull(),
  credentials: json('credentials').$type<readonly string[]>().notNull(),
})

export const rails = bursar.table('rails', {
  id: text('id').$type<Core.InstrumentType>().primaryKey(),
  cursor: text('cursor').notNull(),
})

export const events = bursar.table('events', {
  journal: text('journal').notNull(),
  seq: whole('seq').notNull(),
  type: text('type').notNull(),
  /** Null once it was archived. */
  body: text('body'),
  leaf: bytes('leaf').notNull(),
})

export const heads = bursar.table('heads', {
  journal: text('journal').primaryKey(),
  size: whole('size').notNull(),
  frontier: bytes('frontier').notNull(),
  checkpoint: text('checkpoint').notNull(),
  mac: bytes('mac').notNull(),
})

export const texts = bursar.table('texts', {
  digest: text('digest').primaryKey(),
  salt: text('salt').notNull(),
  text: text('text'),
})

/** The tables that events rebuild, by the names that {@link Tables} gives them. */
export const READINGS = {
  instance,
  owners,
  agents,
  wallets,
  accounts,
  entries,
  limits,
  counters,
  requests,
  instruments,
  payments,
  purchases,
  approvals,
  rails,
  transfers,
  broadcasts,
  relayers,
  fee_days,
  deposits,
  scans,
  known_payees,
  credentials,
  passkeys,
  invitations,
  answers,
  notice_cursors,
} as const satisfies { readonly [T in TableName]: { readonly $inferSelect: Tables[T] } }
