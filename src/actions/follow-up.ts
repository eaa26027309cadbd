import { setTimeout as sleep } from 'node:timers/promises'
import { isUnsettled } from '../core/payment.ts'
import type { Bursar } from '../ports.ts'
import { settle } from './settle.ts'

/** When to look, in milliseconds after the look before: sellers settle before they answer, chains a little later. */
const LOOKS_MS = [0, 250, 1_000, 2_000, 4_000, 8_000]

/**
 * Looks for what became of a payment that somebody else brings to the chain, a few times. Never rejects: whatever is not
 * settled then is settled by recovery.
 *
 * @param gone ends it early
 */
export async function followUp(bursar: Bursar, paymentId: string, gone: AbortSignal): Promise<void> {
  for (const pause of LOOKS_MS) {
    await sleep(pause, undefined, { signal: gone, ref: false }).catch(() => undefined)
    const payment = await bursar.store.read.one('payments', { id: paymentId })
    if (gone.aborted || !payment || !isUnsettled(payment as Parameters<typeof isUnsettled>[0])) return
    await settle(bursar, paymentId, 0).catch(() => undefined)
  }
}
