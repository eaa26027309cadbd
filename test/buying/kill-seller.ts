import type { Payment } from '../sellers/payment.ts'
import { openStall, type Stall } from '../sellers/stall.ts'
import type { Chain } from '../support/chain.ts'

/** Awaited at one moment of a request, with the page that it is for. What it throws cuts the connection. */
export type Moment = (page: string, payment: Payment) => Promise<void> | void

/** May be changed at any time. */
export interface Moments {
  /** A request that does not pay was read. */
  asked?: ((page: string) => Promise<void> | void) | undefined
  /** A request that pays was read, and nothing was taken for it yet. */
  read?: Moment | undefined
  /** The money was taken, and nothing was answered yet. */
  taken?: Moment | undefined
}

/** A request that paid, as the seller saw it. */
export interface Seen {
  readonly page: string
  readonly header: string
  readonly nonce: string
}

/** A seller that takes each payment once, and gives the goods for it as often as it comes, as `payment-identifier` asks. */
export interface HonestSeller {
  readonly payTo: string
  readonly moments: Moments
  /** Where this page costs so many units. */
  url(page: string, units: bigint): string
  /** Everything that came and paid, in its order. */
  seen(): readonly Seen[]
  /** How often it took money. */
  taken(): number
  /** Returns when it is taking nothing any more. */
  idle(): Promise<void>
  close(): Promise<void>
}

export async function openHonestSeller(chain: Chain, moments: Moments = {}): Promise<HonestSeller> {
  const takes = new Map<string, Promise<string>>()
  const take = (stall: Stall, payment: Payment): Promise<string> => {
    const known = takes.get(payment.header) ?? stall.take(payment)
    takes.set(payment.header, known)
    return known
  }
  const stall = await openStall(
    {
      expected: { signs: true, ends: 'captured', delivers: true },
      async unpaid(own, { request, response }) {
        const { page, units } = placeOf(request.url)
        await moments.asked?.(page)
        own.ask(response, own.quote({ amount: units }))
      },
      async paid(own, { request, response, payment }) {
        const { page, units } = placeOf(request.url)
        const paid = payment as Payment
        await moments.read?.(page, paid)
        const { to, value } = paid.authorization ?? {}
        if (to !== own.payTo || value !== units) return own.ask(response, own.quote({ amount: units }))
        const hash = await take(own, paid)
        await moments.taken?.(page, paid)
        own.deliver(response, hash)
      },
    },
    { chain },
  )
  return {
    ...{ moments, payTo: stall.payTo },
    url: (page, units) => `${stall.origin}/${page}/${units}`,
    seen: () =>
      stall.requests.flatMap(({ url, payment }) =>
        payment?.authorization
          ? { page: placeOf(url).page, header: payment.header, nonce: payment.authorization.nonce }
          : [],
      ),
    taken: () => stall.taken.length,
    idle: () => stall.idle(),
    close: () => stall.close(),
  }
}

/** `/report/10000` */
export function placeOf(path = ''): { readonly page: string; readonly units: string } {
  const [, page = '', units = ''] = path.split('/')
  return { page, units }
}
