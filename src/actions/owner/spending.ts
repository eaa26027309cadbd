import { daysUpTo } from '../../core/calendar.ts'
import { BursarError } from '../../core/errors.ts'
import { formatUnits } from '../../core/money.ts'
import type { Payee } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'

interface ShareView {
  /** Decimal string. */
  readonly amount: string
  readonly count: number
}

/** What was captured less what was given back, by when it was authorized. */
export interface SpendingView {
  readonly wallet_id: string
  readonly currency: string
  readonly days: number
  /** Every day (YYYY-MM-DD) in the wallet's time zone, the oldest first. */
  readonly by_day: readonly ({ readonly day: string } & ShareView)[]
  /** The most first, as are those below. */
  readonly by_agent: readonly ({ readonly id: string; readonly name: string } & ShareView)[]
  readonly by_payee: readonly ({ readonly name: string } & ShareView)[]
  readonly by_protocol: readonly ({ readonly name: string } & ShareView)[]
}

/** Offsets of time zones, and when they change, are whole quarters of an hour: no slot is in two days. */
const SLOT_MS = 15 * 60 * 1000

/** What a wallet spent in so many days up to and with today. @throws `not_found` */
export async function spendingOf(
  { store: { read }, clock }: Bursar,
  walletId: string,
  days: number,
): Promise<SpendingView> {
  const wallet = await read.one('wallets', { id: walletId })
  if (!wallet) throw new BursarError('not_found', 'There is no such wallet.')
  const calendar = daysUpTo(clock.now(), wallet.timeZone, days)
  const { slots, agents, payees, protocols } = await read.spending(wallet.id, calendar[0]?.startMs ?? 0, SLOT_MS)
  const share = ({ amount, count }: { readonly amount: bigint; readonly count: number }): ShareView => ({
    amount: formatUnits(amount, wallet.decimals),
    count,
  })
  return {
    wallet_id: wallet.id,
    currency: wallet.currency,
    days,
    by_day: calendar.map(({ day, startMs }, i) => {
      const endMs = calendar[i + 1]?.startMs ?? Number.POSITIVE_INFINITY
      const within = slots.filter(({ start }) => start >= startMs && start < endMs)
      const amount = within.reduce((sum, slot) => sum + slot.amount, 0n)
      return { day, ...share({ amount, count: within.reduce((sum, slot) => sum + slot.count, 0) }) }
    }),
    by_agent: await Promise.all(
      agents.map(async (one) => ({
        id: one.agentId,
        name: (await read.one('agents', { id: one.agentId }))?.name ?? one.agentId,
        ...share(one),
      })),
    ),
    by_payee: payees.map((one) => ({ name: nameOf(one.payee), ...share(one) })),
    by_protocol: protocols.map((one) => ({ name: one.protocol, ...share(one) })),
  }
}

/** Who was paid: on the web the site, on a chain the account, whatever the agent calls it. */
function nameOf({ name, origin, address }: Payee): string {
  return origin ?? address ?? name ?? ''
}
