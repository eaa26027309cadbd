import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '../../config.ts'
import type { FileReport } from '../database.ts'
import type { Program } from '../program.ts'
import { channelFindings } from './channels.ts'
import { attempt, attemptAll, type Finding, fine, wrong } from './finding.ts'
import { serverFindings } from './server.ts'

const OTHERS = 0o077
const SPACE_MIN_BYTES = 100 * 1024 * 1024
const PUT_BACK = 'Put a backup in its place: see `bursar backup --help`.'
const SET_UP = 'Run `bursar init`, or let an agent host start `bursar mcp`, which makes a sandbox.'

/** Where everything is kept, and whether it can be read. */
export async function homeFindings(program: Program): Promise<readonly Finding[]> {
  const { home } = program.config()
  if (!existsSync(home.directory)) return [wrong('home', `${home.directory} is not there`, SET_UP)]
  return [
    directoryFinding(home.directory),
    await attempt('disk space', 'Make room on the disk of BURSAR_HOME.', () => spaceFinding(home.directory)),
    ...[home.journalKey, home.ownerKey].map((path) =>
      keyFinding(path, 'Put it back from a backup: see `bursar backup --help`.'),
    ),
    ...secretsIn(home)
      .filter(existsSync)
      .map((path) => keyFinding(path, '')),
    ...(await channelFindings(program)),
    ...(await attemptAll('database', PUT_BACK, () => databaseFindings(program))),
  ]
}

/** What there may be besides. */
function secretsIn({ ownerPassphrase, networks, channels, vaultPassphrase, accounts }: Home): readonly string[] {
  const keys = existsSync(accounts) ? readdirSync(accounts) : []
  return [ownerPassphrase, networks, channels, vaultPassphrase, ...keys.map((name) => join(accounts, name))]
}

function directoryFinding(directory: string): Finding {
  if (isPrivate(directory)) return fine('home', directory)
  return wrong('home', `${directory} is open to other users`, `chmod 700 ${directory}`)
}

function keyFinding(path: string, mend: string): Finding {
  if (!existsSync(path)) return wrong('key file', `${path} is not there`, mend)
  if (isPrivate(path)) return fine('key file', path)
  return wrong('key file', `${path} is open to other users`, `chmod 600 ${path}`)
}

/** Windows keeps no such bits. */
function isPrivate(path: string): boolean {
  return process.platform === 'win32' || (statSync(path).mode & OTHERS) === 0
}

function spaceFinding(directory: string): Finding {
  const { bavail, bsize } = statfsSync(directory)
  const found = `${Math.floor((bavail * bsize) / 1024 / 1024)} MiB free`
  if (bavail * bsize >= SPACE_MIN_BYTES) return fine('disk space', found)
  return wrong(
    'disk space',
    found,
    'Make room on the disk of BURSAR_HOME: a payment that cannot be written is refused.',
  )
}

async function databaseFindings(program: Program): Promise<readonly Finding[]> {
  const report = await program.inspectDatabase()
  if (report?.kind === 'postgres') return serverFindings(report)
  const { database } = program.config()
  const path = database.kind === 'file' ? database.path : ''
  if (report === null) return [wrong('database', `${path} is not there`, SET_UP)]
  return [fileFinding(report)]
}

function fileFinding({ path, schemaVersion, schemaKnown, integrity }: FileReport): Finding {
  if (integrity !== 'ok') return wrong('database', 'its integrity check fails', PUT_BACK)
  const found = `${path}, schema ${schemaVersion} of ${schemaKnown}, integrity ok`
  if (schemaVersion > schemaKnown) return wrong('database', found, 'A newer bursar wrote it. Run that one.')
  return fine('database', found)
}
