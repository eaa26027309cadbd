import { readFileSync } from 'node:fs'
import pg from 'pg'
import type { Case, Seed } from './wall.ts'
import { copyRows } from './wall-copy.ts'
import { FUNCTIONS, inPostgres, type Shapes } from './wall-dialect.ts'
import { checksOf } from './wall-sqlite.ts'

/** Those that make tables. */
const MIGRATIONS = ['0000_bursar', '0004_kept'].map(
  (tag) => new URL(`../../drizzle/postgres/${tag}.sql`, import.meta.url),
)

/** CHECKs that the two say in different words: PostgreSQL's, and SQLite's. */
const WORDS: readonly (readonly [string, string])[] = [
  ['strpos(', 'instr('],
  ['"window"', 'window'],
  ['body::json IS NOT NULL', 'json_valid(body)'],
  ['narrowed::json IS NOT NULL', 'json_valid(narrowed)'],
  [
    "shape = lower(left(right(account, 40), 4)) || '…' || lower(right(account, 4))",
    "shape = lower(substr(account, -40, 4)) || '…' || lower(substr(account, -4))",
  ],
  [
    "day = to_char((make_date(1970, 1, 1) + (created_at / 86400000)::integer)::timestamp, 'YYYY-MM-DD')",
    "day = date(created_at / 1000, 'unixepoch')",
  ],
]

/** Unique indexes that say the same as a trigger, for when two write at once. */
const BESIDE: Readonly<Record<string, string>> = { instance_is_one: 'instance_one' }

/** Whoever gets at the tables as their owner does, and SQL in the words of SQLite. */
export class PostgresAttacker {
  readonly client: pg.Client
  /** Triggers with what they say, as in SQLite. */
  readonly triggers: ReadonlyMap<string, string>
  /** The table of each trigger. */
  private readonly places: ReadonlyMap<string, string>
  /** CHECKs by their names, as `table: expression` in the words of SQLite. */
  readonly checks: ReadonlyMap<string, string>
  private readonly shapes: Shapes
  private readonly ids: Seed['ids']

  private constructor(client: pg.Client, ids: Seed['ids'], shapes: Shapes, walls: readonly Wall[]) {
    this.client = client
    this.ids = ids
    this.shapes = shapes
    this.triggers = new Map(walls.map(({ name, said }) => [name, said]))
    this.places = new Map(walls.map(({ name, place }) => [name, place]))
    this.checks = namedChecks()
  }

  /** @param url a superuser's, of a database with bursar's migrations and no rows */
  static async open(url: string, { path, ids }: Seed): Promise<PostgresAttacker> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const shapes = await shapesOf(client)
    await copyRows(path, client, shapes)
    await client.query(FUNCTIONS)
    await client.query('SET search_path = bursar, sqlite, pg_catalog')
    return new PostgresAttacker(client, ids, shapes, await wallsOf(client))
  }

  /** What the database says to it, or null when it lets it pass. Nothing stays. `gone` is a trigger's or CHECK's name. */
  async try(one: Pick<Case, 'bad' | 'before' | 'without'>, gone?: string): Promise<string | null> {
    await this.client.query('BEGIN')
    try {
      for (const wall of [...(one.without ?? []), ...(gone === undefined ? [] : [gone])]) await this.takeAway(wall)
      if (gone !== undefined && BESIDE[gone]) await this.client.query(`DROP INDEX bursar.${BESIDE[gone]}`)
      // A column is changed to whatever differs: what a CHECK says of that is not asked.
      if (gone !== undefined && one.bad.startsWith('TOUCH ')) await this.dropChecks(/^TOUCH (\w+)/.exec(one.bad)?.[1])
      for (const sql of (one.before ?? '').split(';')) if (sql.trim()) await this.run(sql)
      return await this.refusal(one.bad)
    } finally {
      await this.client.query('ROLLBACK')
    }
  }

  /** For good: what a row belongs to is not asked any more. */
  async dropForeignKeys(): Promise<void> {
    const { rows } = await this.client.query(
      `SELECT conname, conrelid::regclass AS place FROM pg_constraint
       WHERE contype = 'f' AND connamespace = 'bursar'::regnamespace`,
    )
    for (const { conname, place } of rows) await this.client.query(`ALTER TABLE ${place} DROP CONSTRAINT ${conname}`)
  }

  private async takeAway(wall: string): Promise<void> {
    const place = this.places.get(wall)
    if (place) await this.client.query(`ALTER TABLE bursar.${place} DISABLE TRIGGER ${wall}`)
    const check = this.checks.get(wall)?.split(':')[0]
    if (check) await this.client.query(`ALTER TABLE bursar.${check} DROP CONSTRAINT ${wall}`)
  }

  private async dropChecks(table: string | undefined): Promise<void> {
    for (const [name, check] of this.checks) if (check.startsWith(`${table}: `)) await this.takeAway(name)
  }

  private async refusal(sql: string): Promise<string | null> {
    try {
      await this.run(sql)
      return null
    } catch (error) {
      const { message, constraint = '' } = error as pg.DatabaseError
      const check = this.checks.get(constraint)
      return check === undefined ? message : `CHECK constraint failed: ${check.slice(check.indexOf(':') + 2)}`
    }
  }

  private async run(sql: string): Promise<void> {
    await this.client.query(inPostgres(sql, this.ids, this.shapes))
  }
}

interface Wall {
  readonly name: string
  readonly place: string
  readonly said: string
}

async function wallsOf(client: pg.Client): Promise<Wall[]> {
  const { rows } = await client.query<Wall>(
    `SELECT t.tgname AS name, c.relname AS place, encode(t.tgargs, 'escape') AS said
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = 'bursar'::regnamespace AND NOT t.tgisinternal`,
  )
  return rows.map(({ name, place, said }) => ({ name, place, said: said.replace(/\\000$/, '') }))
}

async function shapesOf(client: pg.Client): Promise<Shapes> {
  const { rows } = await client.query<{ place: string; columns: [string, string][]; keys: string[] | null }>(
    `SELECT c.relname AS place,
       (SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, NULL)) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns,
       (SELECT json_agg(a.attname) FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
        WHERE k.conrelid = c.oid AND k.contype = 'p') AS keys
     FROM pg_class c WHERE c.relnamespace = 'bursar'::regnamespace AND c.relkind = 'r'`,
  )
  return {
    columns: new Map(rows.map(({ place, columns }) => [place, columns])),
    keys: new Map(rows.map(({ place, keys }) => [place, keys ?? []])),
  }
}

/** The CHECKs of the migrations by their names, as `table: expression` in the words of SQLite. */
function namedChecks(): Map<string, string> {
  const found = new Map<string, string>()
  const texts = MIGRATIONS.map((file) => readFileSync(file, 'utf8'))
  for (const statement of texts.join('--> statement-breakpoint').split('--> statement-breakpoint')) {
    const table = /CREATE TABLE bursar\.(\w+)/.exec(statement)?.[1]
    const names = [...statement.matchAll(/CONSTRAINT (\w+) CHECK \(/g)].map(([, name]) => name as string)
    if (!table) continue
    for (const [i, check] of checksOf(statement).entries()) {
      const said = WORDS.reduce((text, [here, there]) => text.replaceAll(here, there), check)
      found.set(names[i] as string, `${table}: ${said}`)
    }
  }
  return found
}
