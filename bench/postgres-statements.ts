import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { digestOf, sha256 } from '../src/core/canonical.ts'
import { systemIds } from '../src/system.ts'
import type { Spot } from './postgres-purse.ts'

/** As long as those of bursar are. */
export const BODY = JSON.stringify({ filled: 'y'.repeat(700) })
export const CHECKPOINT = 'c'.repeat(330)
export const AMOUNT = 100
export const PAYEE = '{"name":"Acme Software","category":"5734","country":"US"}'
export const PAYEE_KEY = 'name:acme software'
const HASH_BYTES = 32
const SAME_MS = 600_000

type Row = Readonly<Record<string, string>>

/** Whatever a payment of bursar reads and writes, in the order in which bursar does. */
export async function payByStatements(client: pg.ClientBase, spot: Spot): Promise<void> {
  const { walletId, instrumentId, agentId, credentialId, sessionId } = spot
  const id = systemIds.make('payment')
  const [now, digest, fingerprint] = [Date.now(), randomBytes(HASH_BYTES).toString('hex'), digestOf({ id })]
  const rows = async (text: string, values: readonly unknown[] = []): Promise<Row[]> =>
    (await client.query({ name: sha256(text).toString('hex', 0, 8), text, values: [...values] })).rows
  await client.query('BEGIN')
  const [head] = await rows('SELECT size, frontier FROM bursar.heads WHERE journal = $1 FOR NO KEY UPDATE', [walletId])
  const seq = Number(head?.size)
  await rows('SELECT * FROM bursar.instance')
  await rows('SELECT * FROM bursar.agents WHERE id = $1', [agentId])
  await rows('SELECT * FROM bursar.credentials WHERE id = $1', [credentialId])
  await rows('SELECT * FROM bursar.instruments WHERE id = $1', [instrumentId])
  await rows('SELECT * FROM bursar.wallets WHERE id = $1', [walletId])
  await rows('SELECT * FROM bursar.accounts WHERE wallet_id = $1', [walletId])
  const limits = await rows('SELECT * FROM bursar.limits WHERE wallet_id = $1 AND removed_at IS NULL', [walletId])
  await rows(
    `SELECT * FROM bursar.payments WHERE agent_id = $1 AND fingerprint = $2 AND created_at > $3
     AND status NOT IN ('refused', 'voided', 'expired', 'canceled') ORDER BY created_at DESC, id DESC LIMIT 1`,
    [agentId, fingerprint, now - SAME_MS],
  )
  await rows(`SELECT count(*) FROM bursar.payments WHERE agent_id = $1 AND status = 'awaiting_approval'`, [agentId])
  const counted = limits
    .filter((limit) => limit.window !== 'payment')
    .map(({ id: limitId = '', scope, window = '' }) => ({
      limitId,
      windowKey: window === 'session' ? sessionId : window,
      scopeValue: scope === 'wallet' ? walletId : scope === 'session' ? sessionId : PAYEE_KEY,
    }))
  for (const { limitId, windowKey, scopeValue } of counted)
    await rows('SELECT * FROM bursar.counters WHERE limit_id = $1 AND scope_value = $2 AND window_key = $3', [
      ...[limitId, scopeValue, windowKey],
    ])
  await rows('INSERT INTO bursar.texts VALUES ($1, $2, $3)', [digest, digest, `Purchase ${id}`])
  for (const [i, type] of ['payment.attempted', 'payment.authorized'].entries())
    await rows('INSERT INTO bursar.events VALUES ($1, $2, $3, $4, $5)', [
      ...[walletId, seq + i, type, BODY, randomBytes(HASH_BYTES)],
    ])
  await rows(
    `UPDATE bursar.instruments SET remaining = remaining - $2::bigint, usage_consumed = usage_consumed + 1 WHERE id = $1`,
    [instrumentId, AMOUNT],
  )
  await rows('UPDATE bursar.credentials SET spent = spent + $2::bigint WHERE id = $1', [credentialId, AMOUNT])
  for (const { limitId, windowKey, scopeValue } of counted)
    await rows(
      `INSERT INTO bursar.counters AS c VALUES ($1, $2, $3, $4::bigint, 1, 0) ON CONFLICT (limit_id, scope_value, window_key)
       DO UPDATE SET amount = c.amount + $4::bigint, count = c.count + 1`,
      [limitId, scopeValue, windowKey, AMOUNT],
    )
  await rows(`INSERT INTO bursar.entries VALUES ($1, $2, 0, $1, $3, 'hold', 'available', 'held', $4::bigint)`, [
    ...[walletId, seq + 1, id, AMOUNT],
  ])
  await rows(
    'UPDATE bursar.accounts SET available = available - $2::bigint, held = held + $2::bigint WHERE wallet_id = $1',
    [walletId, AMOUNT],
  )
  await rows(
    `INSERT INTO bursar.payments VALUES ($1, $2, $3, $4, $5, NULL, 'card', 'authorized', $6::bigint, $6::bigint, 0, 0, 0,
     $7::jsonb, $8, $9, $10, NULL, NULL, $11::jsonb, $12::bigint + ${SAME_MS}, NULL, NULL, $12::bigint, $12::bigint,
     $12::bigint, $13, jsonb_build_array($14::text))`,
    [
      ...[id, walletId, instrumentId, agentId, sessionId, AMOUNT, PAYEE, PAYEE_KEY, digest, fingerprint],
      ...[JSON.stringify(counted), now, seq + 1, credentialId],
    ],
  )
  await rows('UPDATE bursar.heads SET size = $2, checkpoint = $3, mac = $4 WHERE journal = $1', [
    ...[walletId, seq + 2, CHECKPOINT, randomBytes(HASH_BYTES)],
  ])
  await client.query('COMMIT')
}
