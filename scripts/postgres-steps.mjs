// Writes the part of drizzle/postgres/0001_steps.sql that follows from src/store/postgres/schema.ts: how a row of each table
// is made and changed.
//
//   node scripts/postgres-steps.mjs           write it
//   node scripts/postgres-steps.mjs --check   change nothing; fail where it is not what the schema says
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const FILE = join(ROOT, 'drizzle/postgres/0001_steps.sql')
const MADE = /(?<=-- made: begin\n)[\s\S]*?(?=^ *-- made: end$)/m

const SOURCES = `
export { KEYS } from './src/core/tables.ts'
export { rowsOf } from './src/store/postgres/rows.ts'
`

async function load() {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-steps-'))
  const outfile = join(folder, 'program.mjs')
  try {
    buildSync({
      absWorkingDir: ROOT,
      stdin: { contents: SOURCES, resolveDir: ROOT, loader: 'ts' },
      ...{ outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'warning' },
    })
    return await import(pathToFileURL(outfile).href)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A name that is a word of SQL, too. */
const quoted = (name) => (['window', 'from', 'to'].includes(name) ? `"${name}"` : name)

function branch(table, rows) {
  const columns = rows.columns.map(({ name }) => quoted(name)).join(', ')
  const changed = rows.columns
    .map(({ name, adds }) => `r.${quoted(name)}${adds ? ` + coalesce((c -> 'add' ->> '${name}')::bigint, 0)` : ''}`)
    .join(', ')
  const named = rows.key.map((name) => `t.${quoted(name)} = ${typed(rows, name)}`).join(' AND ')
  const made = rows.key.map((name) => `t.${quoted(name)} = m.${quoted(name)}`).join(' AND ')
  return `    WHEN '${table}' THEN
      IF one ? 'insert' THEN
        INSERT INTO ${rows.name} (${columns})
        SELECT ${columns} FROM jsonb_populate_recordset(NULL::${rows.name}, one -> 'insert');
      ELSE
        UPDATE ${rows.name} AS t SET (${columns}) = (
          SELECT ${changed}
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE ${named};
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO ${rows.name} (${columns})
          SELECT ${rows.columns.map(({ name }) => `m.${quoted(name)}`).join(', ')}
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::${rows.name}, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM ${rows.name} t WHERE ${made});
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of ${table} that is not there.';
          END IF;
        END IF;
      END IF;
`
}

function typed(rows, name) {
  const { type } = rows.columns.find((column) => column.name === name)
  const value = `c -> 'key' ->> '${name}'`
  return type === 'text' ? value : `(${value})::${type}`
}

const { KEYS, rowsOf } = await load()
const made = Object.keys(KEYS)
  .map((table) => branch(table, rowsOf(table)))
  .join('')
const text = readFileSync(FILE, 'utf8')
const wanted = text.replace(MADE, () => made)
if (!process.argv.includes('--check')) writeFileSync(FILE, wanted)
else if (wanted !== text) {
  console.error('drizzle/postgres/0001_steps.sql is not what the schema says: run node scripts/postgres-steps.mjs')
  process.exitCode = 1
}
