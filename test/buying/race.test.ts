import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { setLimit } from '../../src/actions/owner/limit.ts'
import type { Code } from '../../src/core/errors.ts'
import { formatUnits } from '../../src/core/money.ts'
import type { Payment } from '../../src/core/types.ts'
import { undelivered, unexplained } from './kill-scene.ts'
import { count, Field, type Stake, type StakeOptions } from './race-field.ts'

vi.setConfig({ testTimeout: 600_000 })

/** `BURSAR_RACE_PROCESSES=8 BURSAR_RACE_AT_ONCE=32` for the full size. */
const PROCESSES = Number(process.env.BURSAR_RACE_PROCESSES ?? 3)
const AT_ONCE = Number(process.env.BURSAR_RACE_AT_ONCE ?? 8)
/** How many calls each process makes. */
const CALLS = 2 * AT_ONCE
const UNITS = 100_000n
/** Half of what is tried, and a part of one more. */
const FITS = (PROCESSES * CALLS) / 2
const ROOM = BigInt(FITS) * UNITS + UNITS / 2n
const AMPLE = BigInt(PROCESSES * CALLS + 10) * UNITS

let field: Field
beforeAll(async () => {
  // A block a second, as on a chain that others use, too: those who pay at the same time wait together.
  field = await Field.begin(PROCESSES, { blockTimeSeconds: 1 })
})
afterAll(() => field.end())

const amount = (units: bigint): string => formatUnits(units, 6)

interface Bound extends StakeOptions {
  readonly code: Code
  readonly set?: (stake: Stake) => Promise<unknown>
}

const BOUNDS: Readonly<Record<string, Bound>> = {
  'the day limit': {
    funds: AMPLE,
    code: 'limit_exceeded',
    set: ({ purse: { bursar, authority, wallet } }) =>
      setLimit(bursar, authority, wallet.id, {
        ...{ scope: 'wallet', window: 'day', max_amount: amount(ROOM), over: 'deny' },
      }),
  },
  'the amount of the instrument': { funds: AMPLE, code: 'amount_exceeds_remaining', terms: { amount: amount(ROOM) } },
  'the uses of the instrument': { funds: AMPLE, code: 'usage_limit_reached', terms: { usage_limit: FITS } },
  'the balance': { funds: ROOM, code: 'insufficient_funds' },
}

it.each(Object.entries(BOUNDS))('security: many processes together buy up to %s, to the unit', async (name, bound) => {
  const stake = await field.newStake(bound)
  await bound.set?.(stake)
  const { purse, seller, instrument: instrument_id } = stake
  const answers = await field.race(
    stake,
    (process) =>
      Array.from({ length: CALLS }, (_, i) => {
        const url = seller.url(`page-${process}-${i}`, UNITS)
        return { instrument_id, url, max_amount: '1.00', purpose: 'A page' }
      }),
    AT_ONCE,
  )
  expect(count(answers, bound.code)).toBe(answers.length - FITS)
  const went = answers.filter(({ code }) => code === null)
  expect(went.filter(({ http, delivered }) => http !== 200 || !delivered)).toEqual([])
  await field.settled(stake)
  const paid = (await purse.bursar.store.read.list('payments', { status: 'captured' })) as readonly Payment[]
  expect(paid.map(({ id }) => id).sort()).toEqual(went.map(({ paymentId }) => paymentId).sort())
  expect([paid.length, seller.taken(), seller.seen().length]).toEqual([FITS, FITS, FITS])
  expect([await undelivered(purse), await unexplained(purse, seller)]).toEqual([[], []])
  const slowest = Math.max(...answers.map(({ ms }) => ms)).toFixed(0)
  process.stdout.write(`${name}: ${answers.length} calls, ${FITS} of them paid, the slowest ${slowest} ms\n`)
})
