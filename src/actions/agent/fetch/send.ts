import { credentialEnded } from '../../../core/credential.ts'
import { BursarError } from '../../../core/errors.ts'
import type { Details } from '../../../core/event.ts'
import { SYSTEM, subject } from '../../../core/payment.ts'
import type { Payment } from '../../../core/types.ts'
import type { Protocol, Visit, WebRequest, WebResponse } from '../../../ports/web.ts'
import type { Bursar } from '../../../ports.ts'
import { isStopped, mayBegin } from '../../settle.ts'
import type { Caller } from '../../wire.ts'

const PAID_WITHIN_MS = 40_000

/**
 * Sends the stored header with the request that it pays for, and puts the answer on record. The same bytes each time: the
 * token takes them once. No redirect is followed with them, and nothing that comes back is paid again.
 *
 * @returns null when there was no answer, or nothing was sent since spending was stopped
 */
export async function sendPaid(
  bursar: Bursar,
  { visit, x402, caller, gone }: Sending,
  { id, header }: { readonly id: string; readonly header: string },
  request: WebRequest,
): Promise<WebResponse | null> {
  if (gone.aborted || !(await mayLeave(bursar, caller, id))) return null
  const response = await visit
    .ask(withHeader(request, header), { withinMs: PAID_WITHIN_MS, redirects: 0 })
    .catch(expected)
  // What nobody is there to get is not delivered: the same call gets it.
  const delivered = response !== null && isDelivered(response) && !gone.aborted
  const claimed = response && x402.claim(response)
  await record(bursar, id, {
    ...{ http_status: response?.status ?? null, delivered },
    ...(claimed && { claimed: { ...claimed } }),
  })
  return response
}

interface Sending {
  readonly visit: Visit
  readonly x402: Protocol
  readonly caller: Caller
  /** Fires when nobody waits for the answer any more. */
  readonly gone: AbortSignal
}

/**
 * Whether the header of a payment may leave now. What was captured is paid already, and may be shown to its seller unless the
 * owner has stopped something; anything else only in its time, too.
 */
export async function mayLeave(
  { store: { read }, clock }: Bursar,
  { credentialId }: Caller,
  paymentId: string,
): Promise<boolean> {
  const payment = (await read.one('payments', { id: paymentId })) as Payment
  const agent = await read.one('agents', { id: payment.agentId })
  const credentials = credentialId === null ? [] : await read.credentials(credentialId)
  const now = clock.now()
  if (credentialEnded({ agent, credentials, now }, credentialId, 'bursar:pay')) return false
  return payment.captured > 0n
    ? !(await isStopped(read, payment, now))
    : now < payment.validUntil && (await mayBegin(read, payment, now))
}

function withHeader(request: WebRequest, header: string): WebRequest {
  const end = header.indexOf(': ')
  return { ...request, headers: { ...request.headers, [header.slice(0, end)]: header.slice(end + 2) } }
}

function expected(error: unknown): null {
  if (error instanceof BursarError) return null
  throw error
}

export function isDelivered({ status }: WebResponse): boolean {
  return status >= 200 && status <= 299
}

/** The agent gets what it paid for even where the store cannot be written now: then the same call sends the same bytes again. */
async function record(bursar: Bursar, paymentId: string, details: Details['purchase.answered']): Promise<void> {
  try {
    await bursar.store.update({ paymentId }, ({ payment, wallet, purchase }) => {
      if (!payment || !wallet || !purchase || purchase.deliveredAt !== null) return { facts: [], result: null }
      const about = { actor: SYSTEM, ...subject(payment, wallet, payment.instrumentId as string) }
      return { facts: [{ type: 'purchase.answered', ...about, details }], result: null }
    })
  } catch {
    // Also a full disk, which is no error of ours, keeps nothing from the agent.
  }
}
