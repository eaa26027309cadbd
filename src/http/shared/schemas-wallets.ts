import { z } from '@hono/zod-openapi'
import type { Wallet } from '../../core/types.ts'
import { ALLOWANCES, ASSURANCES, SCOPES, WINDOWS } from '../../core/types.ts'
import { amount, count, id } from './fields.ts'
import { MODE, words } from './schemas.ts'

/** Wallets, their limits, and what was spent out of them. */

export const LIMIT = z
  .strictObject({
    limit_id: id('lim'),
    scope: z.enum(SCOPES),
    scope_value: z.string().nullable(),
    window: z.enum(WINDOWS),
    over: z.enum(['deny', 'ask']),
    max_amount: amount().nullable(),
    max_count: count().nullable(),
    remaining_amount: amount().nullable(),
    remaining_count: count().nullable(),
  })
  .openapi('Limit')

export const TIER = z
  .strictObject({
    up_to: amount().nullable().describe('Null: any amount. Rising, and the last one null.'),
    assurance: z.enum(ASSURANCES),
    owners: z.literal(2).optional().describe('Two different owners have to say yes.'),
  })
  .openapi('Tier')

const RELAYER = z
  .strictObject({ relayer: z.string(), daily_max: amount(), spent_today: amount(), held_today: amount() })
  .openapi('Relayer')

export const WALLET = z
  .strictObject({
    wallet_id: id('wal'),
    name: z.string(),
    mode: MODE,
    status: words<Wallet['status']>({ active: true, frozen: true }),
    currency: z.string(),
    available_amount: amount(),
    held_amount: amount(),
    time_zone: z.string(),
    asset: z.string().optional().describe('CAIP-19'),
    account: z.string().optional().describe('CAIP-10: where deposits go.'),
    relayer: RELAYER.optional(),
    confirmations: z.array(z.strictObject({ up_to: amount().nullable(), at: z.string() })).optional(),
    allows: z.array(z.enum(ALLOWANCES)).optional(),
    approvals: z.array(TIER).optional().describe('For the owner: what an approval has to be worth, by amount.'),
    limits: z.array(LIMIT),
  })
  .openapi('Wallet')

const share = { amount: amount(), count: count() }

export const SPENDING = z
  .strictObject({
    wallet_id: id('wal'),
    currency: z.string(),
    days: z.int(),
    by_day: z.array(z.strictObject({ day: z.iso.date(), ...share })).describe("Every day in the wallet's time zone."),
    by_agent: z.array(z.strictObject({ id: id('agt'), name: z.string(), ...share })).describe('The most first.'),
    by_payee: z.array(z.strictObject({ name: z.string(), ...share })).describe('The most first, at most 50.'),
    by_protocol: z.array(z.strictObject({ name: z.string(), ...share })),
  })
  .openapi('Spending', {
    description: 'What was captured less what was given back, by when the payment was authorized.',
  })
