import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Figure } from './measure.ts'
import { perSecond, progress, ratioOf } from './measure.ts'
import type { Spot } from './postgres-purse.ts'
import { decideAt, makePurses, openStore, setHeads } from './postgres-purse.ts'
import { benchServer, unwalled } from './postgres-server.ts'
import { temporaryFolder } from './purse.ts'

const ROUNDS = 5
const DECISIONS = 100
const FEW = 1_000
const WALLETS = 16
const TABLES = ['payments', 'entries', 'events', 'texts', 'heads']
const HASH_BYTES = 32
/** Events of a payment that was made and captured. */
const EVENTS = 3

/** A decision on a long history against one on a short one, in two databases of one server. */
export async function postgresHistory(payments: number): Promise<Figure> {
  progress(`decision, PostgreSQL after ${payments.toLocaleString('en')} payments`)
  const server = await benchServer()
  const long = await storeWith(await server.database(), payments)
  const short = await storeWith(await server.database(), FEW)
  const msOf = (one: typeof long) => async () => 1000 / (await perSecond(DECISIONS, one.pay))
  const ratio = await ratioOf(ROUNDS, msOf(long), msOf(short), 'ms')
  await Promise.all([long.store.close(), short.store.close()])
  await server.stop()
  const name = `decision, PostgreSQL after ${payments.toLocaleString('en')} payments in ${WALLETS} wallets, one caller`
  return { name, against: `time after ${FEW.toLocaleString('en')}`, ratio, target: '<= 1.2' }
}

async function storeWith(url: string, payments: number) {
  const folder = await temporaryFolder()
  const purses = await makePurses(url, folder, WALLETS)
  const each = Math.ceil(payments / WALLETS)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const began = performance.now()
  await unwalled(client, TABLES, async () => {
    for (const [i, spot] of purses.spots.entries()) {
      await lengthen(client, folder, spot, each)
      if (payments > FEW) progress(`  ${each * (i + 1)} payments, ${Math.round((performance.now() - began) / 1000)} s`)
    }
  })
  await client.query('VACUUM ANALYZE')
  await client.query('CHECKPOINT')
  await client.end()
  const store = await openStore(purses)
  let next = 0
  return { store, pay: () => decideAt(store, purses.spots[next++ % WALLETS] as Spot) }
}

/**
 * So many captured payments behind a wallet, as rows that are like its first one: payments with their texts, two entries and
 * three events each, whose bodies say nothing. Fingerprints and digests are random, as they are in a long life.
 */
async function lengthen(client: pg.Client, folder: string, spot: Spot, payments: number): Promise<void> {
  const { walletId, instrumentId, agentId, credentialId, sessionId } = spot
  const { rows } = await client.query('SELECT size FROM bursar.heads WHERE journal = $1', [walletId])
  const from = Number(rows[0].size)
  const series = `generate_series(0, ${payments - 1}) i`
  const id = `'pay_' || md5('${walletId}' || i)`
  const digest = `md5(random()::text) || md5('${walletId}' || i)`
  const month = 30 * 86_400_000
  await client.query(`INSERT INTO bursar.payments SELECT ${id}, '${walletId}', '${instrumentId}', '${agentId}', '${sessionId}',
    NULL, 'card', 'captured', 100, 0, 100, 0, 0, p.payee, p.payee_key, ${digest}, md5(random()::text) || md5(i::text), NULL,
    NULL, p.counted, t + 600000, 'x' || i, NULL, t, t, t, ${from} + i * ${EVENTS} + 2, '["${credentialId}"]'::jsonb
    FROM ${series} CROSS JOIN LATERAL (VALUES (${Date.now() - month} + i * ${Math.floor(month / (payments + 1))}::bigint)) v (t)
    CROSS JOIN (SELECT * FROM bursar.payments ORDER BY id LIMIT 1) p`)
  await client.query(`INSERT INTO bursar.texts SELECT ${digest}, md5(i::text), 'Purchase ' || i FROM ${series}`)
  await client.query(`INSERT INTO bursar.entries SELECT '${walletId}', ${from} + i * ${EVENTS} + n + 1, 0, '${walletId}', ${id},
    (ARRAY['hold', 'capture'])[n + 1], (ARRAY['available', 'held'])[n + 1], (ARRAY['held', 'external'])[n + 1], 100
    FROM ${series} CROSS JOIN generate_series(0, 1) n`)
  await client.query(`INSERT INTO bursar.events SELECT '${walletId}', ${from} + n, 'payment.attempted', '{}', '\\x${'00'.repeat(HASH_BYTES)}'
    FROM generate_series(0, ${payments * EVENTS - 1}) n`)
  const size = from + payments * EVENTS
  await setHeads(client, folder, [walletId], size, randomBytes(HASH_BYTES * setBits(size)))
}

function setBits(value: number): number {
  return Array.from(value.toString(2)).filter((bit) => bit === '1').length
}
