import { text } from 'drizzle-orm/pg-core'
import type * as Core from '../../core/types.ts'
import { bursar, flag, json, units, whole } from './columns.ts'

export const credentials = bursar.table('credentials', {
  id: text('id').primaryKey(),
  agentId: text('agent_id').notNull(),
  parentId: text('parent_id'),
  keyHash: text('key_hash'),
  issuer: text('issuer'),
  subject: text('subject'),
  audience: text('audience'),
  jwksUri: text('jwks_uri'),
  scopes: json('scopes').$type<readonly Core.AgentScope[]>().notNull(),
  instruments: json('instruments').$type<readonly string[]>(),
  maxAmount: units('max_amount'),
  currency: text('currency'),
  spent: units('spent').notNull(),
  label: text('label'),
  createdAt: whole('created_at').notNull(),
  expiresAt: whole('expires_at'),
  revokedAt: whole('revoked_at'),
})

export const passkeys = bursar.table('passkeys', {
  id: text('id').primaryKey(),
  ownerId: text('owner_id').notNull(),
  publicKey: text('public_key').notNull(),
  rpId: text('rp_id').notNull(),
  origin: text('origin').notNull(),
  name: text('name').notNull(),
  synced: flag('synced').notNull(),
  transports: json('transports').$type<readonly string[]>().notNull(),
  createdAt: whole('created_at').notNull(),
  revokedAt: whole('revoked_at'),
})

export const invitations = bursar.table('invitations', {
  codeHash: text('code_hash').primaryKey(),
  ownerId: text('owner_id').notNull(),
  createdAt: whole('created_at').notNull(),
  expiresAt: whole('expires_at').notNull(),
  usedAt: whole('used_at'),
})

export const answers = bursar.table('answers', {
  approvalId: text('approval_id').notNull(),
  ownerId: text('owner_id').notNull(),
  narrowed: text('narrowed').notNull(),
  createdAt: whole('created_at').notNull(),
})

export const notice_cursors = bursar.table('notice_cursors', {
  channel: text('channel').notNull(),
  journal: text('journal').notNull(),
  seq: whole('seq').notNull(),
})
