/**
 * Ends the process once what it said was written. It does not return from the event loop instead, because tearing down
 * the heap then aborts on Node 24, now and then: better-sqlite3 12 frees its statements after their environment is gone.
 */
export async function end(code: number): Promise<never> {
  await Promise.all([written(process.stdout), written(process.stderr)])
  process.exit(code)
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}
