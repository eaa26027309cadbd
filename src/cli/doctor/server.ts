import type { HostReport, PrimaryReport, ServerReport } from '../database.ts'
import { type Finding, fine, unfit, wrong } from './finding.ts'
import { keepingFindings } from './server-keeping.ts'

const VERSION_MIN = 15
/** What one node takes at most: for steps and readers, one to listen, and one for each duty. */
const NODE_CONNECTIONS = 13
const CLOCK_APART_MS = 2_000
const SHOWN = 3

/**
 * What a PostgreSQL server says: first what bursar cannot run without, then what money needs. Where no primary can be used, that
 * alone is said.
 */
export function serverFindings(report: ServerReport): readonly Finding[] {
  const { primary, hosts } = report
  if (primary === null) return [nobodyFinding(hosts)]
  // Before there is a wallet, none is live.
  const live = primary.live ?? false
  return [
    databaseFinding(primary),
    ...hostFindings(hosts, live),
    schemaFinding(primary, report.schemaKnown),
    ...(primary.schemaVersion === 0 ? [] : [roleFinding(primary, live)]),
    ...keepingFindings(primary, live),
    ...wayFindings(primary),
  ]
}

function nobodyFinding(hosts: readonly HostReport[]): Finding {
  const found = hosts.map(({ where, state, problem }) => `${where}: ${problem ?? `it is a ${state}`}`).join('; ')
  const mend = hosts.some(({ state }) => state === 'standby')
    ? 'A standby takes no payments. Name the primary in BURSAR_DATABASE_URL as well, or promote the standby.'
    : 'Start the server, or correct BURSAR_DATABASE_URL. Until then nothing is paid.'
  return wrong('database', found, mend)
}

function databaseFinding({ where, version }: PrimaryReport): Finding {
  const major = Math.floor(version / 10_000)
  const found = `${where}, PostgreSQL ${major}.${version % 10_000}, primary`
  if (major >= VERSION_MIN) return fine('database', found)
  return wrong('database', found, `bursar needs PostgreSQL ${VERSION_MIN} or newer.`)
}

function schemaFinding({ schemaVersion, role }: PrimaryReport, known: number): Finding {
  if (schemaVersion === null || role.lacks.length > 0) return wrong('schema', lacks(role), grant(role))
  const found = schemaVersion === 0 ? 'there is none' : `${schemaVersion} of ${known}`
  if (schemaVersion > known) return wrong('schema', found, 'A newer bursar wrote it. Run that one.')
  if (schemaVersion === known) return fine('schema', found)
  return wrong('schema', found, 'Run `bursar database migrate` with the URL of the role that owns the tables.')
}

function lacks({ name, lacks: all }: PrimaryReport['role']): string {
  const more = all.length > SHOWN ? ` and ${all.length - SHOWN} more` : ''
  return `${name} lacks ${all.slice(0, SHOWN).join(', ')}${more}`
}

function grant({ name }: PrimaryReport['role']): string {
  return `Run \`bursar database migrate --grant-to ${name}\` with the URL of the role that owns the tables.`
}

function hostFindings(hosts: readonly HostReport[], live: boolean): readonly Finding[] {
  if (hosts.length === 1) return []
  const found = hosts.map(({ where, state, problem }) => `${where} ${problem ?? state}`).join('; ')
  // Two addresses of one server, as of a proxy, are not two servers.
  const primaries = new Set(hosts.filter(({ state }) => state === 'primary').map(({ startedAt }) => startedAt))
  if (primaries.size > 1)
    return [
      wrong(
        'hosts',
        found,
        'More than one takes payments, and each knows only its own: stop every bursar, then all of them but one, before anything else.',
      ),
    ]
  if (hosts.every(({ state }) => state !== 'unreachable')) return [fine('hosts', found)]
  return [unfit(live, 'hosts', found, 'Without it there is nobody to take over. Mend it, or take it out of the URL.')]
}

/** A node that owns the tables can alter them, and so can whoever gets into the node. */
function roleFinding({ role }: PrimaryReport, live: boolean): Finding {
  const { name, superuser, owner, powers } = role
  const mend =
    'Run `bursar database migrate --grant-to ROLE` with the URL that nodes have now, and give nodes the URL of ROLE, a role of its own.'
  if (superuser) return unfit(live, 'role', `${name} is a superuser`, mend)
  if (owner) return unfit(live, 'role', `${name} owns the tables, and can alter and empty them`, mend)
  if (powers.length === 0) return fine('role', `${name}, which can only do what a node needs`)
  const more = powers.length > SHOWN ? ` and ${powers.length - SHOWN} more` : ''
  return unfit(
    live,
    'role',
    `${name} may ${powers.slice(0, SHOWN).join(', ')}${more}`,
    `${grant(role)} It takes back what ${name} itself was granted; what comes by membership of other roles you revoke.`,
  )
}

function wayFindings({ clockAheadMs, transport, connections }: PrimaryReport): readonly Finding[] {
  return [clockFinding(clockAheadMs), transportFinding(transport), connectionFinding(connections)]
}

function clockFinding(ahead: number): Finding {
  const found = `${(Math.abs(ahead) / 1_000).toFixed(1)} s ${ahead < 0 ? 'behind' : 'ahead of'} this machine's`
  if (Math.abs(ahead) <= CLOCK_APART_MS) return fine('clock', `the server's is ${found}`)
  return wrong(
    'clock',
    `the server's is ${found}`,
    'Limits by the day and ends of instruments are by the clock of each node. Run NTP on nodes and server.',
  )
}

function transportFinding(transport: PrimaryReport['transport']): Finding {
  if (transport === 'here') return fine('transport', 'the server is on this machine')
  if (transport === 'checked') return fine('transport', 'TLS, and the certificate holds')
  const mend = 'Add sslmode=verify-full to BURSAR_DATABASE_URL, and sslrootcert=FILE where the authority is your own.'
  const found =
    transport === 'plain'
      ? 'no TLS: whoever is on the way reads the password and can write as bursar'
      : 'TLS, but nobody looks at the certificate: whoever is on the way can be the server'
  return wrong('transport', found, mend)
}

function connectionFinding({ most, used }: PrimaryReport['connections']): Finding {
  const found = `${used} of ${most} in use; a node takes up to ${NODE_CONNECTIONS}`
  if (most - used >= NODE_CONNECTIONS) return fine('connections', found)
  return wrong(
    'connections',
    found,
    'Raise max_connections, or the limit of the role, or put a PgBouncer in between: a node that gets none does not pay.',
  )
}
