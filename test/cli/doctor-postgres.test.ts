import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../support/postgres.ts'
import { cluster } from '../support/postgres-cluster.ts'
import { freePort } from '../support/postgres-server.ts'
import { emptyHome, newHome } from './fixture.ts'
import { examined, on, type Purse, purseOn, roleOf, setSchema, sql } from './postgres-fixture.ts'

describe('`bursar doctor` with PostgreSQL', () => {
  let purse: Purse
  beforeAll(async () => {
    purse = await purseOn('durable')
    return () => purse.drop()
  })

  it('finds nothing wrong for a role of nodes, and warns that there is no standby', async () => {
    const { code, wrong, warnings, of } = await examined(purse.home, purse.url)
    expect({ code, wrong, warnings }).toEqual({ code: 0, wrong: [], warnings: ['standby'] })
    expect(of('database')?.found).toMatch(/^127\.0\.0\.1:\d+\/\w+, PostgreSQL \d+\.\d+, primary$/)
    expect(of('role')?.found).toContain(roleOf(purse.url))
    expect(of('standby')?.mend).toContain('the last payments are lost')
    for (const check of ['schema', 'disk', 'commits', 'clock', 'transport', 'connections', 'checks', 'journal'])
      expect(of(check), check).toMatchObject({ ok: true })
  })

  it('shows a warning to people, with what to do', async () => {
    const { code, stdout } = await on(purse.url, purse.home, ['doctor'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^standby +warning +there is none$/m)
    expect(stdout).toContain('synchronous_standby_names')
  })

  it('warns of a node that owns the tables, or is a superuser', async () => {
    const owner = await examined(purse.home, purse.ownerUrl)
    expect(owner).toMatchObject({ code: 0, wrong: [], warnings: ['role', 'standby'] })
    expect(owner.of('role')?.found).toContain('owns the tables')
    const admin = await examined(purse.home, purse.adminUrl)
    expect(admin.of('role')).toMatchObject({ warning: true, found: expect.stringContaining('superuser') })
  })

  it('warns of a right that no node needs', async () => {
    const node = roleOf(purse.url)
    await sql(purse.ownerUrl, `GRANT DELETE ON bursar.payments TO ${node}`)
    const { warnings, of } = await examined(purse.home, purse.url)
    expect(warnings).toContain('role')
    expect(of('role')?.found).toBe(`${node} may DELETE on payments`)
    await on(purse.ownerUrl, purse.home, ['database', 'migrate'])
    expect((await examined(purse.home, purse.url)).warnings).toEqual(['standby'])
  })

  it('sees commits that do not wait for the disk, wherever that is set', async () => {
    await sql(purse.adminUrl, `ALTER DATABASE ${purse.name} SET synchronous_commit = local`)
    expect(await examined(purse.home, purse.url)).toMatchObject({ code: 4, wrong: ['commits'] })
    await sql(purse.adminUrl, `ALTER DATABASE ${purse.name} SET synchronous_commit = off`)
    const { wrong, of } = await examined(purse.home, purse.url)
    expect(wrong).toEqual(['commits', 'opening'])
    expect(of('opening')?.found).toContain('synchronous_commit')
    await sql(purse.adminUrl, `ALTER DATABASE ${purse.name} RESET synchronous_commit`)
  })

  it('sees a role that would get no connection', async () => {
    await sql(purse.adminUrl, `ALTER DATABASE ${purse.name} CONNECTION LIMIT 5`)
    const { code, wrong, of } = await examined(purse.home, purse.url)
    expect({ code, wrong }).toEqual({ code: 4, wrong: ['connections'] })
    expect(of('connections')?.found).toMatch(/ of 5 in use/)
    await sql(purse.adminUrl, `ALTER DATABASE ${purse.name} CONNECTION LIMIT -1`)
  })

  it('sees that the checks of the database were altered', async () => {
    await sql(purse.ownerUrl, 'ALTER TABLE bursar.events DISABLE TRIGGER USER')
    const { code, wrong } = await examined(purse.home, purse.url)
    expect({ code, wrong }).toEqual({ code: 4, wrong: ['checks'] })
  })
})

it('stops at a schema that is older or newer, and changes none', async () => {
  const { home, adminUrl, ownerUrl } = await purseOn('durable')
  for (const change of ['version - 1', 'version + 2']) {
    await setSchema(adminUrl, change)
    const { code, wrong, of } = await examined(home, ownerUrl)
    expect({ code, wrong }).toEqual({ code: 4, wrong: ['schema'] })
    expect(of('opening')).toBeUndefined()
  }
})

it('stops at a schema that is not for this role, and says who it is for', async () => {
  const { home, url, ownerUrl } = await purseOn('durable')
  const node = roleOf(url)
  for (const [right, said] of [
    ['USAGE ON SCHEMA bursar', 'USAGE on the schema bursar'],
    ['INSERT ON bursar.events', 'INSERT on events'],
  ] as const) {
    await sql(ownerUrl, `REVOKE ${right} FROM ${node}`)
    const { wrong, of } = await examined(home, url)
    expect(wrong).toEqual(['schema'])
    expect(of('schema')?.found).toBe(`${node} lacks ${said}`)
    expect(of('schema')?.mend).toContain(`--grant-to ${node}`)
    await on(ownerUrl, home, ['database', 'migrate', '--grant-to', node])
  }
  expect((await examined(home, url)).wrong).toEqual([])
})

it('is stricter once a wallet is live', async () => {
  const { home, url, ownerUrl } = await purseOn('durable')
  const made = await on(ownerUrl, home, ['wallet', 'create', 'real', '--mode', 'live'])
  expect(made).toMatchObject({ code: 0 })
  expect(await examined(home, url)).toMatchObject({ code: 4, wrong: ['standby'], warnings: [] })
  expect((await examined(home, ownerUrl)).wrong).toEqual(['role', 'standby'])
})

it('sees a server that does not wait for the disk', async () => {
  const { home, url } = await purseOn('quick')
  const { code, wrong, of } = await examined(home, url)
  expect({ code, wrong }).toEqual({ code: 4, wrong: ['disk'] })
  expect(of('disk')?.found).toBe('fsync and full_page_writes are off')
})

it('says why no server is reached, and goes no further', async () => {
  const { url } = await testDatabase()
  const home = await newHome()
  const [down, wrongPassword, wrongName] = [new URL(url), new URL(url), new URL(url)]
  down.port = String(await freePort())
  wrongPassword.password = 'another'
  wrongName.pathname = '/no_such_database'
  for (const [{ href }, why] of [
    [down, 'nothing listens there'],
    [wrongPassword, 'it does not take the role and its password'],
    [wrongName, 'it has no such database'],
  ] as const) {
    const { code, wrong, of } = await examined(home, href)
    expect({ code, wrong }).toEqual({ code: 4, wrong: ['database'] })
    expect(of('database')?.found).toContain(why)
  }
})

it('tells primary and standby apart, and sees when commits wait or two take them', { timeout: 180_000 }, async () => {
  const nodes = await cluster()
  const { url, adminUrl } = await nodes.database()
  const home = emptyHome()
  expect((await on(url, home, ['init'])).code).toBe(0)
  const good = await examined(home, adminUrl)
  expect(good).toMatchObject({ code: 0, wrong: [], warnings: ['role'] })
  expect(good.of('standby')?.found).toBe('1 in sync, for *')
  expect(good.of('hosts')).toMatchObject({ ok: true, found: expect.stringContaining('standby') })
  // Who may not read the statistics is told that, and nothing is made of it.
  expect((await examined(home, url)).of('standby')).toMatchObject({
    ...{ ok: true, found: expect.stringContaining('GRANT pg_read_all_stats') },
  })
  const alone = urlOf(url, nodes.standby?.port)
  const standby = await examined(home, alone)
  expect(standby).toMatchObject({ code: 4, wrong: ['database'] })
  expect(standby.of('database')?.found).toContain('it is a standby')
  expect((await on(alone, home, ['wallet', 'list'])).stderr).toContain('it is a standby')
  await nodes.killStandby()
  const waiting = await examined(home, url)
  expect(waiting).toMatchObject({ code: 4, wrong: ['standby'], warnings: ['hosts'] })
  await nodes.rejoin()
  await nodes.promote()
  const two = await examined(home, url)
  expect(two.code).toBe(4)
  expect(two.wrong).toContain('hosts')
  expect(two.of('hosts')?.mend).toContain('More than one takes payments')
})

/** With the one host that listens there. */
function urlOf(url: string, port: number | undefined): string {
  return url.replace(/@[^/]*\//, `@127.0.0.1:${port}/`)
}
