import { z } from '@hono/zod-openapi'
import { AGENT_SCOPES, ASSURANCES, SCOPES, WINDOWS } from '../../core/types.ts'
import { sentAmount, sentId, text } from './fields.ts'
import { INSTRUMENT_TYPE, MODE } from './schemas.ts'

/**
 * What may be sent. An argument that is not named here is refused. The arguments of agents are those of the MCP tools; a test
 * compares the two.
 */

const VALUE_MAX = 200
const LIST_MAX = 50

const values = () => text(VALUE_MAX).array().max(LIST_MAX).optional()

export const REQUEST_BODY = z
  .strictObject({
    type: INSTRUMENT_TYPE,
    amount: sentAmount().describe('Total, such as "49.00"'),
    currency: text(8),
    usage_limit: z.int().min(1).max(1_000_000).optional().describe('Number of payments'),
    per_payment_max: sentAmount().optional(),
    expires_in: text(16).describe('30d, 12h or 45m'),
    purpose: text(500).describe('What for; the human reads it'),
    constraints: z
      .strictObject({
        merchant_categories: values().describe('codes (5734) or names'),
        payees: values(),
        origins: values(),
        addresses: values(),
        networks: values(),
        protocols: values(),
        countries: values(),
      })
      .optional()
      .describe('Whom it may pay'),
    task_id: text(100).optional(),
  })
  .openapi('RequestInput')

export const PAY_BODY = z
  .strictObject({
    instrument_id: sentId(),
    amount: sentAmount().describe('"49.00", in the instrument\'s currency'),
    payee: z
      .strictObject({
        name: text(VALUE_MAX).optional(),
        merchant_category: text(VALUE_MAX).optional(),
        country: text(VALUE_MAX).optional().describe('such as US'),
        address: text(VALUE_MAX).optional(),
        network: text(VALUE_MAX).optional(),
      })
      .describe('Name or address of who is really paid'),
    purpose: text(500).describe('What is bought'),
    task_id: text(100).optional(),
    idempotency_key: text(255).optional().describe('As the header Idempotency-Key'),
  })
  .openapi('PaymentInput')

export const FETCH_BODY = z
  .strictObject({
    instrument_id: sentId(),
    url: text(2_000),
    method: text(10).optional().describe('GET unless given'),
    headers: z.record(text(64), text(1_000)).optional(),
    body: text(100_000).optional(),
    max_amount: sentAmount().describe('The most to pay, such as "0.10"; "0" only asks for the price'),
    purpose: text(500).describe('What is bought'),
    task_id: text(100).optional(),
    idempotency_key: text(255).optional().describe('As the header Idempotency-Key'),
  })
  .openapi('FetchInput')

export const REASON_BODY = z.strictObject({ reason: text(500).optional() }).openapi('Reason')

export const AMOUNT_BODY = z.strictObject({ amount: sentAmount() }).openapi('Amount')

export const REFUND_BODY = z
  .strictObject({ amount: sentAmount().optional().describe('All that is left unless given') })
  .openapi('RefundInput')

export const APPROVE_BODY = z
  .strictObject({
    narrowing: z
      .strictObject({
        amount: sentAmount().optional(),
        usage_limit: z.int().min(1).max(1_000_000).optional(),
        per_payment_max: sentAmount().optional(),
        expires_in: text(16).optional().describe('30d, 12h or 45m'),
      })
      .optional()
      .describe('Less than was asked for'),
  })
  .openapi('ApproveInput')

const tiers = z
  .array(
    z.strictObject({
      up_to: sentAmount().nullable().describe('Null: any amount. Rising, and the last one null.'),
      assurance: z.enum(ASSURANCES),
      owners: z.literal(2).optional().describe('Two different owners have to say yes'),
    }),
  )
  .min(1)
  .max(10)

export const WALLET_BODY = z
  .strictObject({
    name: text(60),
    currency: text(8).describe('ISO 4217. Wallets in USDC are made on the server: `bursar wallet create`'),
    mode: MODE,
    agent_id: sentId().optional().describe('The only agent that may use it'),
    time_zone: text(64).optional().describe('IANA; UTC unless given'),
    approvals: tiers.optional(),
  })
  .openapi('WalletInput')

export const APPROVALS_BODY = z.strictObject({ approvals: tiers }).openapi('ApprovalsInput')

export const LIMIT_BODY = z
  .strictObject({
    scope: z.enum(SCOPES),
    scope_value: text(VALUE_MAX).optional().describe('One agent, payee, … only; without it each counts by itself'),
    window: z.enum(WINDOWS),
    over: z.enum(['deny', 'ask']),
    max_amount: sentAmount().optional(),
    max_count: z.int().min(0).max(1_000_000_000).optional(),
  })
  .openapi('LimitInput')

const grant = {
  scopes: z.array(z.enum(AGENT_SCOPES)).min(1).max(AGENT_SCOPES.length).optional(),
  instruments: z.array(sentId()).max(LIST_MAX).optional().describe('It pays with these only'),
  max_amount: sentAmount().optional().describe('What may be spent with it in all'),
  currency: text(8).optional().describe('Of max_amount'),
  expires_in: text(16).optional().describe('30d, 12h or 45m'),
}

const label = text(100).optional().describe('A name for it, for people')

export const AGENT_BODY = z
  .strictObject({
    name: text(63).describe('a-z, 0-9, dot, dash, underscore'),
    ...grant,
    label,
  })
  .openapi('AgentInput')

export const ROTATE_BODY = z
  .strictObject({
    overlap: text(16)
      .optional()
      .describe('How long the old keys stay good: 30d, 12h or 45m. At once over unless given.'),
    ...grant,
    label,
  })
  .openapi('RotateInput')

/** What an agent mints for a task. */
export const CREDENTIAL_BODY = z.strictObject({ ...grant, label }).openapi('CredentialInput')

export const GRANT_BODY = z
  .strictObject({
    token: z
      .strictObject({
        issuer: text(500),
        subject: text(255),
        audience: text(255),
        jwks_uri: text(500).optional().describe("The issuer's keys; /.well-known/jwks.json unless given"),
      })
      .optional()
      .describe("Trust in the access tokens of the owner's identity provider (RFC 9068), in place of a key"),
    ...grant,
    label,
  })
  .openapi('GrantInput')
