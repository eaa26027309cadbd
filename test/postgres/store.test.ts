import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { BursarError } from '../../src/core/errors.ts'
import { openPostgres } from '../../src/store/postgres/index.ts'
import { asked, testDatabase } from '../support/postgres.ts'
import { cent, makePostgresPurse, makeWallet, type PostgresPurse } from './store-purse.ts'

describe('what was changed by somebody else', () => {
  it('security: a journal whose head was changed is not continued, and others are', async () => {
    const { url, adminUrl } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const other = await makeWallet(purse, 'other')
    await asked(adminUrl, (client) =>
      client.query(
        `ALTER TABLE bursar.heads DISABLE TRIGGER ALL;
         UPDATE bursar.heads SET size = size - 1 WHERE journal = '${purse.walletId}';
         ALTER TABLE bursar.heads ENABLE TRIGGER ALL;`,
      ),
    )
    await expect(cent(purse.store, purse)).rejects.toMatchObject({ code: 'journal_tampered' })
    await cent(purse.store, purse, other.walletId)
  })

  it('security: a database whose checks were altered is not written to', async () => {
    const { url, ownerUrl } = await testDatabase()
    const purse = await makePostgresPurse(url)
    expect(await purse.store.read.altered()).toEqual([])
    for (const [sql, why] of [
      ['DROP TRIGGER events_stay ON bursar.events', /trigger events_stay of events is missing/],
      ['ALTER TABLE bursar.entries DISABLE TRIGGER entries_stay', /trigger entries_stay of entries is missing or was/],
      ['ALTER TABLE bursar.accounts DROP CONSTRAINT accounts_balance_check', /constraint accounts_balance_check/],
      [
        'CREATE OR REPLACE FUNCTION bursar.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
        /function refuse/,
      ],
      ['CREATE RULE quiet AS ON UPDATE TO bursar.heads DO INSTEAD NOTHING', /rule quiet of heads was added/],
      ['ALTER TABLE bursar.scans ALTER COLUMN block DROP NOT NULL', /table scans is missing or was altered/],
      ['ALTER TABLE bursar.texts SET UNLOGGED', /table texts is missing or was altered/],
      ['DROP INDEX bursar.instance_one', /index instance_one of instance/],
    ] as const) {
      await asked(ownerUrl, (client) => client.query(sql))
      expect((await purse.store.read.altered()).join('\n')).toMatch(why)
    }
    const late = await purse.node()
    await expect(cent(late, purse)).rejects.toMatchObject({ code: 'journal_tampered' })
  })
})

describe('opening', () => {
  it('is refused where a newer bursar made the schema', async () => {
    const { url, adminUrl } = await testDatabase()
    await asked(adminUrl, (client) => client.query('UPDATE bursar.schema_version SET version = 1000'))
    await expect(makePostgresPurse(url)).rejects.toMatchObject({ code: 'schema_newer' })
  })

  it('says what to run where the role may not make the schema', async () => {
    const { url } = await testDatabase({ empty: true })
    await expect(makePostgresPurse(url)).rejects.toSatisfy(
      (error) =>
        error instanceof BursarError &&
        error.code === 'config_invalid' &&
        String(error).includes('bursar database migrate'),
    )
  })

  it('makes the schema once, however many nodes start at once', async () => {
    const { ownerUrl } = await testDatabase({ empty: true })
    const purse = await makePostgresPurse(ownerUrl)
    const { ownerUrl: another } = await testDatabase({ empty: true })
    const nodes = await Promise.all([1, 2, 3].map(() => purse.node({ url: another })))
    expect(await nodes[0]!.read.altered()).toEqual([])
  })

  it('takes the primary among several hosts, and says nothing of the password where there is none', async () => {
    const { url } = await testDatabase()
    const { host } = new URL(url)
    const purse = await makePostgresPurse(url.replace(host, `127.0.0.1:1,${host}`))
    await cent(purse.store, purse)
    const wrong = openPostgres({ ...optionsOf(purse), url: 'postgres://me:secret@ho st/x' })
    await expect(wrong).rejects.toSatisfy(
      (error) => error instanceof BursarError && error.code === 'config_invalid' && !String(error).includes('secret'),
    )
  })

  it('has the functions that the schema says', () => {
    expect(() => execFileSync(process.execPath, ['scripts/postgres-steps.mjs', '--check'])).not.toThrow()
  })
})

function optionsOf({ bursar, journalKey }: PostgresPurse) {
  return { clock: bursar.clock, journalKey }
}

describe('nodes', () => {
  it('have a duty one at a time, and the next has it when its holder is cut off', async () => {
    const { url, adminUrl } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const other = await purse.node()
    const [one, two] = [purse.store.nodes.lead('watch'), other.nodes.lead('watch')]
    await until(() => one.isHeld())
    expect(two.isHeld()).toBe(false)
    await asked(adminUrl, (client) =>
      client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      ),
    )
    await until(() => !one.isHeld())
    await until(() => two.isHeld())
    await two.release()
    expect(two.isHeld()).toBe(false)
    await until(() => one.isHeld())
  })

  it('hear what others tell, and not themselves, also after the connection was lost', async () => {
    const { url, adminUrl } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const other = await purse.node()
    const heard: string[] = []
    purse.store.nodes.heard(({ subjectId }) => void heard.push(`one ${subjectId}`))
    other.nodes.heard(({ subjectId }) => void heard.push(`two ${subjectId}`))
    const tell = async (text: string) => {
      await until(() => {
        purse.store.nodes.tell({ subjectId: text, walletId: null })
        return heard.includes(`two ${text}`)
      })
    }
    await tell('first')
    await asked(adminUrl, (client) =>
      client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
      ),
    )
    await asked(adminUrl, (client) =>
      client.query("SELECT pg_notify('bursar_changed', 'nonsense'), pg_notify('bursar_changed', '[1,[[2,3]]]')"),
    )
    await tell('second')
    expect(heard.filter((text) => text.startsWith('one'))).toEqual([])
    expect(new Set(heard)).toEqual(new Set(['two first', 'two second']))
  })
})

async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('reading', () => {
  it('gives the rows of its keys, pages, and portions, as they were written', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const { read } = purse.store
    for (let i = 0; i < 60; i++) await cent(purse.store, purse)
    const head = (await read.head(purse.walletId))!
    const events = []
    for await (const event of read.events(purse.walletId, 1)) events.push(event)
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: head.size - 1 }, (_, i) => i + 1))
    expect(await read.journals()).toEqual((await read.heads()).map(({ journal }) => journal))
    const limits = await read.list('limits', { walletId: purse.walletId })
    expect(limits.map(({ id }) => id)).toEqual(
      limits
        .map(({ id }) => id)
        .sort()
        .reverse(),
    )
    const page = await read.list('limits', { walletId: purse.walletId }, { limit: 2, before: limits[0]!.id })
    expect(page.map(({ id }) => id)).toEqual(limits.slice(1, 3).map(({ id }) => id))
    expect(await read.list('limits', { id: limits.slice(0, 2).map(({ id }) => id) })).toHaveLength(2)
    const all = []
    for await (const entry of read.all('entries')) all.push(entry)
    expect(all.length).toBe(61)
    expect(await read.one('wallets', { id: 'none' })).toBeNull()
    await expect(purse.store.backup('/tmp/x')).rejects.toMatchObject({ code: 'argument_invalid' })
  })

  it('sees one moment together', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    await purse.store.read.together(async (read) => {
      const before = await read.one('accounts', { walletId: purse.walletId })
      await cent(purse.store, purse)
      expect(await read.one('accounts', { walletId: purse.walletId })).toEqual(before)
      expect(await read.altered()).toEqual([])
    })
  })

  it('keeps whole numbers that JavaScript would round', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const units = 9_007_199_254_740_993n
    const details = { relayer: 'eip155:1:0x0', daily_max: `${units}` }
    await purse.store.update({ relayer: details.relayer }, () => ({
      facts: [{ type: 'relayer.limited', actor: { role: 'human', id: 'own_x' }, details }],
      result: null,
    }))
    expect((await purse.store.read.one('relayers', { id: details.relayer }))?.dailyMax).toBe(units)
    const max = await purse.store.update({ relayer: details.relayer }, ({ lane }) => ({
      facts: [],
      result: lane?.relayer.dailyMax,
    }))
    expect(max).toBe(units)
  })
})
