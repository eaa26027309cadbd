import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { BursarError } from '../../src/core/errors.ts'
import { move, takeBack } from '../../src/store/move/index.ts'
import { postgresSide } from '../../src/store/move/postgres.ts'
import { asked, testDatabase } from '../support/postgres.ts'
import { buy, makeCard, makePurse, type Purse } from '../support/purse.ts'
import { emptyDatabase, isLive, keyOf, newFile, problemsOf, purseOn, rowsIn, side } from './move-purse.ts'

async function paying(): Promise<Purse> {
  const purse = await makePurse()
  await buy(purse, await makeCard(purse), '20.00')
  return purse
}

const into = async (purse: Purse, to: string, from = purse.path) =>
  move({ source: await side(from), target: await side(to), key: keyOf(purse) })

/** Changes a file as nobody could who has the triggers in the way. */
function forge(path: string, sql: string, walls: readonly string[]): void {
  const db = new Database(path)
  const kept = walls.map(
    (name) => db.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(name) as string,
  )
  for (const name of walls) db.exec(`DROP TRIGGER ${name}`)
  db.exec(sql)
  for (const wall of kept) db.exec(wall)
  db.close()
}

describe('security: a move', () => {
  it('of a purse whose journal does not hold is refused by the first broken event, and changes nothing', async () => {
    const purse = await paying()
    const to = await emptyDatabase()
    let seq = -1
    for await (const event of purse.bursar.store.read.events(purse.walletId))
      if (seq < 0 && event.body?.includes('"20.00"')) seq = event.seq
    const changed = `body = replace(body, '"20.00"', '"2.00"')`
    const broken = `UPDATE events SET ${changed} WHERE journal = '${purse.walletId}' AND seq = ${seq}`
    forge(purse.path, broken, ['events_stay'])
    const before = await rowsIn(purse.path)
    await expect(into(purse, to)).rejects.toMatchObject({
      code: 'journal_tampered',
      message: expect.stringContaining(`${purse.walletId} at event ${seq}: `),
    })
    expect(await rowsIn(purse.path)).toEqual(before)
    expect((await rowsIn(to)).instance).toEqual([])
    expect(await (await side(purse.path)).marked()).toBe(null)
    expect(await isLive(purse.bursar)).toBe(true)
  })

  it('of a purse with a text that PostgreSQL cannot keep is refused before anything is touched', async () => {
    const purse = await paying()
    const db = new Database(purse.path)
    const [salt, text] = ['00'.repeat(16), 'a\0b']
    const digest = createHash('sha256').update(Buffer.from(salt, 'hex')).update(text).digest('hex')
    db.prepare('INSERT INTO texts VALUES (?, ?, ?)').run(digest, salt, text)
    db.close()
    await expect(into(purse, await emptyDatabase())).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(`the text under ${digest}`),
    })
    expect([await isLive(purse.bursar), await problemsOf(purse)]).toEqual([true, []])
    const back = newFile()
    await into(purse, back)
    expect(await problemsOf(await purseOn(purse, back))).toEqual([])
  })

  it('of a purse whose tables say what the journal does not is refused', async () => {
    const purse = await paying()
    forge(purse.path, `UPDATE accounts SET available = available + 1, external = external - 1`, [])
    await expect(into(purse, await emptyDatabase())).rejects.toMatchObject({ code: 'journal_tampered' })
    expect(await isLive(purse.bursar)).toBe(true)
  })

  it('of a purse without one of its triggers is refused', async () => {
    const purse = await paying()
    const db = new Database(purse.path)
    db.exec('DROP TRIGGER events_stay')
    db.close()
    await expect(into(purse, await emptyDatabase())).rejects.toMatchObject({
      code: 'journal_tampered',
      message: expect.stringContaining('events_stay is missing or was altered'),
    })
    expect(await (await side(purse.path)).marked()).toBe(null)
  })

  it.each(['postgres', 'file'])('to a database that has an instance is refused: %s', async (kind) => {
    const [purse, other] = [await paying(), await paying()]
    const to = kind === 'file' ? newFile() : await emptyDatabase()
    await into(other, to)
    const there = await rowsIn(to)
    await expect(into(purse, to)).rejects.toMatchObject({ code: 'config_invalid' })
    expect(await rowsIn(to)).toEqual(there)
    expect([await isLive(purse.bursar), await problemsOf(purse)]).toEqual([true, []])
    await expect(into(purse, purse.path)).rejects.toMatchObject({ code: 'argument_invalid' })
  })

  it('by a role that does not own the tables is refused, and so is one that cannot get in', async () => {
    const { url } = await testDatabase()
    await expect(postgresSide(url)).rejects.toMatchObject({ code: 'config_invalid' })
    const wrong = new URL(url)
    wrong.password = 'wrong'
    const refused = postgresSide(wrong.href)
    await expect(refused).rejects.toMatchObject({ code: 'config_invalid' })
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('wrong') })
  })

  it('whose copy is changed on the way is not committed, and the purse pays on', async () => {
    const purse = await paying()
    const to = await emptyDatabase()
    const [source, target] = [await side(purse.path), await side(to)]
    const change = (name: string, place: number) => ({
      ...target,
      alone: <R>(work: Parameters<typeof target.alone<R>>[0]) =>
        target.alone<R>((receiver) =>
          work({
            ...receiver,
            insert: (table, rows) =>
              receiver.insert(
                table,
                table.name === name ? rows.map((row) => row.with(place, row[place] === 20n ? 21n : 'x')) : rows,
              ),
          }),
        ),
    })
    const changed = move({ source, target: change('owners', 1), key: keyOf(purse) })
    await expect(changed).rejects.toMatchObject({
      code: 'journal_tampered',
      message: expect.stringContaining('owners: name of row 1'),
    })
    const lost = {
      ...target,
      alone: <R>(work: Parameters<typeof target.alone<R>>[0]) =>
        target.alone<R>((receiver) =>
          work({
            ...receiver,
            insert: (table, rows) => receiver.insert(table, table.name === 'texts' ? rows.slice(1) : rows),
          }),
        ),
    }
    await expect(move({ source, target: lost, key: keyOf(purse) })).rejects.toMatchObject({ code: 'journal_tampered' })
    expect([await isLive(purse.bursar), await problemsOf(purse)]).toEqual([true, []])
    expect((await rowsIn(to)).events).toEqual([])
    await into(purse, to)
    expect(await isLive(purse.bursar)).toBe(false)
  })

  it('whose connection is lost on the way takes its mark back, and can be tried again', async () => {
    const purse = await paying()
    const to = await emptyDatabase()
    const [source, target] = [await side(purse.path), await side(to)]
    const cut = () =>
      asked(to, (client) =>
        client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user`),
      )
    const lost: typeof target = {
      ...target,
      alone: (work) =>
        target.alone((receiver) =>
          work({
            ...receiver,
            async insert(table, rows) {
              if (table.name === 'payments') await cut()
              await receiver.insert(table, rows)
            },
          }),
        ),
    }
    const moved = move({ source, target: lost, key: keyOf(purse) })
    await expect(moved).rejects.toMatchObject({ code: 'rail_unavailable' })
    expect([await isLive(purse.bursar), await problemsOf(purse)]).toEqual([true, []])
    expect((await move({ source, target, key: keyOf(purse) })).before).toBe(false)
  })

  it('whose commit was made and not answered is done, and is never taken back', async () => {
    const purse = await paying()
    const to = await emptyDatabase()
    const [source, target] = [await side(purse.path), await side(to)]
    let answers = 0
    const unanswered: typeof target = {
      ...target,
      async alone(work) {
        const result = await target.alone(work)
        answers += 1
        if (answers === 1) throw new BursarError('rail_unavailable', 'No answer.')
        return result
      },
    }
    expect(await move({ source, target: unanswered, key: keyOf(purse) })).toMatchObject({ before: true })
    expect(await isLive(purse.bursar)).toBe(false)
    expect(await problemsOf(await purseOn(purse, to))).toEqual([])
  })

  it('that cannot see what became of it leaves the purse closed, and says what to do', async () => {
    const purse = await paying()
    const [source, target] = [await side(purse.path), await side(await emptyDatabase())]
    let calls = 0
    const unreachable: typeof target = {
      ...target,
      async alone(work) {
        calls += 1
        if (calls > 1) throw new BursarError('rail_unavailable', 'No answer.')
        return target.alone(async (receiver) => {
          await work(receiver)
          throw new BursarError('rail_unavailable', 'No answer.')
        })
      },
    }
    const moved = move({ source, target: unreachable, key: keyOf(purse) })
    await expect(moved).rejects.toMatchObject({ code: 'outcome_unknown' })
    expect(await isLive(purse.bursar)).toBe(false)
    await takeBack({ source, target })
    expect(await isLive(purse.bursar)).toBe(true)
  })

  it('keeps its mark against whoever opens the purse anew, and the mark alone is no alteration', async () => {
    const purse = await paying()
    const to = await emptyDatabase()
    await into(purse, to)
    const again = await purseOn(purse, purse.path)
    expect(await isLive(again.bursar)).toBe(false)
    expect(await problemsOf(again)).toEqual([])
    const back = newFile()
    await into(purse, back, to)
    const node = await purseOn(purse, to)
    expect(await isLive(node.bursar)).toBe(false)
    expect(await problemsOf(node)).toEqual([])
    await asked(to, (client) =>
      client.query(`DROP TRIGGER events_moved ON bursar.events; CREATE TRIGGER events_moved BEFORE INSERT ON bursar.events
        FOR EACH ROW WHEN (NEW.seq < 0) EXECUTE FUNCTION bursar.refuse('bursar: this purse was moved to another database (0123456789abcdef)')`),
    )
    expect(await problemsOf(node)).toEqual([expect.objectContaining({ journal: 'schema' })])
  })
})
