import type pg from 'pg'
import { sha256 } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import { codeOf, isLockTimeout, isLost, isNoRight } from '../postgres/faults.ts'
import { migrate } from '../postgres/migrate.ts'
import { Pool } from '../postgres/pool.ts'
import { PostgresReader } from '../postgres/reader.ts'
import { quoted } from '../postgres/text.ts'
import { MARK, markedFor, markText } from '../shared/moved.ts'
import { lookAtCards, writeCards } from './postgres-cards.ts'
import { insertSql, rowsOf, values } from './postgres-rows.ts'
import type { Books, Receiver, Side } from './side.ts'
import { TABLES, type Table } from './tables.ts'

/** How long is waited for those who write now, in milliseconds; and for another process that moves a purse. */
const LOCK_MS = 20_000
const MOVER_MS = 2_000

/**
 * A purse in a PostgreSQL database, whose schema is made if it is not there.
 *
 * @throws `config_invalid` when it cannot be reached, or when the role does not own the tables; `schema_newer`
 */
export async function postgresSide(url: string): Promise<Side> {
  const pool = new Pool(url, 2)
  try {
    await reached(() => migrate(pool))
    const client = await pool.direct()
    try {
      await assertOwner(client)
      return sideOf(pool, await idOf(client))
    } finally {
      await client.end()
    }
  } catch (error) {
    await pool.end()
    throw error
  }
}

function sideOf(pool: Pool, id: string): Side {
  return {
    id,
    keepsAll: false,
    marked: () => on(pool, markOf),
    mark: (target) =>
      within(pool, LOCK_MS, async (client) => {
        await client.query('LOCK TABLE bursar.events IN SHARE ROW EXCLUSIVE MODE')
        if ((await markOf(client)) !== null)
          throw new BursarError('wrong_state', 'The purse is marked as moved already.')
        await client.query(`CREATE TRIGGER ${MARK} BEFORE INSERT ON bursar.events FOR EACH ROW
          EXECUTE FUNCTION bursar.refuse(${quoted(markText(target))})`)
        await client.query(`ALTER TABLE bursar.events ENABLE ALWAYS TRIGGER ${MARK}`)
      }),
    unmark: (target) =>
      within(pool, LOCK_MS, async (client) => {
        await client.query('LOCK TABLE bursar.events IN ACCESS EXCLUSIVE MODE')
        if ((await markOf(client)) === target) await client.query(`DROP TRIGGER ${MARK} ON bursar.events`)
      }),
    look: (work) =>
      on(pool, async (client) => {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
        await client.query(PATIENT)
        return work(booksOf(client))
      }),
    lookAtCards: (work) =>
      on(pool, async (client) => {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
        await client.query(PATIENT)
        return lookAtCards(client, work)
      }),
    // They came in the same transaction.
    placeCards: async () => undefined,
    alone: (work) =>
      within(pool, MOVER_MS, async (client) => {
        await client.query('LOCK TABLE bursar.schema_version IN EXCLUSIVE MODE')
        await client.query(`SET LOCAL lock_timeout = ${LOCK_MS}`)
        return work(receiverOf(client))
      }),
    close: () => pool.end(),
  }
}

/** What a large purse takes is no reason to give up. */
const PATIENT = 'SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0'

async function on<R>(pool: Pool, work: (client: pg.Client) => Promise<R>): Promise<R> {
  const client = await reached(() => pool.direct())
  try {
    return await work(client)
  } catch (error) {
    throw isGone(error) ? gone() : error
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** What the other database says, or bursar itself, is no lost connection. */
function isGone(error: unknown): boolean {
  return !(error instanceof BursarError) && codeOf(error)?.startsWith('SQLITE') !== true && isLost(error)
}

function gone(): BursarError {
  return new BursarError('rail_unavailable', 'The connection to the database of PostgreSQL was lost.')
}

function within<R>(pool: Pool, lockMs: number, work: (client: pg.Client) => Promise<R>): Promise<R> {
  return on(pool, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE')
    await client.query(`${PATIENT}; SET LOCAL lock_timeout = ${lockMs}`)
    try {
      const result = await work(client)
      const { command } = await client.query('COMMIT')
      if (command !== 'COMMIT') throw new BursarError('outcome_unknown', 'The database did not keep this.')
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined)
      if (isLockTimeout(error)) throw new BursarError('busy', 'Others are at work in the database of PostgreSQL.')
      throw error
    }
  })
}

/** The server's words may say where it is; its code is enough. */
async function reached<R>(work: () => Promise<R>): Promise<R> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof BursarError) throw error
    const why = codeOf(error) ?? 'no answer'
    throw new BursarError(
      'config_invalid',
      `The database of PostgreSQL cannot be reached, or does not let this role in (${why}).`,
    )
  }
}

/** @throws `config_invalid` unless the role may take down what stands on every table */
async function assertOwner(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_catalog.pg_class c
     WHERE c.relnamespace = 'bursar'::pg_catalog.regnamespace AND c.relkind = 'r'
       AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY 1 LIMIT 1`,
  )
  if (rows.length > 0)
    throw new BursarError(
      'config_invalid',
      'The role does not own the tables of bursar. Give the URL of the role that does, as for `bursar database migrate`.',
    )
}

/** By the server's own number, which its standbys have as well, and the database's name. */
async function idOf(client: pg.Client): Promise<string> {
  const server = async (sql: string) => (await client.query<{ server: string }>(sql)).rows[0]?.server
  const number = server('SELECT system_identifier::text AS server FROM pg_catalog.pg_control_system()').catch(
    (error) => {
      if (!isNoRight(error)) throw error
      return server("SELECT concat(pg_catalog.inet_server_addr(), ':', pg_catalog.inet_server_port()) AS server")
    },
  )
  const { rows } = await client.query<{ name: string }>('SELECT pg_catalog.current_database() AS name')
  return sha256(`postgres:${await number}:${rows[0]?.name}`).toString('hex', 0, 8)
}

async function markOf(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ text: string }>(
    `SELECT encode(t.tgargs, 'hex') AS text FROM pg_catalog.pg_trigger t
     WHERE t.tgrelid = 'bursar.events'::pg_catalog.regclass AND t.tgname = '${MARK}'`,
  )
  // Behind each argument comes a zero.
  return rows[0] ? markedFor(Buffer.from(rows[0].text, 'hex').toString().replace(/\0$/, '')) : null
}

function booksOf(client: pg.Client): Books {
  const texts = async (text: string, given: readonly unknown[] = []) => {
    const { rows } = await client.query({ text, values: [...given], rowMode: 'array' })
    return (rows as string[][]).map(([first]) => first as string)
  }
  return {
    read: new PostgresReader({ texts }, null),
    rows: (table) => rowsOf(client, table),
  }
}

/** The one reference within a table: what was minted, and from what. */
const MINTED = 'ALTER TABLE bursar.credentials ALTER CONSTRAINT credentials_parent_id_fkey'

function receiverOf(client: pg.Client): Receiver {
  let walls: readonly Wall[] = []
  return {
    ...booksOf(client),
    async open() {
      const { rows } = await client.query<Wall>(WALLS)
      walls = rows
      for (const { name } of TABLES) await client.query(`ALTER TABLE bursar.${name} DISABLE TRIGGER USER`)
      await client.query('SET CONSTRAINTS ALL IMMEDIATE')
      await client.query(`${MINTED} DEFERRABLE INITIALLY DEFERRED`)
    },
    async insert(table, rows) {
      await client.query({ text: insertSql(table), values: values(table, rows) })
    },
    async shut() {
      await client.query('SET CONSTRAINTS ALL IMMEDIATE')
      await client.query(`${MINTED} NOT DEFERRABLE`)
      for (const { table, name, state } of walls)
        await client.query(`ALTER TABLE bursar.${table} ${STATES[state]} TRIGGER ${name}`)
      // Whoever comes next plans by what there is.
      for (const { name } of TABLES) await client.query(`ANALYZE bursar.${name}`)
    },
    async insertCards(cards) {
      if (cards) await writeCards(client, cards)
    },
    lookAtCards: (work) => lookAtCards(client, work),
  }
}

interface Wall {
  readonly table: Table['name']
  readonly name: string
  readonly state: keyof typeof STATES
}
/** As the catalogue spells them. */
const STATES = { A: 'ENABLE ALWAYS', O: 'ENABLE', R: 'ENABLE REPLICA', D: 'DISABLE' } as const
const WALLS = `SELECT c.relname AS table, t.tgname AS name, t.tgenabled AS state
  FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = 'bursar'::pg_catalog.regnamespace AND NOT t.tgisinternal`
