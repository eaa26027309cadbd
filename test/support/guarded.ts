import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'

/** A folder that goes when whoever made it ends, in whatever way. */
export interface Guarded {
  /** Ends what servers still run in it, at once, and removes it. */
  remove(): Promise<void>
}

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

/** Has a guard outside of this process group watch over a folder. */
export function guarded(path: string): Guarded {
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
    if (existsSync(path)) throw new Error(`The folder ${path} of a test could not be removed.`)
  }
  return { remove }
}
