import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { whole } from './columns.ts'

/** What is only remembered, and is part of no purse. */

export const kept_calls = sqliteTable('kept_calls', {
  caller: text('caller').notNull(),
  key: text('key').notNull(),
  asked: text('asked').notNull(),
  holder: text('holder').notNull(),
  busyUntil: whole('busy_until').notNull(),
  expiresAt: whole('expires_at').notNull(),
  bytes: whole('bytes').notNull(),
  answer: text('answer'),
})

export const kept_room = sqliteTable('kept_room', {
  share: whole('share').primaryKey(),
  bytes: whole('bytes').notNull(),
})

export const kept_names = sqliteTable('kept_names', {
  name: text('name').primaryKey(),
  holder: text('holder').notNull(),
  expiresAt: whole('expires_at').notNull(),
})
