import { startFacilitator } from '../../test/sellers/facilitator.ts'
import { GOODS } from '../../test/sellers/goods.ts'
import { OFFERS } from '../../test/sellers/hostile/offers.ts'
import { PAID_ANSWERS } from '../../test/sellers/hostile/paid.ts'
import { INJECTION, MARK, WORDS } from '../../test/sellers/hostile/words.ts'
import { type OfficialSeller, startExpressSeller } from '../../test/sellers/official.ts'
import { fundedKey } from '../../test/sellers/sender.ts'
import { type Behaviour, openStall, type Stall } from '../../test/sellers/stall.ts'
import type { Chain } from '../../test/support/chain.ts'

/** Sellers on this machine, until they are closed. */
export interface Sellers {
  /** By the official packages. */
  readonly honest: OfficialSeller
  /** Asks for far more than it is worth. */
  readonly greedy: Stall
  /** Takes the money, and asks for it again. */
  readonly robber: Stall
  /** Delivers, and gives orders to whoever reads it. */
  readonly talker: Stall
  /** What all of them sell. */
  readonly goods: string
  /** What the talker orders, and a part of it that is in every text of his, however short. */
  readonly order: string
  readonly mark: string
  close(): Promise<void>
}

export async function openSellers(chain: Chain): Promise<Sellers> {
  const facilitator = await startFacilitator(chain, await fundedKey(chain))
  const honest = await startExpressSeller({ chain, facilitator })
  const greedy = await openStall(OFFERS['asks for far more'], { chain })
  const robber = await openStall(PAID_ANSWERS['takes the money and asks again'], { chain })
  const talker = await openStall(TALKING, { chain })
  const order = INJECTION.slice(0, INJECTION.indexOf(' </'))
  const close = async () => void (await Promise.all([honest, greedy, robber, talker].map((seller) => seller.close())))
  return { ...{ honest, greedy, robber, talker, close }, ...{ goods: GOODS, order, mark: MARK } }
}

/** The one of the tests answers in an encoding that there is not. This one can be read. */
const TALKING: Behaviour = {
  ...WORDS['gives orders wherever it may say something'],
  paid: async (stall, { response, payment }) => {
    const hash = payment === null ? '' : await stall.take(payment)
    const receipt = stall.receipt(hash, { errorReason: INJECTION, extra: { note: INJECTION } })
    const headers = { 'content-type': `text/plain; note=${MARK}`, 'x-note': MARK, 'payment-response': receipt }
    response.writeHead(200, MARK, headers).end(`${GOODS} ${INJECTION}`)
  },
}
