import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { exportLines, verifyExport, verifyStore } from '../../src/actions/owner/journal.ts'
import { recover } from '../../src/actions/recover.ts'
import { append, EMPTY, leafHash, serializeFrontier } from '../../src/core/merkle.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { collected } from '../support/collected.ts'
import { buy, makeCard, makePurse, type Purse } from '../support/purse.ts'
import { ON_POSTGRES } from '../support/store.ts'

/** Somebody who has the file and no key. */
function withFile<T>(purse: Purse, work: (file: Database.Database) => T): T {
  const file = new Database(purse.path)
  try {
    return work(file)
  } finally {
    file.close()
  }
}

/** Takes away what stops changes, as whoever owns the file can. Puts it back, so that the schema looks untouched. */
function behindTheTriggers(purse: Purse, work: (file: Database.Database) => void): void {
  withFile(purse, (file) => {
    const triggers = file.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as {
      name: string
      sql: string
    }[]
    for (const { name } of triggers) file.exec(`DROP TRIGGER ${name}`)
    work(file)
    for (const { sql } of triggers) file.exec(sql)
  })
}

/** Rewrites events and everything that is computed from them without a key. */
function rewrite(file: Database.Database, journal: string, from: string, to: string): void {
  let frontier = EMPTY
  for (const { seq, body } of file
    .prepare('SELECT seq, body FROM events WHERE journal = ? ORDER BY seq')
    .all(journal) as {
    seq: number
    body: string
  }[]) {
    const forged = body.replaceAll(from, to)
    const leaf = leafHash(forged)
    file.prepare('UPDATE events SET body = ?, leaf = ? WHERE journal = ? AND seq = ?').run(forged, leaf, journal, seq)
    frontier = append(frontier, leaf)
  }
  file.prepare('UPDATE heads SET frontier = ? WHERE journal = ?').run(serializeFrontier(frontier), journal)
  file.exec(`UPDATE payments SET payee = replace(payee, '${from}', '${to}')`)
}

async function spent() {
  const purse = await makePurse()
  const card = await makeCard(purse)
  await buy(purse, card, '49.00')
  return { purse, card, check: () => verifyStore(purse.bursar, journalNoteKey(purse.journalKey.publicKey)) }
}

// On a server nobody has the file: test/store/roles.test.ts is about who has the right to write there.
describe.skipIf(ON_POSTGRES)('security: somebody with the file and no key', () => {
  it('is not made honest by the next payment: bursar does not sign on top of what it did not write', async () => {
    const { purse, card, check } = await spent()
    behindTheTriggers(purse, (file) => rewrite(file, purse.walletId, 'Acme Software', 'Evil Software'))
    expect((await check()).ok).toBe(false)
    await expect(buy(purse, card, '1.00')).rejects.toMatchObject({ code: 'journal_tampered' })
    expect((await check()).ok).toBe(false)
  })

  it('cannot cut a journal back to where it once stood', async () => {
    const { purse, card, check } = await spent()
    const before = withFile(purse, (file) => ({
      head: file.prepare('SELECT * FROM heads WHERE journal = ?').get(purse.walletId) as Record<string, unknown>,
      accounts: file.prepare('SELECT * FROM accounts').get() as Record<string, unknown>,
    }))
    await buy(purse, card, '50.00')
    await recover(purse.bursar)
    expect((await check()).ok).toBe(true)
    behindTheTriggers(purse, (file) => {
      const { size, frontier, checkpoint, mac } = before.head
      file.prepare('DELETE FROM events WHERE journal = ? AND seq >= ?').run(purse.walletId, size)
      file
        .prepare('UPDATE heads SET size = ?, frontier = ?, checkpoint = ?, mac = ? WHERE journal = ?')
        .run(size, frontier, checkpoint, mac, purse.walletId)
    })
    expect((await check()).problems.map(({ why }) => why)).toContainEqual(
      expect.stringMatching(/the journal is shorter now/),
    )
  })

  it('cannot take a whole journal away', async () => {
    const { purse, check } = await spent()
    behindTheTriggers(purse, (file) => {
      file.pragma('foreign_keys = OFF')
      file.prepare('DELETE FROM events WHERE journal = ?').run(purse.walletId)
      file.prepare('DELETE FROM heads WHERE journal = ?').run(purse.walletId)
      for (const table of [
        'entries',
        'counters',
        'payments',
        'approvals',
        'instruments',
        'requests',
        'limits',
        'accounts',
        'wallets',
      ])
        file.exec(`DELETE FROM ${table}`)
    })
    expect((await check()).problems).toContainEqual({
      journal: purse.walletId,
      seq: null,
      why: 'The journal is missing.',
    })
  })

  it('is seen by one digit of a balance, of an event, or of a text', async () => {
    const changes = [
      'UPDATE accounts SET available = available + 1, external = external - 1',
      'UPDATE instruments SET remaining = remaining + 1',
      "UPDATE events SET body = replace(body, '49.00', '48.00')",
      "UPDATE events SET type = 'payment.refused' WHERE type = 'payment.captured'",
      "UPDATE texts SET text = text || '!'",
      "UPDATE approvals SET assurance = 'operator'",
      "INSERT INTO agents VALUES ('agt_x', 'ghost', NULL, 'active', 0)",
      "INSERT INTO events SELECT 'wal_ghost', seq, type, body, leaf FROM events WHERE journal = 'instance'",
    ]
    for (const change of changes) {
      const { purse, check } = await spent()
      behindTheTriggers(purse, (file) => void file.exec(change))
      expect([change, (await check()).ok]).toEqual([change, false])
    }
  })

  it('who takes the checks away stops every step, and is named by the verification', async () => {
    const { purse, card, check } = await spent()
    withFile(purse, (file) => file.exec('DROP TRIGGER counters_grow_within_cap'))
    const again = await makePurse({ folder: purse.folder }).catch((error: unknown) => error)
    expect(again).toMatchObject({ code: 'journal_tampered' })
    expect((await check()).problems).toEqual([
      { journal: 'schema', seq: null, why: 'counters_grow_within_cap is missing or was altered.' },
    ])
    expect(card.status).toBe('active')
  })
})

describe('security: an export', () => {
  it('speaks to a terminal in plain words, whatever it holds', async () => {
    const { purse } = await spent()
    const key = journalNoteKey(purse.journalKey.publicKey)
    const file = join(purse.folder, 'export.jsonl')
    const lines = (await collected(exportLines(purse.bursar, key))).map((line) =>
      line.replaceAll(purse.walletId, 'wal_\\u001b[2J'),
    )
    writeFileSync(file, lines.join('\n'))
    const { ok, problems, journals } = await verifyExport(file, key.vkey)
    expect(ok).toBe(false)
    expect(JSON.stringify([problems, journals])).not.toMatch(/\\u001b/)
  })

  it.each(['{"text":5}', '{"head":{}}', '{"event":1}', 'x', '[]'])('with the line %s is not one', async (line) => {
    const { purse } = await spent()
    const file = join(purse.folder, 'export.jsonl')
    writeFileSync(file, `${line}\n`)
    await expect(verifyExport(file, null)).rejects.toMatchObject({ code: 'argument_invalid' })
  })
})
