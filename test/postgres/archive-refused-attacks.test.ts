import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventLine } from '../../src/actions/owner/journal.ts'
import { type Op, Rebuilt } from '../../src/core/tables.ts'
import { compareTables, type TableRows } from '../../src/core/verify/compare.ts'
import { collected } from '../support/collected.ts'
import { bodiless, makeOldPurse, month, type OldPurse, refuseThree, tampered } from './archive-purse.ts'
import { makeCardOf } from './store-purse.ts'

const WHOLE = { ok: true, complete: true, archived: 0, problems: [] }

/** Refused in March, and in May, which is not archived: over what a card has, by no card, and something on the web. */
async function makeRefused(archived = true) {
  const purse = await makeOldPurse()
  purse.time.now = month(0)
  const card = await makeCardOf(purse, purse.caller, { expires_in: '365d', per_payment_max: undefined })
  const old = (await refuseThree(purse, card)) as [string, string, string]
  purse.time.now = month(2)
  const young = (await refuseThree(purse, card)) as [string, string, string]
  purse.time.now = month(3)
  if (archived) await purse.archive()
  return { purse, old, young, paid: purse.paid[0]!.payment_id }
}

const missing = (table: string, id: string) => ({
  ...{ journal: 'tables', seq: null, why: `${table} ${id} is in the journal and not in the table.` },
})
const drop = (id: string) => `DELETE FROM bursar.payments WHERE id = '${id}'`
const dropPurchase = (id: string) => `DELETE FROM bursar.purchases WHERE payment_id = '${id}'`
/** The rows of a table as they are, to be put back. */
const kept = (table: string) => `CREATE TABLE public.kept_${table} AS SELECT * FROM bursar.${table}`
const back = (table: string, where: string) =>
  `INSERT INTO bursar.${table} SELECT * FROM public.kept_${table} WHERE ${where}`

/** A file as an archive would have it, of events that nobody archived; and their bodies leave. */
async function forge(purse: OldPurse, name: string, ids: readonly string[]): Promise<void> {
  const { read } = purse.store
  const lines: string[] = []
  for (const journal of await read.journals())
    for (const event of await collected(read.events(journal)))
      if (ids.some((id) => event.body?.includes(id))) {
        lines.push(eventLine(event))
        await tampered(
          purse,
          `UPDATE bursar.events SET body = NULL WHERE journal = '${journal}' AND seq = ${event.seq}`,
        )
      }
  const header = { bursar_journal: 1, vkey: purse.key.vkey, month: name.slice(7, 14) }
  writeFileSync(join(purse.out, name), [JSON.stringify(header), ...lines, ''].join('\n'))
}

describe('security: a payment that is in no table', () => {
  it('is a problem where it was refused and its events are in the database, with the files and without', async () => {
    const { purse, young, old } = await makeRefused(false)
    const [over, cardless, unbought] = young
    await tampered(purse, [drop(over), drop(cardless), drop(unbought), dropPurchase(unbought)].join('; '))
    const gone = [missing('payments', over), missing('payments', cardless), missing('payments', unbought)]
    const problems = [...gone, missing('purchases', unbought)]
    for (const folder of [null, purse.out])
      expect(await purse.archive().then(() => purse.verify(folder))).toMatchObject(
        // Without the files no table is compared with anything.
        folder === null ? { ok: true, complete: false } : { ok: false, problems: expect.arrayContaining(problems) },
      )
    expect((await purse.verify(purse.out)).problems).toHaveLength(problems.length)
    for (const id of old) expect(JSON.stringify(await purse.verify(purse.out))).not.toContain(id)
  })

  it('is a problem in a purse of which nothing was archived', async () => {
    const { purse, old } = await makeRefused(false)
    await tampered(purse, drop(old[0]))
    expect(await purse.verify()).toMatchObject({ ok: false, problems: [missing('payments', old[0])] })
  })

  it('is a problem where one of its events is in the database, though both are in the file', async () => {
    for (const left of [0, 1]) {
      const { purse, old } = await makeRefused()
      const event = `journal = '${purse.walletId}' AND body IS NULL AND type = 'payment.${left ? 'attempted' : 'refused'}'`
      const line = readFileSync(join(purse.out, 'bursar-2026-03.jsonl'), 'utf8')
        .split('\n')
        .find(
          (text) => text.includes(`"payment_id":"${old[0]}"`) && text.includes(left ? 'attempted' : 'payment.refused'),
        )
      const { seq } = JSON.parse(line!).event as { seq: number }
      const body = line!.slice('{"event":'.length, line!.lastIndexOf(',"leaf"'))
      await tampered(
        purse,
        `UPDATE bursar.events SET body = '${body.replaceAll("'", "''")}' WHERE ${event} AND seq = ${seq}`,
      )
      expect(await purse.verify(purse.out)).toMatchObject({ ok: false, problems: [missing('payments', old[0])] })
    }
  })

  it('is a problem where it was not refused, whatever is archived', async () => {
    const { purse, paid } = await makeRefused()
    await tampered(purse, drop(paid))
    expect(await purse.verify(purse.out)).toMatchObject({ ok: false, problems: [missing('payments', paid)] })
  })

  it('is a problem where only half of it is there: the payment, or what it was to buy', async () => {
    const { purse, old } = await makeRefused(false)
    const [, , unbought] = old
    await tampered(purse, `${kept('payments')}; ${kept('purchases')}`)
    await purse.archive()
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
    await tampered(purse, back('payments', `id = '${unbought}'`))
    expect(await purse.verify(purse.out)).toMatchObject({ ok: false, problems: [missing('purchases', unbought)] })
    await tampered(purse, `${back('purchases', `payment_id = '${unbought}'`)}; ${drop(unbought)}`)
    expect(await purse.verify(purse.out)).toMatchObject({ ok: false, problems: [missing('payments', unbought)] })
    await tampered(purse, back('payments', `id = '${unbought}'`))
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
    await tampered(purse, `UPDATE bursar.payments SET amount = 1 WHERE id = '${unbought}'`)
    const why = `payments ${unbought} has another amount than the journal says.`
    expect((await purse.verify(purse.out)).problems).toEqual([{ journal: 'tables', seq: null, why }])
  })

  it('explains no other row that is missing: of another payment, or that says that its own money moved', async () => {
    const { purse, paid } = await makeRefused()
    await tampered(purse, `DELETE FROM bursar.entries WHERE payment_id = '${paid}' AND kind = 'hold'`)
    const { ok, problems } = await purse.verify(purse.out)
    const entry = expect.stringMatching(/^entries wal_.* is in the journal and not in the table\.$/)
    expect([ok, problems.map(({ why }) => why)]).toEqual([false, [entry]])
    const rebuilt = new Rebuilt()
    const entries = { journal: 'wal_1', seq: 1, n: 0, paymentId: 'pay_1' }
    rebuilt.apply([
      { table: 'payments', insert: { id: 'pay_1', status: 'refused' } },
      { table: 'entries', insert: entries },
    ] as unknown as Op[])
    const none: TableRows = { all: () => [] }
    expect(await collected(compareTables(rebuilt, none, () => true))).toEqual([entry])
  })

  it('is not explained by a file that the journal does not name', async () => {
    const { purse, young } = await makeRefused()
    const before = await bodiless(purse)
    await forge(purse, 'bursar-2026-05.jsonl', [young[0]])
    expect((await bodiless(purse)) - before).toBe(2)
    await tampered(purse, drop(young[0]))
    const wrong = { journal: 'archive', seq: null, why: 'bursar-2026-05.jsonl is not the file that was archived.' }
    expect(await purse.verify(purse.out)).toMatchObject({ ok: false, problems: [wrong] })
  })

  it('is not explained by a file that has more than what was archived', async () => {
    const { purse, young } = await makeRefused()
    const path = join(purse.out, 'bursar-2026-04.jsonl')
    const own = readFileSync(path, 'utf8')
    await forge(purse, 'bursar-2026-04.jsonl', [young[0]])
    const more = readFileSync(path, 'utf8').split('\n').slice(1).join('\n')
    writeFileSync(path, own + more)
    await tampered(purse, drop(young[0]))
    const wrong = { journal: 'archive', seq: null, why: 'bursar-2026-04.jsonl is not the file that was archived.' }
    expect(await purse.verify(purse.out)).toMatchObject({ ok: false, problems: [wrong] })
  })

  it('is not explained by a file in which another payment was refused', async () => {
    const { purse, paid, old } = await makeRefused()
    const path = join(purse.out, 'bursar-2026-03.jsonl')
    const lines = readFileSync(path, 'utf8').split('\n')
    const refused = lines.find((line) => line.includes(old[0]) && line.includes('payment.refused'))!
    const captured = lines.findIndex((line) => line.includes(paid) && line.includes('payment.captured'))
    lines[captured] = refused.replaceAll(old[0], paid)
    writeFileSync(path, lines.join('\n'))
    await tampered(purse, drop(paid))
    const { ok, problems } = await purse.verify(purse.out)
    expect([ok, problems.some(({ why }) => why === 'bursar-2026-03.jsonl is not the file that was archived.')]).toEqual(
      [...[false, true]],
    )
  })
})
