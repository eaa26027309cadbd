import { BursarError } from '../../core/errors.ts'
import { kindOf } from '../../core/ids.ts'
import { formatUnits } from '../../core/money.ts'
import { subject } from '../../core/payment.ts'
import { closedFact } from '../../core/request.ts'
import type { Change, Snapshot } from '../../core/step.ts'
import type { Bursar } from '../../ports.ts'
import { tellRail } from '../rail-status.ts'
import type { Caller, CancelView } from '../wire.ts'

/**
 * Reduces the agent's own power: takes back a request or a waiting payment, or returns an instrument for good.
 *
 * @throws `not_found`, also for other agents' things; `wrong_state` when there is nothing left to take back
 */
export async function cancel(bursar: Bursar, caller: Caller, id: string): Promise<CancelView> {
  switch (kindOf(id)) {
    case 'request':
      return finish(bursar, id, await bursar.store.update({ requestId: id }, (s) => cancelRequest(s, caller)))
    case 'payment':
      return finish(bursar, id, await bursar.store.update({ paymentId: id }, (s) => cancelPayment(s, caller)))
    case 'instrument': {
      const { credentialId } = caller
      const key = { instrumentId: id, ...(credentialId !== null && { credentialId }) }
      const view = await bursar.store.update(key, (s) => returnInstrument(s, caller))
      await tellRail(bursar, id)
      return finish(bursar, id, view)
    }
    default:
      throw notFound()
  }
}

function finish(bursar: Bursar, id: string, view: CancelView): CancelView {
  bursar.notify.changed(id, null)
  return view
}

function cancelRequest({ request, approval }: Snapshot, caller: Caller): Change<CancelView> {
  if (request?.agentId !== caller.agentId) throw notFound()
  if (request.status !== 'pending') throw decided(request.status)
  const actor = { role: 'agent' as const, id: caller.agentId }
  return {
    facts: [closedFact('request.canceled', request, approval, actor)],
    result: { id: request.id, status: 'canceled', given_back: null },
  }
}

function cancelPayment({ payment, wallet, approval }: Snapshot, caller: Caller): Change<CancelView> {
  if (payment?.agentId !== caller.agentId) throw notFound()
  if (payment.status !== 'awaiting_approval' || !wallet) throw decided(payment.status)
  return {
    facts: [
      {
        type: 'payment.canceled',
        actor: { role: 'agent', id: caller.agentId },
        ...subject(payment, wallet, payment.instrumentId as string),
        details: approval ? { approval_id: approval.id } : {},
      },
    ],
    result: { id: payment.id, status: 'canceled', given_back: null },
  }
}

function returnInstrument({ instrument, wallet, credentials }: Snapshot, caller: Caller): Change<CancelView> {
  if (instrument?.agentId !== caller.agentId || !wallet) throw notFound()
  // One that is held to other instruments does not know this one.
  if (credentials.some(({ instruments }) => instruments?.includes(instrument.id) === false)) throw notFound()
  if (instrument.status !== 'active' && instrument.status !== 'frozen') throw decided(instrument.status)
  const { remaining, usageLimit, usageConsumed } = instrument
  return {
    facts: [
      {
        type: 'instrument.returned',
        actor: { role: 'agent', id: caller.agentId },
        session_id: caller.sessionId,
        wallet_id: wallet.id,
        agent_id: caller.agentId,
        instrument_id: instrument.id,
        details: {},
      },
    ],
    result: {
      id: instrument.id,
      status: 'returned',
      given_back: {
        amount: formatUnits(remaining, wallet.decimals),
        currency: wallet.currency,
        uses: usageLimit === null ? null : usageLimit - usageConsumed,
      },
    },
  }
}

function notFound(): BursarError {
  return new BursarError('not_found', 'There is no such request, payment or instrument.')
}

function decided(status: string): BursarError {
  return new BursarError('wrong_state', `It is ${status}: there is nothing to take back.`)
}
