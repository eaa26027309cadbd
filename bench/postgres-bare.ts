import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { digestOf } from '../src/core/canonical.ts'
import { systemIds } from '../src/system.ts'
import type { Purses, Spot } from './postgres-purse.ts'
import { AMOUNT, BODY, CHECKPOINT, PAYEE, PAYEE_KEY, payByStatements } from './postgres-statements.ts'

const HASH_BYTES = 32

/** The parameters of a payment, in the order in which they are given. */
const PARAMETERS = [
  ...['id', 'wallet', 'instrument', 'agent', 'credential', 'session', 'fingerprint', 'digest', 'words', 'attempted'],
  ...['authorized', 'checkpoint', 'today', 'this_month'],
] as const

/**
 * What a decision reads and writes, in one call: the same rows of the same tables, with all their checks, triggers and keys.
 * It has its rules in it, and makes no salted hash, canonical JSON, tree or signature.
 */
function functionIn(schema: string): string {
  const keyed = `limit_id = l.id AND scope_value = v AND window_key = w`
  return `CREATE FUNCTION bare.pay_in_${schema}(${PARAMETERS.map((name) => `p_${name} text`).join(', ')}) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  h record; i record; w_ record; a record; c record; l record; g record; x record; prior text; waiting bigint;
  now_ms bigint := (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
  counted jsonb := '[]'; v text; w text;
BEGIN
  SELECT size, frontier, mac INTO h FROM ${schema}.heads WHERE journal = p_wallet FOR NO KEY UPDATE;
  SELECT * INTO x FROM ${schema}.instance;
  SELECT * INTO g FROM ${schema}.agents WHERE id = p_agent;
  SELECT * INTO c FROM ${schema}.credentials WHERE id = p_credential;
  SELECT * INTO i FROM ${schema}.instruments WHERE id = p_instrument;
  SELECT * INTO w_ FROM ${schema}.wallets WHERE id = p_wallet;
  SELECT * INTO a FROM ${schema}.accounts WHERE wallet_id = p_wallet;
  SELECT id INTO prior FROM ${schema}.payments WHERE agent_id = p_agent AND fingerprint = p_fingerprint
    AND created_at > now_ms - 600000 AND status NOT IN ('refused', 'voided', 'expired', 'canceled')
    ORDER BY created_at DESC, id DESC LIMIT 1;
  SELECT count(*) INTO waiting FROM ${schema}.payments WHERE agent_id = p_agent AND status = 'awaiting_approval';
  IF prior IS NOT NULL OR waiting > 2 OR x.frozen OR g.status <> 'active' OR c.revoked_at IS NOT NULL
    OR i.status <> 'active' OR i.expires_at <= now_ms OR w_.status <> 'active'
    OR a.available < ${AMOUNT} OR i.remaining < ${AMOUNT} THEN RETURN 'no'; END IF;
  UPDATE ${schema}.instruments SET remaining = remaining - ${AMOUNT}, usage_consumed = usage_consumed + 1 WHERE id = i.id;
  UPDATE ${schema}.credentials SET spent = spent + ${AMOUNT} WHERE id = c.id;
  FOR l IN SELECT * FROM ${schema}.limits WHERE wallet_id = p_wallet AND removed_at IS NULL LOOP
    IF ${AMOUNT} > l.max_amount THEN RETURN 'no'; END IF;
    CONTINUE WHEN l."window" = 'payment';
    v := CASE l.scope WHEN 'wallet' THEN p_wallet WHEN 'session' THEN p_session ELSE '${PAYEE_KEY}' END;
    w := CASE l."window" WHEN 'session' THEN p_session WHEN 'day' THEN p_today ELSE p_this_month END;
    SELECT amount, count INTO a FROM ${schema}.counters WHERE ${keyed};
    IF a.amount + ${AMOUNT} > l.max_amount THEN RETURN 'no'; END IF;
    UPDATE ${schema}.counters SET amount = amount + ${AMOUNT}, count = count + 1 WHERE ${keyed};
    IF NOT FOUND THEN INSERT INTO ${schema}.counters VALUES (l.id, v, w, ${AMOUNT}, 1, 0); END IF;
    counted := counted || jsonb_build_object('limitId', l.id, 'windowKey', w, 'scopeValue', v);
  END LOOP;
  INSERT INTO ${schema}.texts VALUES (p_digest, p_digest, p_words);
  INSERT INTO ${schema}.events VALUES (p_wallet, h.size, 'payment.attempted', p_attempted, sha256(convert_to(p_attempted, 'UTF8')));
  INSERT INTO ${schema}.events VALUES (p_wallet, h.size + 1, 'payment.authorized', p_authorized, sha256(convert_to(p_authorized, 'UTF8')));
  INSERT INTO ${schema}.entries VALUES (p_wallet, h.size + 1, 0, p_wallet, p_id, 'hold', 'available', 'held', ${AMOUNT});
  UPDATE ${schema}.accounts SET available = available - ${AMOUNT}, held = held + ${AMOUNT} WHERE wallet_id = p_wallet;
  INSERT INTO ${schema}.payments VALUES (p_id, p_wallet, p_instrument, p_agent, p_session, NULL, 'card', 'authorized',
    ${AMOUNT}, ${AMOUNT}, 0, 0, 0, '${PAYEE}', '${PAYEE_KEY}', p_digest, p_fingerprint, NULL, NULL, counted,
    now_ms + 600000, NULL, NULL, now_ms, now_ms, now_ms, h.size + 1, jsonb_build_array(p_credential));
  UPDATE ${schema}.heads SET size = h.size + 2, frontier = h.frontier || sha256(h.mac), checkpoint = p_checkpoint,
    mac = sha256(h.mac) WHERE journal = p_wallet;
  RETURN p_id;
END $$`
}

/** The tables of a purse again, with their keys and indexes, and without any check, trigger or foreign key. */
const PLAIN = [
  ...['instance', 'agents', 'credentials', 'wallets', 'accounts', 'limits', 'instruments', 'heads', 'counters'],
  ...['payments', 'entries', 'events', 'texts'],
]

/** The same payments by `pg` alone. Its wallets are its own: bursar would take their journals for tampered with. */
export class BarePostgres {
  private readonly pool: pg.Pool
  private readonly schema: string

  private constructor(pool: pg.Pool, schema: string) {
    this.pool = pool
    // Its connections may hear of the server's end before they are closed themselves.
    pool.on('error', () => undefined)
    this.schema = schema
  }

  /** @param walled whether in the tables of bursar, or in copies of them that check nothing */
  static async open({ url }: Pick<Purses, 'url'>, walled = true): Promise<BarePostgres> {
    const pool = new pg.Pool({ connectionString: url, max: 16, idleTimeoutMillis: 0 })
    const schema = walled ? 'bursar' : 'plain'
    await pool.query('CREATE SCHEMA IF NOT EXISTS bare')
    if (!walled) {
      await pool.query('CREATE SCHEMA plain')
      for (const table of PLAIN) {
        await pool.query(`CREATE TABLE plain.${table} (LIKE bursar.${table} INCLUDING INDEXES INCLUDING STORAGE)`)
        await pool.query(`INSERT INTO plain.${table} SELECT * FROM bursar.${table}`)
      }
    }
    await pool.query(functionIn(schema))
    return new BarePostgres(pool, schema)
  }

  readonly pay = async (spot: Spot): Promise<void> => {
    const values = valuesOf(spot)
    const places = values.map((_, i) => `$${i + 1}`).join(', ')
    const text = `SELECT bare.pay_in_${this.schema}(${places}) AS done`
    const { rows } = await this.pool.query({ name: 'pay', text, values: [...values] })
    if (rows[0].done !== values[0]) throw new Error('A bare payment was not made.')
  }

  /** The same rows again, each by a message of its own, prepared once. */
  readonly payByStatements = async (spot: Spot): Promise<void> => {
    const client = await this.pool.connect()
    try {
      await payByStatements(client, spot)
    } finally {
      client.release()
    }
  }

  async close(): Promise<void> {
    await this.pool.end()
  }
}

function valuesOf(spot: Spot): readonly string[] {
  const id = systemIds.make('payment')
  const day = new Date().toISOString().slice(0, 10)
  return [
    ...[id, spot.walletId, spot.instrumentId, spot.agentId, spot.credentialId, spot.sessionId],
    ...[digestOf({ id }), randomBytes(HASH_BYTES).toString('hex'), `Purchase ${id}`, BODY, BODY, CHECKPOINT],
    ...[`${day} day`, `${day.slice(0, 7)} month`],
  ]
}
