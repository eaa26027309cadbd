import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventAt } from '../../src/actions/event-at.ts'
import { archiveJournals } from '../../src/actions/owner/archive.ts'
import { bundled, Child } from '../support/children.ts'
import { asked } from '../support/postgres.ts'
import { bodiless, forced, makeOldPurse, type OldPurse } from './archive-purse.ts'

const WHOLE = { ok: true, complete: true, archived: 0, problems: [] }
const MARCH = 'bursar-2026-03.jsonl'

/** Writes the file as it is, with this instead of that, once. */
function changed(path: string, that: string, other: string): void {
  const text = readFileSync(path, 'utf8')
  if (!text.includes(that)) throw new Error(`There is no ${that} in ${path}.`)
  writeFileSync(path, text.replace(that, other))
}

const places = (problems: readonly { journal: string; seq: number | null; why: string }[]) =>
  problems.map(({ journal, seq }) => [journal, seq])

describe('security: the files of an archive', () => {
  it('with a flipped byte in an event have that event as the first that is broken', async () => {
    const purse = await makeOldPurse()
    await purse.archive()
    changed(join(purse.out, MARCH), '"amount":"20.00"', '"amount":"20.01"')
    const { ok, problems } = await purse.verify(purse.out)
    expect([ok, problems[0]?.journal, problems[0]?.why]).toEqual([
      false,
      purse.walletId,
      'The event is not the one that was hashed.',
    ])
    expect(places(problems)).toContainEqual(['archive', null])
    await expect(purse.archive()).rejects.toMatchObject({ code: 'argument_invalid' })
  })

  it('with a line that is no JSON any more, or gone, lack that event', async () => {
    const purse = await makeOldPurse()
    await purse.archive()
    const path = join(purse.out, MARCH)
    const text = readFileSync(path, 'utf8')
    const third = text.split('\n')[3] as string
    const { journal, seq } = JSON.parse(third).event as { journal: string; seq: number }
    for (const damaged of [third.replace('{"event":{', '{"event":('), '']) {
      writeFileSync(path, text.replace(third, damaged))
      const { problems } = await purse.verify(purse.out)
      expect(problems[0]).toEqual({
        ...{ journal, seq },
        why: 'The event is archived, and not in the files that were given.',
      })
    }
  })

  it('with another header are not the files that were archived, though every event is right', async () => {
    const purse = await makeOldPurse()
    await purse.archive()
    changed(join(purse.out, MARCH), '"month":"2026-03"}', '"month":"2026-03","more":1}')
    const { problems } = await purse.verify(purse.out)
    expect(problems).toEqual([{ journal: 'archive', seq: null, why: `${MARCH} is not the file that was archived.` }])
    await expect(purse.archive()).rejects.toMatchObject({ code: 'argument_invalid' })
  })

  it('are missed where one is missing', async () => {
    const purse = await makeOldPurse()
    await purse.archive()
    rmSync(join(purse.out, MARCH))
    const { ok, complete, problems } = await purse.verify(purse.out)
    expect([ok, complete, problems[0]?.seq]).toEqual([false, false, 0])
    expect(await purse.archive()).toMatchObject({ elsewhere: ['2026-03'], cleared: 0 })
  })

  it('of another instance are refused, and no file is written over', async () => {
    const [purse, other] = [await makeOldPurse(), await makeOldPurse()]
    await other.archive()
    mkdirSync(purse.out)
    copyFileSync(join(other.out, MARCH), join(purse.out, MARCH))
    const before = readFileSync(join(purse.out, MARCH), 'utf8')
    await expect(purse.verify(purse.out)).rejects.toMatchObject({ code: 'argument_invalid' })
    await expect(purse.archive()).rejects.toMatchObject({ code: 'argument_invalid' })
    writeFileSync(join(purse.out, MARCH), before.replace(other.key.vkey, purse.key.vkey))
    await expect(purse.archive()).rejects.toMatchObject({ code: 'argument_invalid' })
    expect([await bodiless(purse), await purse.verify()]).toMatchObject([0, WHOLE])
  })
})

describe('security: the database', () => {
  it('lets nobody but the owner of the tables archive', async () => {
    const purse = await makeOldPurse()
    const store = await purse.node({ url: purse.database.url })
    const bursar = { ...purse.bursar, store }
    const options = { before: '2026-05', folder: purse.out }
    const archived = archiveJournals(bursar, purse.authority, purse.key, options)
    await expect(archived).rejects.toMatchObject({ code: 'config_invalid' })
    const clear = `UPDATE bursar.events SET body = NULL WHERE body LIKE '%"ts":"2026-03%' AND type = 'payment.captured'`
    const node = () => asked(purse.database.url, (client) => client.query(clear))
    await expect(node()).rejects.toThrow('permission denied')
    const user = new URL(purse.database.url).username
    await asked(purse.database.adminUrl, (client) => client.query(`GRANT UPDATE ON bursar.events TO ${user}`))
    await expect(node()).rejects.toThrow('bursar: an event is never changed')
    expect((await asked(purse.database.ownerUrl, (client) => client.query(clear))).rowCount).toBe(1)
  })

  it.each([
    ['a new text', `body = replace(body, '20.00', '2.00')`, `type = 'payment.captured'`],
    ['another leaf beside it', `body = NULL, leaf = sha256('')`, `type = 'payment.captured'`],
    ['another type beside it', `body = NULL, type = 'x'`, `type = 'payment.captured'`],
    ['another place beside it', `body = NULL, seq = seq + 1000`, `type = 'payment.captured'`],
    ['none, of an event of the last month', 'body = NULL', `false`],
    ['none, of what says which journals there are', 'body = NULL', `type = 'journal.opened'`],
  ])('gives an old event no other body than none: %s', async (_what, change, where) => {
    const purse = await makeOldPurse()
    const when = new Date(Date.now() - 35 * 24 * 60 * 60 * 1000).toISOString()
    if (where === 'false')
      await forced(
        purse,
        `UPDATE bursar.events SET body = replace(body, '2026-06', '${when.slice(0, 7)}'),
      leaf = sha256('\\x00'::bytea || convert_to(replace(body, '2026-06', '${when.slice(0, 7)}'), 'UTF8')) WHERE body LIKE '%"ts":"2026-06%'`,
      )
    const which = where === 'false' ? `body LIKE '%"ts":"${when.slice(0, 7)}%'` : where
    const sql = `UPDATE bursar.events SET ${change} WHERE ${which}`
    const found = await asked(purse.database.ownerUrl, (client) =>
      client.query(`SELECT 1 FROM bursar.events WHERE ${which}`),
    )
    expect(found.rowCount).toBeGreaterThan(0)
    const tried = asked(purse.database.ownerUrl, (client) => client.query(sql))
    await expect(tried).rejects.toThrow('bursar: an event is never changed')
  })

  it('keeps a body that is not what was hashed, and takes back none', async () => {
    const purse = await makeOldPurse()
    await forced(
      purse,
      `UPDATE bursar.events SET body = replace(body, '20.00', '2.00') WHERE type = 'payment.captured'`,
    )
    const owner = (sql: string) => asked(purse.database.ownerUrl, (client) => client.query(sql))
    const clear = `UPDATE bursar.events SET body = NULL WHERE type = 'payment.captured'`
    await expect(owner(clear)).rejects.toThrow('bursar: an event is never changed')
    await expect(purse.archive()).rejects.toMatchObject({ code: 'argument_invalid' })
    await owner(`UPDATE bursar.events SET body = NULL WHERE type = 'wallet.funded'`)
    const again = `UPDATE bursar.events SET body = '{}' WHERE type = 'wallet.funded'`
    await expect(owner(again)).rejects.toThrow('bursar: an event is never changed')
  })

  it('lets go of a body by its leaf alone, once', async () => {
    const purse = await makeOldPurse()
    const archive = await purse.store.archive()
    const event = (await eventAt(purse.store.read, purse.walletId, 0))!
    const clear = (leaf: Buffer) => archive.clear(purse.walletId, [{ seq: 0, leaf }])
    expect([await clear(Buffer.alloc(32)), await clear(event.leaf), await clear(event.leaf)]).toEqual([0, 1, 0])
  })

  it('with more events without a body than were archived does not verify', async () => {
    const purse = await makeOldPurse()
    await forced(purse, `UPDATE bursar.events SET body = NULL WHERE type = 'payment.captured'`)
    const { ok, problems } = await purse.verify()
    expect([ok, problems]).toEqual([
      false,
      [{ journal: 'archive', seq: null, why: '4 events have no body in the database; 0 were archived.' }],
    ])
    await forced(purse, `UPDATE bursar.events SET body = NULL WHERE type = 'journal.opened'`)
    expect((await purse.verify()).problems.map(({ why }) => why)).toContain(
      'The event has no body, and is never archived.',
    )
  })

  it('with another leaf for an archived event does not verify, even without the files', async () => {
    const purse = await makeOldPurse()
    await purse.archive()
    await forced(purse, `UPDATE bursar.events SET leaf = sha256('') WHERE body IS NULL AND type = 'payment.captured'`)
    const { ok, problems } = await purse.verify()
    expect([ok, places(problems)]).toEqual([false, expect.arrayContaining([[purse.walletId, null]])])
  })

  it('takes no new event without a body', async () => {
    const purse = await makeOldPurse()
    const sql = `INSERT INTO bursar.events SELECT journal, max(seq) + 1, 'x', NULL, sha256('') FROM bursar.events GROUP BY journal`
    const tried = asked(purse.database.ownerUrl, (client) => client.query(sql))
    await expect(tried).rejects.toThrow('bursar: an event is written with its body')
  })
})

describe('an archive that is killed', () => {
  let script = ''
  beforeAll(async () => {
    script = await bundled('test/postgres/archiver.ts')
  })
  afterAll(() => rmSync(dirname(script), { recursive: true, force: true }))

  const killedAt = async (purse: OldPurse, point: string): Promise<void> => {
    const { database, out, time, pair, authority } = purse
    const child = new Child(script, [
      ...[
        database.ownerUrl,
        out,
        String(time.now),
        pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
        authority.ownerId,
        point,
      ],
    ])
    await child.ended
    expect([child.process.signalCode, child.lines]).toEqual(['SIGKILL', [point]])
  }

  it.each(['unnamed', 'named', 'portion'])('at `%s` has lost nothing, and goes on', async (point) => {
    const purse = await makeOldPurse()
    await killedAt(purse, point)
    const gone = await bodiless(purse)
    expect(gone > 0).toBe(point === 'portion')
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
    const { cleared } = await purse.archive()
    expect([cleared > 0, await bodiless(purse)]).toEqual([true, gone + cleared])
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
    expect((await purse.archive()).cleared).toBe(0)
    expect(await purse.verify()).toMatchObject({ ok: true, archived: gone + cleared })
  })

  it('before the journal named the file takes no file that lacks an event', async () => {
    const purse = await makeOldPurse()
    await killedAt(purse, 'unnamed')
    const path = join(purse.out, MARCH)
    const lines = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, lines.filter((_line, n) => n !== 5).join('\n'))
    await expect(purse.archive()).rejects.toMatchObject({ code: 'argument_invalid' })
    expect(await bodiless(purse)).toBe(0)
  })

  it('while it wrote a file leaves what the next one clears away', async () => {
    const purse = await makeOldPurse()
    mkdirSync(purse.out)
    writeFileSync(join(purse.out, `${MARCH}.abc.part`), '{"bursar_journal":1')
    await purse.archive()
    expect(readdirSync(purse.out)).toEqual([MARCH, 'bursar-2026-04.jsonl'])
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
  })
})
