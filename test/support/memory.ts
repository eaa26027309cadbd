import { accessSync, constants, mkdtempSync, readFileSync, statfsSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { guarded } from './guarded.ts'

const MEMORY = '/dev/shm'
/** What must be free, in bytes. A container often has 64 MiB of it. */
const NEEDED = 4 * 1024 ** 3

/**
 * vitest runs this once. From then on the temporary folders of the run are in memory where the system has a file system
 * there: tests make tens of thousands of files for a moment each, and none of them is about a machine that loses its power.
 */
export default function setup(): (() => Promise<void>) | undefined {
  const memory = memoryFolder()
  if (memory === null) return undefined
  const { TMPDIR } = process.env
  // Not BURSAR_…: bursar refuses a setting that it does not know.
  process.env.TMPDIR_ON_DISK = tmpdir()
  const path = mkdtempSync(join(memory, 'bursar-run-'))
  const guard = guarded(path)
  process.env.TMPDIR = path
  return async () => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    delete process.env.TMPDIR_ON_DISK
    await guard.remove()
  }
}

/** Where files can be made in memory and programs run from there; null where that is nowhere, or there is little room. */
export function memoryFolder(): string | null {
  try {
    accessSync(MEMORY, constants.R_OK | constants.W_OK | constants.X_OK)
    const { bavail, bsize } = statfsSync(MEMORY)
    return runsPrograms(MEMORY) && Math.min(bavail * bsize, freemem()) >= NEEDED ? MEMORY : null
  } catch {
    return null
  }
}

/** The temporary folder for what is there to stay, or has to wait for a disk. */
export function diskFolder(): string {
  return process.env.TMPDIR_ON_DISK ?? tmpdir()
}

function runsPrograms(path: string): boolean {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const [, , type, options = ''] = mounts.map((line) => line.split(' ')).findLast(([, at]) => at === path) ?? []
  return type === 'tmpfs' && !options.split(',').includes('noexec')
}
