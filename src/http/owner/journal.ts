import { exportLines, provePayment } from '../../actions/owner/journal.ts'
import { BursarError } from '../../core/errors.ts'
import type { Bursar, Head } from '../../ports.ts'
import { ofKind } from '../shared/ids.ts'
import { ok } from '../shared/route.ts'
import type { OwnerHandlers } from './call.ts'

const PAGE = 50
const INSTANCE = 'instance'

export const JOURNAL_HANDLERS: OwnerHandlers<'listEvents' | 'getCheckpoint' | 'getProof' | 'exportJournal'> = {
  listEvents({ bursar, query: { journal = INSTANCE, from = 0, limit = PAGE } }) {
    const { size } = headOf(bursar, journal)
    const end = Math.min(size, from + limit)
    const events: object[] = []
    for (const { seq, body, leaf } of bursar.store.read.events(journal, from)) {
      if (seq >= end) break
      events.push({ event: JSON.parse(body), leaf: leaf.toString('base64') })
    }
    return ok({ journal, size, events, ...(end < size && { next_from: end }) })
  },
  getCheckpoint({ bursar, noteKey, query: { journal = INSTANCE } }) {
    const { size, checkpoint } = headOf(bursar, journal)
    return ok({ journal, size, checkpoint, vkey: noteKey.vkey })
  },
  getProof: ({ bursar, noteKey, query }) => ok(provePayment(bursar, noteKey, ofKind('payment', query.payment_id))),
  exportJournal: ({ bursar, noteKey }) => ({ status: 200, body: exportLines(bursar, noteKey) }),
}

/** @throws `not_found` */
function headOf({ store }: Bursar, journal: string): Head {
  const head = store.read.head(journal)
  if (!head) throw new BursarError('not_found', 'There is no such journal.')
  return head
}
