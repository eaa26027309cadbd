import { createHmac } from 'node:crypto'
import type Database from 'better-sqlite3'
import { canonical, sha256 } from '../../src/core/canonical.ts'
import type { JournalEvent } from '../../src/core/event.ts'
import { append, EMPTY, leafHash, rootOf, serializeFrontier } from '../../src/core/merkle.ts'
import { checkpointText, signNote } from '../../src/core/note.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import type { Purse } from '../support/purse.ts'

/** What events have had since credentials, and the program before it did not write. */
const SINCE = ['credential', 'credentials', 'charged', 'ends', 'until', 'fingerprint']

/** The event as it was written before there were credentials. A payment always had a fingerprint. */
function former({ details, ...event }: JournalEvent): unknown {
  const kept = Object.entries(details).filter(
    ([name]) => !SINCE.includes(name) || (name === 'fingerprint' && event.type === 'payment.attempted'),
  )
  return { ...event, details: Object.fromEntries(kept) }
}

/** Writes the journals of a file without triggers anew, as the program before credentials would have, sealed with its key. */
export function rewriteJournals(db: Database.Database, { journalKey }: Purse): void {
  const key = journalNoteKey(journalKey.publicKey)
  const secret = sha256(journalKey.sign(Buffer.from('bursar journal head, version 1')))
  for (const journal of db.prepare('SELECT journal FROM heads').pluck().all() as string[]) {
    let frontier = EMPTY
    const bodies = db.prepare('SELECT body FROM events WHERE journal = ? ORDER BY seq').pluck().all(journal) as string[]
    const update = db.prepare('UPDATE events SET body = ?, leaf = ? WHERE journal = ? AND seq = ?')
    for (const [seq, body] of bodies.entries()) {
      const text = canonical(former(JSON.parse(body) as JournalEvent))
      update.run(text, leafHash(text), journal, seq)
      frontier = append(frontier, leafHash(text))
    }
    const { size } = frontier
    const roots = serializeFrontier(frontier)
    const note = signNote(checkpointText(`${key.name}/${journal}`, size, rootOf(frontier)), key, journalKey.sign)
    const mac = createHmac('sha256', secret).update(`${journal}\n${size}\n`).update(roots).digest()
    db.prepare('UPDATE heads SET frontier = ?, checkpoint = ?, mac = ? WHERE journal = ?').run(
      roots,
      note,
      mac,
      journal,
    )
  }
}
