// An archive run as a process of its own, which kills itself at a point: bundled and started by the tests beside it.
import { createPrivateKey } from 'node:crypto'
import { archiveJournals } from '../../src/actions/owner/archive.ts'
import type { OwnerAuthority } from '../../src/actions/owner/authority.ts'
import type { Bursar, Store } from '../../src/ports.ts'
import { openPostgres } from '../../src/store/postgres/index.ts'
import { journalNoteKey } from '../../src/store/shared/journals.ts'
import { pairOf, signerOf } from '../../src/vault/keys.ts'

const [url = '', folder = '', now = '', key = '', ownerId = '', point = ''] = process.argv.slice(2)
const pair = pairOf(createPrivateKey(key))
const publicKey = Buffer.from(pair.publicKey, 'base64')
const clock = { now: () => Number(now) }
const store = await openPostgres({ url, clock, journalKey: { publicKey, sign: signerOf(pair) } })

/** Dies at the second portion, before or after the journal names the files, or before or after a refused payment leaves. */
function die(at: string): void {
  if (at !== point) return
  process.stdout.write(`${at}\n`)
  process.kill(process.pid, 'SIGKILL')
}

let portions = 0
const dying: Store = {
  ...store,
  async update(step, decide) {
    die('unnamed')
    const result = await store.update(step, decide)
    die('named')
    return result
  },
  async archive() {
    const archive = await store.archive()
    return {
      async clear(journal, events) {
        portions += 1
        if (portions === 2) die('portion')
        return archive.clear(journal, events)
      },
      async forget(journal, refused) {
        die('unforgotten')
        const gone = await archive.forget(journal, refused)
        die('forgotten')
        return gone
      },
    }
  },
}
const authority: OwnerAuthority = { ownerId, channel: 'test', sign: () => new Uint8Array() }
const options = { before: '2026-05', folder, portion: 5 }
await archiveJournals({ store: dying, clock } as unknown as Bursar, authority, journalNoteKey(publicKey), options)
