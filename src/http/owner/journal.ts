import { exportLines, provePayment } from '../../actions/owner/journal.ts'
import { BursarError } from '../../core/errors.ts'
import type { Bursar, Head } from '../../ports.ts'
import { ofKind } from '../shared/ids.ts'
import { ok } from '../shared/route.ts'
import type { OwnerHandlers } from './call.ts'

const PAGE = 50
const INSTANCE = 'instance'

export const JOURNAL_HANDLERS: OwnerHandlers<'listEvents' | 'getCheckpoint' | 'getProof' | 'exportJournal'> = {
  async listEvents({ bursar, query: { journal = INSTANCE, from = 0, limit = PAGE } }) {
    const { size } = await headOf(bursar, journal)
    const end = Math.min(size, from + limit)
    const events: object[] = []
    for await (const { seq, type, body, leaf } of bursar.store.read.events(journal, from)) {
      if (seq >= end) break
      const kept = leaf.toString('base64')
      events.push(body === null ? { archived: true, seq, type, leaf: kept } : { event: JSON.parse(body), leaf: kept })
    }
    return ok({ journal, size, events, ...(end < size && { next_from: end }) })
  },
  async getCheckpoint({ bursar, noteKey, query: { journal = INSTANCE } }) {
    const { size, checkpoint } = await headOf(bursar, journal)
    return ok({ journal, size, checkpoint, vkey: noteKey.vkey })
  },
  getProof: async ({ bursar, noteKey, query }) =>
    ok(await provePayment(bursar, noteKey, ofKind('payment', query.payment_id))),
  exportJournal: ({ bursar, noteKey }) => ({ status: 200, body: exportLines(bursar, noteKey) }),
}

/** @throws `not_found` */
async function headOf({ store }: Bursar, journal: string): Promise<Head> {
  const head = await store.read.head(journal)
  if (!head) throw new BursarError('not_found', 'There is no such journal.')
  return head
}
