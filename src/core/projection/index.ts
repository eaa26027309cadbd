import type { JournalEvent } from '../event.ts'
import type { Op } from '../tables.ts'
import { millis } from '../time.ts'
import { projectIdentity } from './identity.ts'
import { projectInstrument, projectRequest, seconded } from './instrument.ts'
import { projectPayment } from './payment.ts'
import { projectPurchase } from './purchase.ts'
import { projectRelayer, projectTransfer } from './transfer.ts'
import { projectLimit, projectWallet } from './wallet.ts'

/**
 * What an event does to the tables. The store applies these ops when the event is written, and verification applies the
 * same ops to nothing and compares: the journal is the record, the tables are its reading.
 */
export function project(event: JournalEvent): readonly Op[] {
  const [subject] = event.type.split('.', 1)
  switch (subject) {
    case 'wallet':
      return projectWallet(event as Parameters<typeof projectWallet>[0])
    case 'limit':
      return projectLimit(event as Parameters<typeof projectLimit>[0])
    case 'request':
      return projectRequest(event as Parameters<typeof projectRequest>[0])
    case 'instrument':
      return projectInstrument(event as Parameters<typeof projectInstrument>[0])
    case 'payment':
      return projectPayment(event as Parameters<typeof projectPayment>[0])
    case 'purchase':
      return projectPurchase(event as Parameters<typeof projectPurchase>[0])
    case 'transfer':
      return projectTransfer(event as Parameters<typeof projectTransfer>[0])
    case 'owner':
    case 'passkey':
    case 'agent':
    case 'credential':
    case 'notice':
      return projectIdentity(event as Parameters<typeof projectIdentity>[0])
    default:
      return projectInstance(event)
  }
}

/** The kill switch, and what was asked of a human. Starts and stops, and what journals say about journals, change no table. */
function projectInstance(event: JournalEvent): readonly Op[] {
  switch (event.type) {
    case 'instance.created':
      return [
        { table: 'instance', insert: { id: event.details.instance_id, createdAt: millis(event.ts), frozen: false } },
      ]
    case 'spending.frozen':
    case 'spending.unfrozen':
      return [
        {
          table: 'instance',
          key: { id: event.details.instance_id },
          set: { frozen: event.type === 'spending.frozen' },
        },
      ]
    case 'rail.reconciled': {
      const { rail, cursor } = event.details
      return [{ table: 'rails', key: { id: rail }, set: { cursor }, make: { id: rail, cursor } }]
    }
    case 'relayer.limited':
      return projectRelayer(event)
    case 'approval.asked':
      return [{ table: 'approvals', key: { id: event.details.approval_id }, set: { asked: event.details.channel } }]
    case 'approval.unanswered':
      return [{ table: 'approvals', key: { id: event.details.approval_id }, set: { asked: event.details.outcome } }]
    case 'approval.seconded':
      return seconded(event)
    default:
      return []
  }
}
