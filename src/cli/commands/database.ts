import type { Command } from 'commander'
import { BursarError } from '../../core/errors.ts'
import type { DatabaseReport } from '../database.ts'
import { JSON_OPTION } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const MIGRATING = `
For PostgreSQL. Run it with BURSAR_DATABASE_URL of the role that owns the tables, before nodes of a new version start; or
once, for an empty database. Nodes connect as another role, which can neither delete nor alter anything:

  psql -c "CREATE ROLE bursar_node LOGIN PASSWORD '…'"
  BURSAR_DATABASE_URL=postgres://bursar_owner:…@db.example.com/bursar bursar database migrate --grant-to bursar_node

A role that was granted before is granted what is new without --grant-to. Doing it twice does nothing more.`

interface MigrateOptions extends JsonOption {
  readonly grantTo?: string
}

export function databaseCommand(root: Command, shell: Shell): void {
  const database = root.command('database').description('The database itself: what it is, and bringing it up to date')
  database
    .command('show')
    .description('Show which database it is, and whether its schema is the one that this bursar knows')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => {
      shell.output.show(options, viewOf(await shell.program.inspectDatabase(), pathOf(shell)))
    })
  database
    .command('migrate')
    .description('Make or renew the tables of a PostgreSQL database, as the role that owns them')
    .option('--grant-to <role>', 'a role that nodes connect as: it is given what a node needs, and nothing else')
    .option(...JSON_OPTION)
    .addHelpText('after', MIGRATING)
    .action(async (options: MigrateOptions) => {
      const { where, before, after, granted } = await shell.program.migrateDatabase(options.grantTo ?? null)
      shell.output.show(options, { database: where, schema_before: before, schema_version: after, granted_to: granted })
      if (granted.length === 0) shell.output.note(options, NOBODY)
    })
}

const NOBODY = 'No role of nodes has rights here yet: with --grant-to ROLE one gets them.\n'

function pathOf({ program }: Shell): string {
  const { database } = program.config()
  return database.kind === 'file' ? database.path : ''
}

/** @throws `rail_unavailable` where no primary can be reached */
function viewOf(report: DatabaseReport | null, path: string): object {
  if (report === null) return { kind: 'file', where: path, schema_version: null, schema_known: null }
  const { kind, schemaKnown: schema_known } = report
  if (report.kind === 'file') return { kind, where: report.path, schema_version: report.schemaVersion, schema_known }
  const { hosts, primary } = report
  const view = hosts.map(({ where, state, problem }) => ({ where, state, ...(problem !== null && { problem }) }))
  if (primary === null)
    throw new BursarError(
      'rail_unavailable',
      `No primary was reached: ${hosts.map(({ where, state, problem }) => `${where}: ${problem ?? `it is a ${state}`}`).join('; ')}.`,
    )
  const { where, role, version, schemaVersion: schema_version } = primary
  const server_version = `${Math.floor(version / 10_000)}.${version % 10_000}`
  return { kind, where, role: role.name, server_version, schema_version, schema_known, hosts: view }
}
