import { describe, expect, it } from 'vitest'
import { asked } from '../support/postgres.ts'
import { makeOldPurse, month, type OldPurse, refuseThree, rowsOf } from './archive-purse.ts'
import { makeCardOf } from './store-purse.ts'

const PAYMENT = 'bursar: a payment is never deleted'
const PURCHASE = 'bursar: a purchase is never deleted'
/** Where the row of a payment may leave: before the last two months. */
const BOUND = `(1000 * extract(epoch FROM date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month'))::bigint`

interface Old {
  readonly purse: OldPurse
  /** Refused in March, as all of them: over what a card has. */
  readonly over: string
  readonly cardless: string
  readonly unbought: string
  /** Captured in March. */
  readonly paid: string
}

async function makeOld(): Promise<Old> {
  const purse = await makeOldPurse()
  purse.time.now = month(0)
  const card = await makeCardOf(purse, purse.caller, { expires_in: '365d', per_payment_max: undefined })
  const [over, cardless, unbought] = (await refuseThree(purse, card)) as [string, string, string]
  purse.time.now = month(3)
  return { purse, over, cardless, unbought, paid: purse.paid[0]!.payment_id }
}

/** What the database says to these statements, in one transaction that is not committed unless `kept`; null: nothing. */
async function said(url: string, statements: readonly string[], kept = false): Promise<string | null> {
  return asked(url, async (client) => {
    await client.query('BEGIN')
    try {
      for (const sql of statements) await client.query(sql)
      await client.query(kept ? 'COMMIT' : 'SET CONSTRAINTS ALL IMMEDIATE')
      return null
    } catch (error) {
      return (error as Error).message
    } finally {
      await client.query('ROLLBACK')
    }
  })
}

/** The bodies of the events that name a payment leave, as an archive lets them. */
const clear = (id: string, only = 'true') =>
  `UPDATE bursar.events SET body = NULL WHERE body LIKE '%"payment_id":"${id}"%' AND ${only}`
const drop = (id: string) => `DELETE FROM bursar.payments WHERE id = '${id}'`
const dropPurchase = (id: string) => `DELETE FROM bursar.purchases WHERE payment_id = '${id}'`

/** As a superuser does who takes all walls down, and puts back up those that are asked. */
const forced = (change: string): readonly string[] => [
  'ALTER TABLE bursar.payments DISABLE TRIGGER USER',
  `DO $$ DECLARE name text; BEGIN
     FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = 'bursar.payments'::regclass AND contype = 'c' LOOP
       EXECUTE format('ALTER TABLE bursar.payments DROP CONSTRAINT %I', name);
     END LOOP; END $$`,
  change,
  'ALTER TABLE bursar.payments ENABLE ALWAYS TRIGGER payments_remain',
]

describe('security: a row of payments', () => {
  it('leaves by the owner of the tables once all of its events have, and by nobody else', async () => {
    const { purse, over, cardless } = await makeOld()
    const { ownerUrl, url, adminUrl } = purse.database
    expect(await said(ownerUrl, [clear(over), clear(cardless), drop(over), drop(cardless)])).toBe(null)
    expect(await said(ownerUrl, [clear(over), clear(cardless)], true)).toBe(null)
    expect(await said(url, [drop(over)])).toBe('permission denied for table payments')
    const user = new URL(url).username
    await asked(adminUrl, (client) => client.query(`GRANT DELETE ON bursar.payments, bursar.purchases TO ${user}`))
    expect(await said(url, [drop(over)])).toBe(PAYMENT)
    expect(await said(ownerUrl, [drop(over), drop(cardless)], true)).toBe(null)
    expect(await rowsOf(purse, [over, cardless])).toEqual([])
  })

  it('stays while an event that names it has a body: any of them', async () => {
    const { purse, over } = await makeOld()
    const { ownerUrl } = purse.database
    expect(await said(ownerUrl, [drop(over)])).toBe(PAYMENT)
    for (const type of ['payment.attempted', 'payment.refused'])
      expect(await said(ownerUrl, [clear(over, `type = '${type}'`), drop(over)])).toBe(PAYMENT)
    expect(await said(ownerUrl, [clear(over), drop(over)])).toBe(null)
    const named = (type: string, body: string) =>
      `INSERT INTO bursar.events SELECT journal, max(seq) + 1, '${type}', '${body}', sha256('') FROM bursar.events
       WHERE journal = '${purse.walletId}' GROUP BY journal`
    const later = [
      named('payment.captured', `{"amount":"1.00","payment_id":"${over}","ts":"2026-06-10T12:00:00.000Z"}`),
      named('rail.unexplained', `{"details":{"payment_id":"${over}","rail":"virtual_card"}}`),
      named('payment.voided', `{"details":{"payment_id":"pay_x"},"payment_id":"${over}","type":"payment.voided"}`),
    ]
    for (const event of later) expect(await said(ownerUrl, [clear(over), event, drop(over)])).toBe(PAYMENT)
    const quoted = named('payment.attempted', `{"payee":{"name":"\\"payment_id\\":\\"${over}"},"payment_id":"pay_x"}`)
    expect(await said(ownerUrl, [clear(over), quoted, drop(over)])).toBe(null)
  })

  it.each([
    ['captured', (old: Old) => [drop(old.paid)]],
    ['every one that is archived', () => ['DELETE FROM bursar.payments']],
    ['every one, within another statement', () => ['WITH gone AS (DELETE FROM bursar.payments) SELECT 1']],
    [
      'every one, by a merge',
      () => ['MERGE INTO bursar.payments p USING (SELECT 1) one ON true WHEN MATCHED THEN DELETE'],
    ],
    ['all at once', () => ['TRUNCATE bursar.payments CASCADE']],
  ])('stays where it is not a refused one: %s', async (_what, statements) => {
    const old = await makeOld()
    await old.purse.archive()
    expect(await said(old.purse.database.ownerUrl, statements(old))).toBe(PAYMENT)
    expect(await said(old.purse.database.adminUrl, statements(old))).toBe(PAYMENT)
  })

  it('stays where money moved, or could have', async () => {
    const { purse, over } = await makeOld()
    const { adminUrl } = purse.database
    const change = (set: string) => [
      ...[clear(over), ...forced(`UPDATE bursar.payments SET ${set} WHERE id = '${over}'`), drop(over)],
    ]
    expect(await said(adminUrl, change('held = 0'))).toBe(null)
    const moved = ['held = 1', 'captured = 1', 'refunded = 1', 'forced = 1', 'authorized_at = 1', `rail_ref = 'a name'`]
    // Though nothing else of it is so.
    const statuses = [
      'captured',
      'voided',
      'denied',
      'expired',
      'canceled',
      'awaiting_approval',
      'authorized',
      'in_doubt',
    ]
    for (const set of [...moved, ...statuses.map((status) => `status = '${status}'`)])
      expect([set, await said(adminUrl, change(set))]).toEqual([set, PAYMENT])
  })

  it('stays for this calendar month and the next one, by the clock of the server', async () => {
    const { purse, over } = await makeOld()
    const at = (time: string) =>
      said(purse.database.adminUrl, [
        ...[clear(over), ...forced(`UPDATE bursar.payments SET created_at = ${time} WHERE id = '${over}'`), drop(over)],
      ])
    expect(await at(`${BOUND}`)).toBe(PAYMENT)
    expect(await at(`1000 * extract(epoch FROM now())::bigint`)).toBe(PAYMENT)
    expect(await at(`${BOUND} - 1`)).toBe(null)
  })

  it('stays where what is at its place did not refuse it', async () => {
    const { purse, over, cardless, unbought } = await makeOld()
    const { ownerUrl } = purse.database
    const cleared = [clear(over), clear(cardless), clear(purse.paid[0]!.payment_id)]
    const at = (seq: string) => [
      ...[...cleared, `UPDATE bursar.payments p SET seq = ${seq} WHERE id = '${over}'`, drop(over)],
    ]
    const of = (type: string) =>
      `(SELECT min(e.seq) FROM bursar.events e WHERE e.journal = p.wallet_id AND e.type = '${type}' AND e.body IS NULL)`
    expect(await said(ownerUrl, at('seq'))).toBe(null)
    for (const seq of [of('payment.captured'), of('payment.attempted'), `${of('payment.attempted')} + 1`, '1000000'])
      expect(await said(ownerUrl, at(seq))).toBe(PAYMENT)
    // Of another one that was refused, with a body of its own left: either, or both.
    const another = `(SELECT q.seq FROM bursar.payments q WHERE q.id = '${unbought}')`
    expect(await said(ownerUrl, [clear(unbought), ...at(another)])).toBe(null)
    for (const only of ['false', `type = 'payment.attempted'`, `type = 'payment.refused'`])
      expect(await said(ownerUrl, [clear(unbought, only), ...at(another)])).toBe(PAYMENT)
    const other = (ago: number) => [
      'ALTER TABLE bursar.events DISABLE TRIGGER USER',
      `UPDATE bursar.events e SET type = 'payment.stuck' FROM bursar.payments p
       WHERE p.id = '${over}' AND e.journal = p.wallet_id AND e.seq = p.seq - ${ago}`,
    ]
    for (const ago of [0, 1])
      expect(await said(purse.database.adminUrl, [...cleared, ...other(ago), drop(over)])).toBe(PAYMENT)
  })

  it('stays where anything says that somebody was asked, or that it was signed for', async () => {
    const { purse, over, paid } = await makeOld()
    const { adminUrl } = purse.database
    const asking = [
      'ALTER TABLE bursar.approvals DISABLE TRIGGER USER',
      `INSERT INTO bursar.approvals SELECT 'apr_x', '${over}', '${purse.walletId}', repeat('0', 64), 'host', 'waiting', NULL,
         NULL, 1, 2, NULL, NULL, 1`,
    ]
    expect(await said(adminUrl, [clear(over), ...asking, drop(over)])).toBe(PAYMENT)
    const signed = [
      'ALTER TABLE bursar.transfers DISABLE TRIGGER USER',
      `INSERT INTO bursar.transfers SELECT (jsonb_populate_record(NULL::bursar.transfers, jsonb_build_object(
         'payment_id', '${over}', 'wallet_id', '${purse.walletId}', 'asset', 'a', 'from_address', repeat('0', 42),
         'to_address', repeat('0', 42), 'value', 1, 'valid_before', 1, 'nonce', repeat('0', 66), 'signature', repeat('0', 132),
         'from_block', 1, 'status', 'open', 'signed_at', 1, 'kind', 'eip3009'))).*`,
    ]
    const statements = [clear(over), ...signed, drop(over)]
    expect(await said(adminUrl, statements)).toContain('violates foreign key constraint "transfers_payment_id_fkey"')
    expect(await rowsOf(purse, [over, paid])).toEqual([over, paid])
  })

  it('stays in a session that is said to be a replica', async () => {
    const { purse, over } = await makeOld()
    const statements = ['SET LOCAL session_replication_role = replica', drop(over)]
    expect(await said(purse.database.adminUrl, statements)).toBe(PAYMENT)
  })

  it('is looked for by keys and indexes, and never through all events', async () => {
    const { purse, over } = await makeOld()
    const { ownerUrl } = purse.database
    await said(ownerUrl, [clear(over)], true)
    const rows = await asked(ownerUrl, async (client) => {
      // As where statistics are old: an index seems dear.
      await client.query('BEGIN; SET LOCAL random_page_cost = 1000000')
      await client.query(drop(over))
      const found = await client.query(
        `SELECT relname AS name, seq_scan::integer AS scans, idx_tup_fetch::integer AS rows FROM pg_stat_xact_user_tables
         WHERE schemaname = 'bursar' AND relname IN ('events', 'approvals') ORDER BY 1`,
      )
      await client.query('ROLLBACK')
      return found.rows as unknown
    })
    // The two that made it.
    expect(rows).toEqual([
      { name: 'approvals', scans: 0, rows: 0 },
      { name: 'events', scans: 0, rows: 2 },
    ])
  })
})

describe('security: what a refused payment was to buy', () => {
  it('leaves with it in one transaction, and neither alone', async () => {
    const { purse, unbought } = await makeOld()
    const { ownerUrl, adminUrl, url } = purse.database
    const before = [clear(unbought)]
    expect(await said(ownerUrl, [...before, dropPurchase(unbought)])).toBe(PURCHASE)
    expect(await said(ownerUrl, [...before, dropPurchase(unbought), drop(unbought)])).toBe(PURCHASE)
    const alone = await said(ownerUrl, [...before, drop(unbought)], true)
    expect(alone).toContain('violates foreign key constraint "purchases_payment_id_fkey"')
    expect(await said(adminUrl, ['TRUNCATE bursar.purchases'])).toBe(PURCHASE)
    expect(await said(url, [dropPurchase(unbought)])).toBe('permission denied for table purchases')
    const user = new URL(url).username
    const granted = [`GRANT DELETE ON bursar.purchases TO ${user}`, ...before, drop(unbought), `SET ROLE ${user}`]
    expect(await said(adminUrl, [...granted, dropPurchase(unbought)])).toBe(PURCHASE)
    for (const made of [`header = 'x', version = 2, flow = 'upfront'`, 'value = 1']) {
      const set = [
        'ALTER TABLE bursar.purchases DISABLE TRIGGER USER',
        `UPDATE bursar.purchases SET ${made} WHERE payment_id = '${unbought}'`,
        'ALTER TABLE bursar.purchases ENABLE ALWAYS TRIGGER purchases_remain',
      ]
      expect(await said(adminUrl, [...before, ...set, drop(unbought), dropPurchase(unbought)])).toBe(PURCHASE)
    }
    expect(await said(ownerUrl, [...before, drop(unbought), dropPurchase(unbought)], true)).toBe(null)
    expect(await rowsOf(purse, [unbought])).toEqual([])
  })
})
