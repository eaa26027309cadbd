import { subject } from '../core/payment.ts'
import { closedFact } from '../core/request.ts'
import type { Actor, Payment } from '../core/types.ts'
import type { Bursar } from '../ports.ts'

/** Takes back everything that an agent asks a human for. Safe to call again. */
export async function endAsks(bursar: Bursar, agentId: string, actor: Actor): Promise<void> {
  const pending = await bursar.store.read.list('requests', { agentId, status: 'pending' })
  for (const { id, walletId } of pending) {
    await bursar.store.update({ requestId: id }, ({ request, approval }) => {
      if (request?.status !== 'pending') return { facts: [], result: null }
      return { facts: [closedFact('request.canceled', request, approval, actor)], result: null }
    })
    bursar.notify.changed(id, walletId)
  }
  await endWaiting(bursar, agentId, actor, () => true)
}

/** Takes back the waiting payments of an agent that are like this. Safe to call again. */
export async function endWaiting(
  bursar: Bursar,
  agentId: string,
  actor: Actor,
  isLikeThis: (payment: Payment) => boolean,
): Promise<void> {
  const waiting = await bursar.store.read.list('payments', { agentId, status: 'awaiting_approval' })
  for (const { id, walletId } of waiting.filter((payment) => isLikeThis(payment as Payment))) {
    await bursar.store.update({ paymentId: id }, ({ payment, wallet, approval }) => {
      if (payment?.status !== 'awaiting_approval' || !wallet) return { facts: [], result: null }
      const base = { actor, ...subject(payment, wallet, payment.instrumentId as string) }
      const details = approval ? { approval_id: approval.id } : {}
      return { facts: [{ ...base, type: 'payment.canceled', details }], result: null }
    })
    bursar.notify.changed(id, walletId)
  }
}
