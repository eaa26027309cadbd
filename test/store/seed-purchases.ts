import { fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { setAllowances } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import { settle } from '../../src/actions/settle.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { webOf } from '../../src/web/web.ts'
import { openDoor } from '../sellers/door.ts'
import { encoded } from '../sellers/payment.ts'
import type { Purse } from '../support/purse.ts'
import { type OnChain, PAYEES, SANDBOX } from './seed-chain.ts'

/** What a page costs in smallest units, who gets it, and what whoever pays for it is answered. */
interface Page {
  readonly amount: string
  readonly payTo: string
  readonly status: number
}

const OTHER = `0x${'7b'.repeat(20)}`
const PAGES: Readonly<Record<string, Page>> = {
  '/bought': { amount: '20000000', payTo: PAYEES[0]!, status: 200 },
  '/prepared': { amount: '20000000', payTo: OTHER, status: 500 },
  // Over what may be paid to one payee without a human.
  '/agreed': { amount: '70000000', payTo: OTHER, status: 200 },
  '/asked': { amount: '70000000', payTo: OTHER, status: 200 },
}

/** Purchases of one seller: captured and delivered, signed and not answered for, approved and not signed, and asked about. */
export async function seedPurchases({
  purse,
  walletId,
  instrument,
}: OnChain): Promise<Readonly<Record<string, string>>> {
  const { authority } = purse
  const web = webOf()
  const seller = await openDoor(({ url }, response, { payment }) => {
    const { status, ...offer } = PAGES[url ?? ''] as Page
    if (payment) response.writeHead(status).end('the page')
    else response.writeHead(402, { 'payment-required': encoded(requirements(offer)) }).end()
  })
  try {
    const bursar = { ...purse.bursar, sellers: async () => ({ web, x402 }) }
    await setAllowances(bursar, authority, walletId, ['loopback'])
    const [bought, prepared, agreed, asked] = await Object.keys(PAGES).reduce(
      async (made, page) => [...(await made), await payFor({ ...purse, bursar }, `${seller.url}${page}`, instrument)],
      Promise.resolve<string[]>([]),
    )
    await settle(bursar, bought!, 0)
    const { digest } = await question(bursar, agreed!)
    await approve(bursar, agreed!, hostProof(authority.ownerId, digest, 'test'), {})
    return { bought: bought!, prepared: prepared!, agreed: agreed!, asked: asked! }
  } finally {
    await seller.close()
    await web.close()
  }
}

async function payFor(
  { bursar, caller }: Purse,
  url: string,
  { instrument_id }: OnChain['instrument'],
): Promise<string> {
  const { payment } = await fetchWithPayment(bursar, caller, {
    ...{ instrument_id, url, max_amount: '99.00', purpose: 'A page' },
  })
  return payment!.payment_id
}

/** What a 402 carries (x402 v2 §5.1). */
function requirements({ amount, payTo }: Omit<Page, 'status'>) {
  const { address, name, version } = SANDBOX.usdc
  const offer = { scheme: 'exact', network: SANDBOX.id, asset: address, amount, payTo, maxTimeoutSeconds: 300 }
  return { x402Version: 2, resource: { url: '' }, accepts: [{ ...offer, extra: { name, version } }] }
}
