import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { BursarError } from '../core/errors.ts'

/** What is longer is not read. */
export const FILE_BYTES_MAX = 128 * 1024
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
const OTHERS = 0o077
const ROOT = 0
/** Reading by the group, the one right that {@link isForUserOnly} may let pass. */
const GROUP_READ = 0o040

/** Creates a file whole or not at all. False when another process was first: its file stays and this text is dropped. */
export function createFile(path: string, text: string): boolean {
  const directory = dirname(path)
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`
  try {
    fs.mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
    assertPrivate(directory, fs.statSync(directory), '700')
    writeDurably(temporary, text)
    // A link, unlike a rename, never replaces what is there.
    fs.linkSync(temporary, path)
    syncDirectory(directory)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw fileError(error, path)
  } finally {
    fs.rmSync(temporary, { force: true })
  }
}

function writeDurably(path: string, text: string): void {
  const file = fs.openSync(path, 'wx', FILE_MODE)
  try {
    fs.writeFileSync(file, text)
    fs.fsyncSync(file)
  } finally {
    fs.closeSync(file)
  }
}

/** A new name survives a crash once its directory is on disk. Windows cannot and need not sync one. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const directory = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(directory)
  } finally {
    fs.closeSync(directory)
  }
}

/** A file that {@link createFile} made. @throws `config_invalid` when it is missing, or others can reach it or its directory */
export function readFile(path: string): string {
  try {
    assertPrivate(dirname(path), fs.statSync(dirname(path)), '700')
  } catch (error) {
    throw fileError(error, path)
  }
  return readOpened(path, (stat) => assertPrivate(path, stat, '600'))
}

/** A file that whoever runs bursar put there, in a directory of any kind. @throws `config_invalid` as {@link readFile} */
export function readGivenFile(path: string): string {
  return readOpened(path, (stat) => {
    if (process.platform !== 'win32' && !isForUserOnly(stat, process.getuid?.())) throw reachable(path, '400')
  })
}

/**
 * Whether nobody but this user, and root, reads the file. systemd's credentials belong to root and let the service in by
 * an access list, which the group's bits show: they are root's group's, so nobody else is let in by them.
 */
export function isForUserOnly(
  { uid, gid, mode }: Pick<fs.Stats, 'uid' | 'gid' | 'mode'>,
  user: number | undefined,
): boolean {
  if (uid !== user && uid !== ROOT) return false
  const rights = mode & OTHERS
  return rights === 0 || (rights === GROUP_READ && uid === ROOT && gid === ROOT)
}

function readOpened(path: string, assertReadable: (stat: fs.Stats) => void): string {
  try {
    // Checked on the open file: by path, it could be another one by the time it is read. Non-blocking, or a pipe hangs.
    const file = fs.openSync(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0))
    try {
      const stat = fs.fstatSync(file)
      if (!stat.isFile() || stat.size > FILE_BYTES_MAX) throw unreadable(path, 'it is not a small regular file')
      assertReadable(stat)
      return fs.readFileSync(file, 'utf8')
    } finally {
      fs.closeSync(file)
    }
  } catch (error) {
    throw fileError(error, path)
  }
}

/** The names in a directory; none where there is no directory. @throws `config_invalid` when it cannot be read */
export function namesIn(directory: string): readonly string[] {
  if (!fs.existsSync(directory)) return []
  try {
    return fs.readdirSync(directory)
  } catch (error) {
    throw fileError(error, directory)
  }
}

/** @throws `config_invalid`, without a word of what was read */
export function parseJson(path: string, text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    throw unreadable(path, 'it is not JSON')
  }
}

/** Windows keeps no such bits; there, the user's profile is the protection. */
function assertPrivate(path: string, stat: fs.Stats, mode: '600' | '700'): void {
  if (process.platform === 'win32') return
  if (stat.uid !== process.getuid?.())
    throw new BursarError('config_invalid', `${path} belongs to another user, who can read and replace what is in it.`)
  if ((stat.mode & OTHERS) !== 0) throw reachable(path, mode)
}

function reachable(path: string, mode: '400' | '600' | '700'): BursarError {
  return new BursarError(
    'config_invalid',
    `Other users of this machine can reach ${path}, which is for secrets. Run: chmod ${mode} ${path}`,
  )
}

function fileError(error: unknown, path: string): BursarError {
  return error instanceof BursarError
    ? error
    : unreadable(path, `the system answers ${codeOf(error) ?? 'an unknown error'}`)
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

export function unreadable(path: string, why: string): BursarError {
  return new BursarError('config_invalid', `The file ${path} cannot be used: ${why}.`)
}
