import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configOf, defaultHome } from '../../src/config.ts'
import { BursarError } from '../../src/core/errors.ts'
import { errorFields, logger } from '../../src/telemetry.ts'

describe('the log', () => {
  const lines: string[] = []
  const log = logger({
    level: 'info',
    clock: { now: () => 0 },
    write: (line) => lines.push(line),
    secrets: ['bak_1', null],
  })
  const last = () => JSON.parse(lines.at(-1) ?? '')

  it('writes one JSON object a line, from its level on', () => {
    log.debug('no')
    log.info('yes', { units: 12n })
    expect(lines).toEqual(['{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"yes","units":"12"}\n'])
  })

  it('security: hides secrets by name and by value, wherever they stand', () => {
    log.warn('key is bak_1', { passphrase: 'x', nested: { agent_key: 'y', said: ['the bak_1 of it'] } })
    expect(last()).toMatchObject({
      message: 'key is [redacted]',
      passphrase: '[redacted]',
      nested: { agent_key: '[redacted]', said: ['the [redacted] of it'] },
    })
  })

  it("security: says nothing of another's error but its kind", () => {
    expect(JSON.stringify(errorFields(new TypeError('card 4242424242424242')))).not.toContain('4242')
    expect(errorFields(new BursarError('busy', 'Ours.'))).toEqual({ code: 'busy', error: 'Ours.' })
  })
})

describe('the home', () => {
  it('is where the system keeps data', () => {
    expect(defaultHome({ XDG_DATA_HOME: '/data' }, 'linux')).toBe('/data/bursar')
    expect(defaultHome({ XDG_DATA_HOME: 'data' }, 'linux')).toBe(join(homedir(), '.local', 'share', 'bursar'))
    expect(defaultHome({}, 'darwin')).toBe(join(homedir(), 'Library', 'Application Support', 'bursar'))
    expect(defaultHome({}, 'win32')).toBe(join(homedir(), 'AppData', 'Local', 'bursar'))
  })

  it('holds the database, unless a URL names another file', () => {
    expect(configOf({ BURSAR_HOME: '/h' }).database).toEqual({ kind: 'file', path: '/h/bursar.db' })
    expect(configOf({ BURSAR_HOME: '/h', BURSAR_DATABASE_URL: 'file:/d/x.db' }).database).toEqual({
      kind: 'file',
      path: '/d/x.db',
    })
    expect(configOf({ BURSAR_HOME: '/h', BURSAR_DATABASE_URL: 'file:///d/y.db' }).database).toEqual({
      kind: 'file',
      path: '/d/y.db',
    })
  })
})
