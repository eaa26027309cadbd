import type { PrimaryReport } from '../database.ts'
import { type Finding, fine, unfit, wrong } from './finding.ts'

/** Whether what was committed stays, whatever fails: the disk's part, then the other machine's. */
export function keepingFindings(primary: PrimaryReport, live: boolean): readonly Finding[] {
  return [diskFinding(primary), commitFinding(primary), standbyFinding(primary, live)]
}

function diskFinding({ settings }: PrimaryReport): Finding {
  const off = (['fsync', 'full_page_writes'] as const).filter((name) => settings[name] !== 'on')
  if (off.length === 0) return fine('disk', 'fsync and full_page_writes are on')
  return wrong(
    'disk',
    `${off.join(' and ')} ${off.length > 1 ? 'are' : 'is'} off`,
    'After a crash the database may have lost payments, or not open at all. Turn it on in postgresql.conf and restart the server.',
  )
}

function commitFinding({ settings, role }: PrimaryReport): Finding {
  const held = settings.synchronous_commit
  const found = `synchronous_commit is ${held} for ${role.name}`
  if (!['off', 'local'].includes(held)) return fine('commits', found)
  const lost = held === 'off' ? 'A crash loses the last commits.' : 'Commits do not wait for the standby.'
  const where = 'It may be set in postgresql.conf, by ALTER DATABASE or by ALTER ROLE.'
  return wrong('commits', found, `${lost} A payment may have left and be unknown here. Set it to on. ${where}`)
}

/** Without a standby that every commit waits for, the last payments are lost together with the primary. */
function standbyFinding({ settings, standbys, service }: PrimaryReport, live: boolean): Finding {
  const names = settings.synchronous_standby_names
  const { connected, synchronous } = standbys
  if (names === '' && service !== null)
    return fine(
      'standby',
      `not to be seen from here: ${service} keeps copies below PostgreSQL. See there that they are in more than one zone`,
    )
  if (names === '')
    return unfit(
      live,
      'standby',
      connected === 0 ? 'there is none' : `${connected} connected, and no commit waits for any`,
      'When the primary is lost, the last payments are lost with it: they left, and nobody knows of them. Set up a standby and synchronous_standby_names: docs/postgres.md#synchronous-replication.',
    )
  if (connected === 0 || synchronous === 0)
    return wrong(
      'standby',
      `synchronous_standby_names is ${names}, and ${connected === 0 ? 'no standby is connected' : 'none of those is in sync'}`,
      'Every commit waits, and no payment is made, until one is. Start the standby, or see why it lags: pg_stat_replication.',
    )
  if (synchronous === null) return fine('standby', `${connected} connected; to see if in sync: GRANT pg_read_all_stats`)
  return fine('standby', `${synchronous} in sync, for ${names}`)
}
