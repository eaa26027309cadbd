import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { archiveJournals } from '../../src/actions/owner/archive.ts'
import { ArchiveFolder } from '../../src/actions/owner/archive-files.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { showPayment } from '../../src/actions/owner/inspect.ts'
import { exportLines, provePayment, verifyExport } from '../../src/actions/owner/journal.ts'
import { refund } from '../../src/actions/owner/refund.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { paymentView } from '../../src/actions/views.ts'
import { sha256 } from '../../src/core/canonical.ts'
import { collected } from '../support/collected.ts'
import { buy, makePurse, type Purse } from '../support/purse.ts'
import { bodiless, makeOldPurse, month, type OldPurse, payOnce } from './archive-purse.ts'
import { makeCardOf } from './store-purse.ts'

const WHOLE = { ok: true, complete: true, archived: 0, problems: [] }

const rootsOf = async (purse: OldPurse) => (await purse.verify()).journals

describe('an archive', () => {
  it('takes whole months out of the database, and what is left verifies; with the files, all of it', async () => {
    const purse = await makeOldPurse()
    expect(await purse.verify()).toMatchObject(WHOLE)
    const wallet = async () => (await rootsOf(purse)).find(({ journal }) => journal === purse.walletId)
    const before = await wallet()
    const archived = await purse.archive()
    expect(archived).toMatchObject({ files: [{ month: '2026-03' }, { month: '2026-04' }], elsewhere: [] })
    expect(archived.cleared).toBeGreaterThan(20)
    expect(await bodiless(purse)).toBe(archived.cleared)
    expect(await wallet()).toEqual(before)
    expect(await purse.verify()).toMatchObject({ ...WHOLE, complete: false, archived: archived.cleared })
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
    expect(await purse.store.read.altered()).toEqual([])
    for (const { file, digest, events } of archived.files) {
      const path = join(purse.out, file)
      const text = readFileSync(path)
      expect([sha256(text).toString('hex'), statSync(path).mode & 0o777]).toEqual([digest, 0o600])
      expect(
        text
          .toString()
          .split('\n')
          .filter((line) => line.startsWith('{"event"')),
      ).toHaveLength(events)
    }
    expect(readdirSync(purse.out)).toEqual(['bursar-2026-03.jsonl', 'bursar-2026-04.jsonl'])
  })

  it('is no end: payments, refunds of archived ones and the next months go on', async () => {
    const purse = await makeOldPurse()
    await purse.archive()
    purse.time.now = month(4)
    await payOnce(purse)
    const [first] = purse.paid
    await refund(purse.bursar, purse.authority, first!.payment_id, '5.00')
    expect(await paymentView(purse.bursar, first!.payment_id)).toMatchObject({ status: 'partially_refunded' })
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
    const next = await purse.archive('2026-06')
    expect(next.files.map(({ month: name }) => name)).toEqual(['2026-03', '2026-04', '2026-05'])
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
    expect(await purse.archive('2026-06')).toMatchObject({ cleared: 0, files: next.files })
    expect(await purse.verify()).toMatchObject({ ok: true, complete: false })
  })

  it('keeps what is about an open payment or instrument, and takes it once it is over', async () => {
    const purse = await makeOldPurse()
    const { time, bursar } = purse
    time.now = month(0)
    const card = await makeCardOf(purse, purse.caller, { usage_limit: 2, expires_in: '365d' })
    const at = { payee: { name: 'Bursar Test: Never Captured', merchant_category: '5734' } }
    const open = await buy(purse as unknown as Purse, card, '30.00', at)
    expect(open.status).toBe('authorized')
    time.now = month(3)
    const archived = await purse.archive()
    const left = await Promise.all(
      ['instance', purse.walletId].map((journal) => collected(bursar.store.read.events(journal))),
    )
    const here = left.flat().filter(({ body }) => body?.includes('"ts":"2026-03'))
    expect(here).toHaveLength(archived.stayed)
    const about = [card.instrument_id, open.payment_id]
    expect(here.map(({ type }) => type)).toContain('payment.authorized')
    expect(here.map(({ type }) => type)).toContain('request.approved')
    for (const { type, body } of here)
      expect(type === 'journal.opened' || about.some((id) => body!.includes(id)) || type.startsWith('request.')).toBe(
        true,
      )
    expect((await showPayment(bursar, open.payment_id)).events.length).toBeGreaterThan(1)
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
  })

  it('leaves a journal that is whole to what it says, where what the instance says of it is archived', async () => {
    const purse = await makeOldPurse()
    const { bursar, authority, time } = purse
    time.now = month(0)
    const agent = await addAgent(bursar, authority, 'other')
    time.now = month(3)
    const input = { name: 'other', agentId: agent.agent_id, mode: 'sandbox', currency: 'USD', timeZone: 'UTC' }
    const { wallet_id } = await createWallet(bursar, authority, input)
    await fund(bursar, authority, wallet_id, '100.00')
    const caller = { ...purse.caller, agentId: agent.agent_id, credentialId: agent.credential_id }
    const card = await makeCardOf(purse, caller, {})
    expect((await buy({ ...purse, caller } as unknown as Purse, card, '20.00')).status).toBe('captured')
    const { cleared } = await purse.archive()
    expect(await purse.verify()).toMatchObject({ ok: true, complete: false, archived: cleared, problems: [] })
    expect(await purse.verify(purse.out)).toMatchObject(WHOLE)
  })

  it('leaves this month and the last one, whatever is asked', async () => {
    const purse = await makeOldPurse()
    await expect(purse.archive('2026-06')).rejects.toMatchObject({ code: 'argument_invalid' })
    await expect(purse.archive('2026-6')).rejects.toMatchObject({ code: 'argument_invalid' })
    expect(await bodiless(purse)).toBe(0)
  })

  it('makes a whole export again, and one without it says what is not in it', async () => {
    const purse = await makeOldPurse()
    const { cleared } = await purse.archive()
    const folder = await ArchiveFolder.open(purse.out, purse.key)
    const [whole, part] = ['whole', 'part'].map((name) => join(purse.folder, name)) as [string, string]
    writeFileSync(whole, (await collected(exportLines(purse.bursar, purse.key, folder))).join('\n'))
    writeFileSync(part, (await collected(exportLines(purse.bursar, purse.key))).join('\n'))
    expect(await verifyExport(whole, purse.key.vkey)).toMatchObject(WHOLE)
    expect(await verifyExport(part, purse.key.vkey)).toMatchObject({ ok: true, complete: false, archived: cleared })
  })

  it('is named where somebody asks for what is in it', async () => {
    const purse = await makeOldPurse()
    await purse.archive()
    const [first, , , last] = purse.paid.map(({ payment_id }) => payment_id)
    expect(await showPayment(purse.bursar, first!)).toMatchObject({
      status: 'captured',
      events: [],
      events_archived: true,
    })
    expect((await showPayment(purse.bursar, last!)).events_archived).toBe(undefined)
    const proof = provePayment(purse.bursar, purse.key, first!)
    await expect(proof).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('bursar-2026-03.jsonl'),
    })
    expect((await provePayment(purse.bursar, purse.key, last!)).event).toContain(last)
  })

  it('is not for a file', async () => {
    const purse = await makePurse()
    const options = { before: '2026-01', folder: join(purse.folder, 'archive') }
    const archived = archiveJournals(purse.bursar, purse.authority, { vkey: '' } as never, options)
    await expect(archived).rejects.toMatchObject({ code: 'argument_invalid' })
  })
})
