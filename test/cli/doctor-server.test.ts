import { expect, it } from 'vitest'
import type { PrimaryReport } from '../../src/cli/database.ts'
import { serverFindings } from '../../src/cli/doctor/server.ts'

const GOOD: PrimaryReport = {
  ...{ where: 'db:5432/bursar', version: 180_001, schemaVersion: 3, live: true, service: null },
  role: { name: 'node', superuser: false, owner: false, powers: [], lacks: [] },
  settings: { synchronous_commit: 'on', synchronous_standby_names: '*', fsync: 'on', full_page_writes: 'on' },
  standbys: { connected: 2, synchronous: 1 },
  connections: { most: 97, used: 84 },
  ...{ clockAheadMs: 2_000, transport: 'checked' },
}

/** The checks that fail where the server is such. What no server of a test can be made to be. */
function wrongOf(change: Partial<PrimaryReport>): readonly string[] {
  const primary = { ...GOOD, ...change }
  const hosts = [{ where: primary.where, state: 'primary', problem: null, startedAt: 0 }] as const
  const findings = serverFindings({ kind: 'postgres', schemaKnown: 3, hosts, primary })
  for (const { ok, mend } of findings) expect(ok || mend !== undefined).toBe(true)
  return findings.filter(({ ok }) => !ok).map(({ check }) => check)
}

it.each([
  ['a server as it should be', {}, []],
  ['a server that is too old', { version: 140_012 }, ['database']],
  ['a clock that is ahead', { clockAheadMs: 2_001 }, ['clock']],
  ['a clock that is behind', { clockAheadMs: -2_001 }, ['clock']],
  ['no TLS', { transport: 'plain' }, ['transport']],
  ['a certificate that nobody looks at', { transport: 'unchecked' }, ['transport']],
  ['the same machine', { transport: 'here' }, []],
  ['no room for one more node', { connections: { most: 97, used: 85 } }, ['connections']],
  ['standbys of which none is in sync', { standbys: { connected: 2, synchronous: 0 } }, ['standby']],
  ['standbys that commits do not wait for', settings({ synchronous_standby_names: '' }), ['standby']],
  ['a service that keeps copies itself', { ...settings({ synchronous_standby_names: '' }), service: 'Amazon' }, []],
  ['pages that may be torn', settings({ full_page_writes: 'off' }), ['disk']],
] as [string, Partial<PrimaryReport>, string[]][])('of %s', (_what, change, wrong) => {
  expect(wrongOf(change)).toEqual(wrong)
})

function settings(change: Partial<PrimaryReport['settings']>): Partial<PrimaryReport> {
  return { settings: { ...GOOD.settings, ...change } }
}
