import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { asked, testDatabase } from '../support/postgres.ts'
import { freePort } from '../support/postgres-server.ts'
import { emptyHome, newHome } from './fixture.ts'
import { on, roleOf, setSchema, sql } from './postgres-fixture.ts'

const PASSWORD = /bursar-test/

/** The answer of a command, which must not have failed. */
async function answered(url: string, home: string, ...args: string[]) {
  const { code, stdout, stderr } = await on(url, home, [...args, '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).not.toMatch(PASSWORD)
  return JSON.parse(stdout)
}

async function failed(url: string, home: string, ...args: string[]) {
  const { code, stdout, stderr } = await on(url, home, [...args, '--json'])
  expect(stdout).toBe('')
  expect(stderr).not.toMatch(PASSWORD)
  return { exit: code, ...JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error }
}

describe('`bursar database migrate`', () => {
  it('makes the tables, and gives a role what a node needs: it can be set up, and it cannot delete', async () => {
    const { url, ownerUrl, name } = await testDatabase({ empty: true })
    const home = emptyHome()
    const node = roleOf(url)
    const made = await answered(ownerUrl, home, 'database', 'migrate', '--grant-to', node)
    expect(made).toEqual({
      database: expect.stringMatching(new RegExp(`^127\\.0\\.0\\.1:\\d+/${name}$`)),
      schema_before: 0,
      schema_version: expect.any(Number),
      granted_to: [node],
    })
    expect(made.schema_version).toBeGreaterThan(1)
    expect((await on(url, home, ['init'])).code).toBe(0)
    await expect(sql(url, 'DELETE FROM bursar.events')).rejects.toMatchObject({ code: '42501' })
  })

  it('does nothing twice, and grants anew whom it was granted to', async () => {
    const { url, ownerUrl } = await testDatabase({ empty: true })
    const home = emptyHome()
    const node = roleOf(url)
    const first = await answered(ownerUrl, home, 'database', 'migrate', '--grant-to', node)
    // As after an update with a table that the role knows nothing of.
    await sql(ownerUrl, `REVOKE SELECT, UPDATE ON bursar.wallets FROM ${node}`)
    const again = await answered(ownerUrl, home, 'database', 'migrate')
    expect(again).toEqual({ ...first, schema_before: first.schema_version })
    expect((await on(url, home, ['init'])).code).toBe(0)
  })

  it('says so where nobody was granted anything, and makes no home', async () => {
    const { ownerUrl } = await testDatabase({ empty: true })
    const home = `${emptyHome()}/none`
    const { code, stdout } = await on(ownerUrl, home, ['database', 'migrate'])
    expect(code).toBe(0)
    expect(stdout).toContain('--grant-to')
    expect(existsSync(home)).toBe(false)
  })

  it('refuses a role that is not there or owns the tables, before it makes anything', async () => {
    const { ownerUrl, adminUrl } = await testDatabase({ empty: true })
    const home = emptyHome()
    for (const [role, code] of [
      ['nobody_has_this_name', 'not_found'],
      [roleOf(ownerUrl), 'argument_invalid'],
      [roleOf(adminUrl), 'argument_invalid'],
    ] as const)
      expect(await failed(ownerUrl, home, 'database', 'migrate', '--grant-to', role)).toMatchObject({ exit: 1, code })
    expect(await asked(adminUrl, schemas)).toBe(0)
  })

  it('refuses a role without the right, a newer schema, a file, and a server that is not there', async () => {
    const { url, ownerUrl, adminUrl } = await testDatabase({ empty: true })
    const home = emptyHome()
    const invalid = { exit: 2, code: 'config_invalid', message: expect.stringContaining('bursar database migrate') }
    expect(await failed(url, home, 'database', 'migrate')).toMatchObject(invalid)
    await answered(ownerUrl, home, 'database', 'migrate')
    await setSchema(adminUrl, '1000')
    expect(await failed(ownerUrl, home, 'database', 'migrate')).toMatchObject({ exit: 2, code: 'schema_newer' })
    expect(await failed('file:x.db', home, 'database', 'migrate')).toMatchObject({ code: 'argument_invalid' })
    const nowhere = `postgres://somebody:bursar-test@127.0.0.1:${await freePort()}/none`
    for (const args of [['database', 'migrate'], ['database', 'show'], ['init']])
      expect(await failed(nowhere, home, ...args)).toMatchObject({
        ...{ exit: 1, code: 'rail_unavailable' },
        message: expect.stringContaining('nothing listens there'),
      })
  })
})

describe('a node without the right to make or renew the tables', () => {
  it('says what to run, whether it serves or is set up', async () => {
    const { url, adminUrl } = await testDatabase()
    const home = emptyHome()
    const sayings = async () => {
      for (const args of [['mcp'], ['serve', '--listen', '127.0.0.1:0'], ['init']]) {
        const { code, stderr } = await on(url, home, args)
        expect({ args, code }).toEqual({ args, code: 2 })
        expect(stderr).toContain('Run `bursar database migrate`')
      }
    }
    await setSchema(adminUrl, 'version - 1')
    await sayings()
    await sql(adminUrl, 'DROP SCHEMA bursar, sandbox_cards CASCADE')
    await sayings()
  })
})

describe('`bursar database show`', () => {
  it('shows a server: where, as whom, and its schema', async () => {
    const { url, name } = await testDatabase()
    const view = await answered(url, emptyHome(), 'database', 'show')
    const { where, schema_version } = view
    expect(view).toEqual({
      ...{ kind: 'postgres', where, role: roleOf(url), server_version: expect.stringMatching(/^\d+\.\d+$/) },
      ...{ schema_version, schema_known: schema_version, hosts: [{ where, state: 'primary' }] },
    })
    expect(where).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+/${name}$`))
  })

  it('shows a file, whether it is there or not yet', async () => {
    const home = await newHome()
    const where = `${home}/bursar.db`
    expect(await answered(`file:${where}`, home, 'database', 'show')).toEqual({
      ...{ kind: 'file', where, schema_version: expect.any(Number), schema_known: expect.any(Number) },
    })
    const absent = await answered(`file:${home}/none.db`, home, 'database', 'show')
    expect(absent).toMatchObject({ where: `${home}/none.db`, schema_version: null })
  })
})

async function schemas(client: Parameters<Parameters<typeof asked>[1]>[0]): Promise<number> {
  return (await client.query("SELECT FROM pg_namespace WHERE nspname = 'bursar'")).rowCount ?? 0
}
