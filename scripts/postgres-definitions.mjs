// Writes drizzle/postgres/meta/definitions.json: digests of all that the migrations make, as servers of different versions
// write it. Each URL is of a superuser, or of a role that may create databases; one per version of PostgreSQL.
//
//   node scripts/postgres-definitions.mjs postgres://… postgres://…
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import pg from 'pg'

const ROOT = join(fileURLToPath(import.meta.url), '../..')
const FILE = join(ROOT, 'drizzle/postgres/meta/definitions.json')

async function load() {
  // Within the checkout, where packages are found.
  const folder = mkdtempSync(join(ROOT, 'node_modules/.bursar-definitions-'))
  const outfile = join(folder, 'program.mjs')
  try {
    buildSync({
      absWorkingDir: ROOT,
      stdin: {
        contents: `export { definitionsOf } from './src/store/postgres/definitions.ts'
          export { migrations } from './src/store/postgres/migrate.ts'`,
        resolveDir: ROOT,
        loader: 'ts',
      },
      ...{ outfile, bundle: true, format: 'esm', platform: 'node', packages: 'external', logLevel: 'warning' },
    })
    return await import(pathToFileURL(outfile).href)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function connected(url) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
}

async function definitionsOn(url, { definitionsOf, migrations }) {
  const name = `bursar_definitions_${process.pid}`
  const admin = await connected(url)
  await admin.query(`CREATE DATABASE ${name}`)
  const client = await connected(Object.assign(new URL(url), { pathname: `/${name}` }).href)
  try {
    for (const { sql } of migrations()) for (const statement of sql) await client.query(statement)
    await client.query('BEGIN')
    const texts = async (text) => (await client.query({ text, rowMode: 'array' })).rows.map(([value]) => value)
    return await definitionsOf({ texts })
  } finally {
    await client.end()
    await admin.query(`DROP DATABASE ${name}`)
    await admin.end()
  }
}

const program = await load()
const all = {}
for (const url of process.argv.slice(2))
  for (const [name, digest] of await definitionsOn(url, program))
    all[name] = [...new Set([...(all[name] ?? []), digest])]
writeFileSync(FILE, `${JSON.stringify(all, null, 1)}\n`)
console.log(
  `${Object.keys(all).length} definitions, ${Object.values(all).filter((d) => d.length > 1).length} with several spellings`,
)
