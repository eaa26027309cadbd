import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exportLines, verifyExport, verifyStore } from '../../src/actions/owner/journal.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { collected } from '../support/collected.ts'
import { buy, makeCard, makePurse } from '../support/purse.ts'

describe('journal verify', () => {
  it('finds a live store whole, and its tables nothing but what the journal says', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    await buy(purse, card, '49.00')
    await buy(purse, card, '4900.00')
    const report = await verifyStore(purse.bursar, journalNoteKey(purse.journalKey.publicKey))
    expect(report.problems).toEqual([])
    expect(report.journals.map(({ journal }) => journal)).toEqual(['instance', purse.walletId])
  })

  it('finds an export whole', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    await buy(purse, card, '49.00')
    const file = join(purse.folder, 'export.jsonl')
    const key = journalNoteKey(purse.journalKey.publicKey)
    writeFileSync(file, `${(await collected(exportLines(purse.bursar, key))).join('\n')}\n`)
    expect((await verifyExport(file, key.vkey)).problems).toEqual([])
  })
})
