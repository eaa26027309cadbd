import assert from 'node:assert/strict'
import { recover } from '../../src/actions/recover.ts'
import { endOverdue } from './model-asking.ts'
import { isUnsettled } from './model-settle.ts'
import type { Op } from './ops.ts'
import { unsent } from './run-pay.ts'
import { hear, mayBegin, picked, type Run } from './run-shared.ts'

type TimeOp = Extract<Op, { op: 'wait' | 'waitUntil' | 'weather' | 'recover' }>

export async function timeStep(run: Run, op: TimeOp): Promise<void> {
  const { world } = run
  switch (op.op) {
    case 'wait':
      world.time.now += op.ms
      return
    case 'waitUntil':
      world.time.now = Math.max(world.time.now, boundary(run, op) + op.ms)
      return
    case 'weather':
      world.weather.now = op.weather
      return
    case 'recover':
      return recovered(run)
  }
}

/** Where the next hour, day or month of a wallet begins, or the next question or instrument ends; found by trying. */
function boundary({ world, model }: Run, { wallet, boundary: kind }: TimeOp & { op: 'waitUntil' }): number {
  const { now } = world.time
  if (kind === 'expiry') {
    const questions = [...model.requests, ...model.payments].map(({ question }) => question?.expiresAt ?? 0)
    const ends = [...questions, ...model.instruments.map(({ expiresAt }) => expiresAt)].filter((end) => end > now)
    return ends.length === 0 ? now : Math.min(...ends)
  }
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: picked(model.wallets, wallet)!.zone,
    ...(kind === 'hour' && { hour: '2-digit', hourCycle: 'h23', timeZoneName: 'longOffset' as const }),
    ...(kind !== 'hour' && { year: 'numeric', month: '2-digit' }),
    ...(kind === 'day' && { day: '2-digit' }),
  })
  const here = format.format(now)
  // Zones are offset by whole quarters of an hour: so is every boundary.
  let next = now - (now % 900_000) + 900_000
  while (format.format(next) === here) next += 900_000
  return next
}

/** Everything unsettled is asked about, all news of the rail is taken in, and what is due expires. */
async function recovered(run: Run): Promise<void> {
  const { world, model } = run
  const { now } = world.time
  const open = model.payments.filter(isUnsettled)
  const startable = new Set(open.filter((payment) => mayBegin(model, payment)))
  await recover(world.bursar)
  const asked = new Set(
    hear(run, startable).flatMap(({ by, paymentId }) => (by === 'pay' || by === 'find' ? [paymentId] : [])),
  )
  for (const payment of open) if (!asked.has(payment.id)) await unsent(run, payment)
  assert.equal(asked.size <= open.length, true)
  endOverdue(model, now)
  for (const instrument of model.instruments)
    if (instrument.status === 'active' && now >= instrument.expiresAt) instrument.status = 'expired'
}
