import type { Bursar } from '../ports.ts'

/** Records that a process of bursar began or ended its work. `surface` is `mcp` or `cli`. */
export async function recordProcess(
  bursar: Bursar,
  type: 'started' | 'stopped',
  surface: string,
  version: string,
): Promise<void> {
  const actor = { role: 'system' as const, id: `process-${process.pid}` }
  await bursar.store.update({}, () => ({
    facts: [{ type: `process.${type}`, actor, details: { version, surface } }],
    result: null,
  }))
}
