import { describe, test } from 'vitest'
import type { Op } from './ops.ts'
import { runProgram } from './run.ts'

/** A payment with the card that every program begins with, at a merchant by this name. */
function pay(merchant: string, units: bigint): Op {
  const where = { merchant, category: null, country: null, purpose: 'one', key: null }
  return { op: 'pay', who: 0, stranger: false, pick: 0, units, ...where }
}

const wait = (ms: number): Op => ({ op: 'wait', ms })
const recover: Op = { op: 'recover' }
const merchant = (does: 'refund' | 'forcePost' | 'capture', percent: bigint): Op => ({
  op: 'merchant',
  pick: 0,
  does,
  percent,
})
const DAY = 86_400_000

/** Each went wrong once; so written out, it says what must not happen again. */
const PROGRAMS: Readonly<Record<string, readonly Op[]>> = {
  'a tip after a full refund leaves something to refund, and a part of that may be given back': [
    ...[
      pay('Bursar Test: Restaurant Tip', 5_000n),
      { op: 'refund', pick: 0, percent: null } as const,
      wait(2 * 60_000),
    ],
    ...[recover, merchant('refund', 10n), recover, { op: 'refund', pick: 0, percent: null } as const],
  ],
  'a capture and its refund, heard of at once': [
    ...[{ op: 'weather', weather: 'lost_reply' } as const, pay('Bursar Test: Merchant Refund', 5_000n), wait(120_000)],
    ...[{ op: 'weather', weather: 'fair' } as const, recover],
  ],
  'a refund of what was captured while more may be captured': [
    ...[pay('Bursar Test: Multiple Captures', 5_000n), merchant('refund', 10n), recover, wait(180_000), recover],
  ],
  'a capture by force, after the hold ended and its key was used again': [
    { ...pay('Bursar Test: Capture After Expiry', 5_000n), key: 'k1' } as Op,
    ...[wait(7 * DAY + 1), recover, { ...pay('Grocer', 700n), key: 'k1' } as Op, wait(DAY), recover],
    { ...pay('Grocer', 700n), key: 'k1' } as Op,
  ],
  'two questions about one purchase whose time is over, and the same purchase without a key': [
    { ...pay('Grand Hotel', 15_000n), key: 'k1' } as Op,
    { ...pay('Grand Hotel', 15_000n), key: 'k2' } as Op,
    ...[wait(16 * 60_000), pay('Grand Hotel', 15_000n)],
  ],
  'a card that needs no human, asked for while the rail is away': [
    { op: 'weather', weather: 'no_cards' },
    ...[{ op: 'request', who: 0, currency: 'EUR', units: 400n, uses: null, perPayment: null } as const].map(
      (asked): Op => ({ ...asked, lives: '30d', categories: null, countries: null }),
    ),
    { ...pay('Grocer', 300n), pick: 3 } as Op,
    ...[{ op: 'weather', weather: 'fair' } as const, recover],
  ],
}

const limit = (window: string, units: bigint | null, count: number | null): Op => {
  const where = { wallet: 0, scope: 'wallet', named: false, over: 'deny' as const }
  return { op: 'setLimit', ...where, window, units, count }
}
const unfreeze: Op = { op: 'unfreeze', what: 'instrument', pick: 0 }

/** What chance seldom leads to, and money depends on. */
const LEADING: Readonly<Record<string, readonly Op[]>> = {
  'to a count of payments': [
    limit('hour', null, 2),
    pay('Grocer', 100n),
    pay('Hotel', 100n),
    pay('Acme Software', 100n),
  ],
  'to a limit that the network has forced its way into': [
    ...[limit('day', 10_000n, null), pay('Bursar Test: Restaurant Tip', 5_000n), wait(120_000), recover, unfreeze],
    pay('Grocer', 4_500n),
  ],
  'to a week that begins on a Monday': [
    ...[limit('week', 3_000n, null), pay('Grocer', 2_000n), wait(5 * DAY), pay('Hotel', 2_000n), wait(DAY)],
    pay('Hotel', 2_000n),
  ],
  'to what was spent before its limit was set': [
    pay('Grocer', 2_000n),
    limit('month', 3_000n, null),
    pay('Hotel', 2_000n),
  ],
  'to a wallet that owes, which money that comes in repays first': [
    ...[pay('Grand Hotel', 50_000n), { op: 'approvePayment', pick: 0, by: 'operator', late: false } as const],
    ...[merchant('forcePost', 100n), wait(1), merchant('forcePost', 100n), recover],
    ...[merchant('refund', 50n), recover, { op: 'fund', wallet: 0, units: 90_000n } as const],
  ],
}

describe('a program that leads', () => {
  for (const [name, ops] of Object.entries(LEADING))
    test(name, async () => {
      await runProgram({ begins: '2026-03-10T12:00:00Z', ops })
    })
})

describe('a program that went wrong once', () => {
  for (const [name, ops] of Object.entries(PROGRAMS))
    test(name, async () => {
      await runProgram({ begins: '2026-03-10T12:00:00Z', ops })
    })
})
