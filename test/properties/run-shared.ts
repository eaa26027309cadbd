import assert from 'node:assert/strict'
import { BursarError } from '../../src/core/errors.ts'
import type { Heard, World } from '../support/world.ts'
import type { Model, ModelPayment } from './model.ts'
import { isUnsettled, type ModelRecord, settle } from './model-settle.ts'

/** One program under way: the real thing, and the model of it. */
export interface Run {
  readonly world: World
  readonly model: Model
}

/** The answer of an action: its value, or the code with which it threw. Any other error is a bug. */
export async function outcome<T>(
  action: Promise<T>,
): Promise<{ value: T; code: null } | { value: null; code: string }> {
  try {
    return { value: await action, code: null }
  } catch (error) {
    if (error instanceof BursarError) return { value: null, code: error.code }
    throw error
  }
}

export const picked = <T>(list: readonly T[], pick: number): T | undefined =>
  list.length === 0 ? undefined : list[pick % list.length]

/** What bursar heard from its rail since the last look, taken into the model. `startable`: what nothing had stopped when it began. */
export function hear({ world, model }: Run, startable?: ReadonlySet<ModelPayment>): readonly Heard[] {
  const news = world.heard.splice(0)
  for (const { paymentId, by, record } of news) {
    const payment = model.payments.find(({ id }) => id === paymentId)
    assert(payment, `${paymentId} went to the rail and is not in the model`)
    if (by === 'pay' || by === 'find') {
      assert(isUnsettled(payment), `${paymentId} was asked about while ${payment.status}`)
      const stopped = !mayBegin(model, payment)
      assert(
        by === 'pay' ? (startable?.has(payment) ?? !stopped) : stopped,
        `${paymentId}: ${by}, and stopped: ${stopped}`,
      )
    }
    const never = record === 'unknown' && world.time.now > payment.authorizedAt + SEND_WITHIN_MS
    if (record === 'unknown') settle(model, payment, never ? NEVER_BEGUN : null)
    else if (record || by !== 'refund') settle(model, payment, record as ModelRecord | null)
  }
  return news
}

/** How long a rail may take to begin a payment. */
const SEND_WITHIN_MS = 600_000
const NEVER_BEGUN = { state: 'closed', captured: 0n, refunded: 0n } as const

/** Whether an authorized payment may still be sent: nothing that it depends on was stopped. */
export function mayBegin(model: Model, { instrument, agentId }: ModelPayment): boolean {
  const stopped = model.frozen || instrument.wallet.frozen || model.revokedAgents.has(agentId)
  return !stopped && instrument.status === 'active'
}
