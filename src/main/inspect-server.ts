import type pg from 'pg'
import type { HostReport, PrimaryReport, ServerReport } from '../cli/database.ts'
import { hostUrls } from '../store/postgres/hosts.ts'
import { FACTS, type Facts } from './inspect-facts.ts'
import { problemOf, transportOf, whereOf, withHost } from './reach.ts'

const CLOCK_SAMPLES = 3

/** What every host of the URL says, and of the primary all that bursar depends on. Changes nothing. @throws `config_invalid` */
export async function inspectServer(url: string, schemaKnown: number): Promise<ServerReport> {
  const looks = await Promise.all(hostUrls(url).map(inspectHost))
  const primary = looks.find(({ report }) => report !== null)?.report ?? null
  return { kind: 'postgres', schemaKnown, hosts: looks.map(({ host }) => host), primary }
}

interface Look {
  readonly host: HostReport
  readonly report: PrimaryReport | null
}

async function inspectHost(url: string): Promise<Look> {
  const where = whereOf(url)
  try {
    return await withHost(url, async (client) => {
      const { rows } = await client.query<{ standby: boolean; started: Date }>(
        'SELECT pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.pg_postmaster_start_time() AS started',
      )
      const [row] = rows
      const startedAt = row?.started.getTime() ?? null
      if (row?.standby !== false) return { host: { where, state: 'standby', problem: null, startedAt }, report: null }
      const report = await inspectPrimary(client, where)
      return { host: { where, state: 'primary', problem: null, startedAt }, report }
    })
  } catch (error) {
    return { host: { where, state: 'unreachable', problem: problemOf(error), startedAt: null }, report: null }
  }
}

async function inspectPrimary(client: pg.Client, where: string): Promise<PrimaryReport> {
  const transport = transportOf(client)
  const clockAheadMs = await clockAhead(client)
  // As one reader, and by names that nobody can have put in the way.
  await client.query('BEGIN TRANSACTION READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp')
  const { rows } = await client.query<{ facts: Facts }>(FACTS)
  const { facts } = rows[0] as { facts: Facts }
  const { schema, role, ...others } = facts
  const schemaVersion = await schemaOf(client, schema)
  const live = schemaVersion && schema.wallets ? await hasLive(client) : null
  await client.query('COMMIT')
  return {
    ...{ where, transport, clockAheadMs, schemaVersion, live },
    ...others,
    role: { ...role, owner: schema.owner },
  }
}

/** Of several askings the one that was the quickest says the most. */
async function clockAhead(client: pg.Client): Promise<number> {
  const samples: { ahead: number; took: number }[] = []
  for (let i = 0; i < CLOCK_SAMPLES; i++) {
    const sent = Date.now()
    const { rows } = await client.query<{ now: Date }>('SELECT pg_catalog.clock_timestamp() AS now')
    const [took, now] = [Date.now() - sent, rows[0]?.now.getTime() ?? sent]
    samples.push({ ahead: now - sent - took / 2, took })
  }
  const { ahead, took } = samples.reduce((best, one) => (one.took < best.took ? one : best))
  return Math.sign(ahead) * Math.max(0, Math.round(Math.abs(ahead) - took / 2))
}

/** 0: no bursar. Null: not for this role to read. */
async function schemaOf(client: pg.Client, { exists, version }: Facts['schema']): Promise<number | null> {
  if (!exists) return 0
  if (version === 'missing') return 0
  if (version === 'forbidden') return null
  const { rows } = await client.query<{ version: number }>('SELECT version FROM bursar.schema_version')
  return Number(rows[0]?.version ?? 0)
}

async function hasLive(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ live: boolean }>(
    "SELECT EXISTS (SELECT FROM bursar.wallets WHERE mode = 'live') AS live",
  )
  return rows[0]?.live === true
}
