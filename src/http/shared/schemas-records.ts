import { z } from '@hono/zod-openapi'
import type { CredentialView } from '../../actions/credentials.ts'
import type { Agent } from '../../core/types.ts'
import { AGENT_SCOPES } from '../../core/types.ts'
import { amount, count, id, time } from './fields.ts'
import { EVENT, INSTRUMENT, words } from './schemas.ts'
import { WALLET } from './schemas-wallets.ts'

/** Agents and what they come with, the journal, and what is left to spend. */

export const BUDGET = z.strictObject({ wallets: z.array(WALLET), instruments: z.array(INSTRUMENT) }).openapi('Budget')

export const CANCELED = z
  .strictObject({
    id: z.string(),
    status: z.string(),
    given_back: z.strictObject({ amount: amount(), currency: z.string(), uses: count().nullable() }).nullable(),
  })
  .openapi('Canceled')

export const EVENTS = z
  .strictObject({
    journal: z.string(),
    size: count().describe('How many events the journal has now.'),
    events: z.array(
      z.strictObject({
        event: EVENT.optional().describe('Absent where it is archived: its body is in a file, and no more here.'),
        archived: z.literal(true).optional(),
        seq: count().optional().describe('Of an archived event, as is `type`.'),
        type: z.string().optional(),
        leaf: z.string().describe('RFC 6962 leaf hash, base64.'),
      }),
    ),
    next_from: count().optional().describe('There is more: the `from` of the next page.'),
  })
  .openapi('Events')

export const CHECKPOINT = z
  .strictObject({
    journal: z.string(),
    size: count(),
    checkpoint: z.string().describe('C2SP signed note.'),
    vkey: z.string(),
  })
  .openapi('Checkpoint')

export const PROOF = z
  .strictObject({
    event: z.string().describe("The payment's last event: the exact text that was hashed."),
    proof: z.string().describe('C2SP tlog-proof@v1 of that event.'),
    vkey: z.string().describe('Compare it with the one that you know.'),
  })
  .openapi('Proof')

export const AGENT = z
  .strictObject({
    agent_id: id('agt'),
    name: z.string(),
    status: words<Agent['status']>({ active: true, revoked: true }),
    has_key: z.boolean(),
    created_at: time(),
  })
  .openapi('Agent')

export const NEW_AGENT = z
  .strictObject({
    agent_id: id('agt'),
    name: z.string(),
    credential_id: id('crd'),
    key: z.string().describe('Shown once; only its hash is kept.'),
  })
  .openapi('NewAgent')

const CREDENTIAL_FIELDS = {
  credential_id: id('crd'),
  agent_id: id('agt'),
  parent_id: id('crd').nullable().describe('What it was minted with; null: the owner gave it.'),
  label: z.string().nullable(),
  scopes: z.array(z.enum(AGENT_SCOPES)),
  instruments: z.array(id('inst')).nullable().describe('It pays with these only; null: with all of the agent.'),
  max_amount: amount().nullable().describe('What may be spent with it in all.'),
  spent_amount: amount().nullable(),
  currency: z.string().nullable(),
  token: z
    .strictObject({ issuer: z.string(), subject: z.string(), audience: z.string(), jwks_uri: z.string() })
    .nullable()
    .describe('The tokens that it stands for; null: it is a key.'),
  created_at: time(),
  expires_at: time().nullable(),
  status: words<CredentialView['status']>({ active: true, expired: true, revoked: true }),
}

export const CREDENTIAL = z.strictObject(CREDENTIAL_FIELDS).openapi('Credential')

export const NEW_CREDENTIAL = z
  .strictObject({ ...CREDENTIAL_FIELDS, key: z.string().nullable().describe('Shown once. Null for tokens.') })
  .openapi('NewCredential')

export const FROZEN = z.strictObject({ frozen: z.boolean() }).openapi('Frozen')

/** RFC 9457. */
export const PROBLEM = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().optional().describe('One of a closed list: docs/errors.md.'),
    hint: z.string().optional().describe('What to do next.'),
    retry: z.enum(['never', 'later', 'after_change']).optional(),
  })
  .openapi('Problem')
