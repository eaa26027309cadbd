import { cancel } from '../../src/actions/agent/cancel.ts'
import { pay } from '../../src/actions/agent/pay.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { freezeInstrument, unfreezeInstrument } from '../../src/actions/owner/freeze.ts'
import { refund } from '../../src/actions/owner/refund.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { PaymentView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import type { Disk } from '../support/disk.ts'

/** What is bought, by idempotency key: where, for how much, and how much of it is taken in the end. */
export const PURCHASES = {
  ordinary: { name: 'Acme Software', amount: '21.00', taken: 2_100n },
  partial: { name: 'Bursar Test: Partial Capture', amount: '10.00', taken: 400n },
  'lost-reply': { name: 'Bursar Test: Lost Reply', amount: '11.00', taken: 1_100n },
  'lost-request': { name: 'Bursar Test: Lost Request', amount: '12.00', taken: 1_200n },
  asked: { name: 'Grand Hotel', amount: '150.00', taken: 15_000n },
  'at-once-1': { name: 'Grocer', amount: '1.00', taken: 100n },
  'at-once-2': { name: 'Baker', amount: '2.00', taken: 200n },
  'at-once-3': { name: 'Butcher', amount: '3.00', taken: 300n },
} as const
export type Key = keyof typeof PURCHASES

/**
 * One agent's and owner's day. Whoever runs it again after it was cut off anywhere, with the same keys, brings it to its
 * end: every step looks first whether it was done.
 */
export async function story(disk: Disk, said: (key: Key, view: PaymentView) => void): Promise<void> {
  const { bursar, authority } = disk
  const instrumentId = await card(disk)
  const buy = async (key: Key): Promise<PaymentView> => {
    const { name, amount } = PURCHASES[key]
    const input = { instrument_id: instrumentId, amount, payee: { name }, purpose: key, idempotency_key: key }
    const view = await pay(bursar, { agentId: disk.agentId, sessionId: 'a day', credentialId: null }, input)
    said(key, view)
    return view
  }
  const paid = await buy('ordinary')
  await buy('partial')
  await buy('lost-reply')
  await buy('lost-request')
  const asked = await buy('asked')
  if (asked.status === 'awaiting_approval')
    said('asked', (await approve(bursar, asked.payment_id, await yes(disk, asked.payment_id), {})) as PaymentView)
  await Promise.all([buy('at-once-1'), buy('at-once-2'), buy('at-once-3')])
  await recover(bursar)
  if ((await buy('ordinary')).refunded_amount === '0.00') await refund(bursar, authority, paid.payment_id, '1.00')
  const ended = (await bursar.store.read.one('instruments', { id: instrumentId }))!.status
  if (ended === 'active') await freezeInstrument(bursar, authority, instrumentId)
  if (ended !== 'returned') await unfreezeInstrument(bursar, authority, instrumentId)
  if (ended !== 'returned')
    await cancel(bursar, { agentId: disk.agentId, sessionId: 'a day', credentialId: null }, instrumentId)
}

async function card(disk: Disk): Promise<string> {
  const { bursar, agentId } = disk
  const asked = (await bursar.store.read.list('requests', { agentId })).at(-1)
  const terms = { type: 'virtual_card', amount: '400.00', currency: 'USD', expires_in: '30d', purpose: 'a day' }
  const id =
    asked?.id ??
    (await requestInstrument(bursar, { agentId, sessionId: 'a day', credentialId: null }, terms)).request_id
  if ((await bursar.store.read.one('requests', { id }))!.status === 'pending')
    await approve(bursar, id, await yes(disk, id), {})
  return (await bursar.store.read.one('requests', { id }))!.instrumentId!
}

async function yes({ bursar, authority }: Disk, id: string) {
  return hostProof(authority.ownerId, (await question(bursar, id)).digest, 'test')
}
