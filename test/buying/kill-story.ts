import { type FetchInput, fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { followUp } from '../../src/actions/follow-up.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { FetchView, PaymentView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { resourceIn } from '../../src/core/resource.ts'
import type { Payment } from '../../src/core/types.ts'
import type { ChainPurse } from '../support/chain-purse.ts'
import { placeOf } from './kill-seller.ts'

/**
 * What is bought, by its page. By amount they wait for a block or for a finalized one, and the last for a human; its amount
 * is the payee's month full, so that it is the last.
 */
export const PURCHASES = {
  keyed: 1_000_000n,
  plain: 2_000_000n,
  /** Its seller takes the money and hangs up, the first time. */
  lost: 3_000_000n,
  /** Its seller hangs up and takes nothing, the first time. */
  broken: 4_000_000n,
  final: 30_000_000n,
  'at-once-1': 5_000_000n,
  'at-once-2': 6_000_000n,
  'at-once-3': 7_000_000n,
  asked: 150_000_000n,
} as const
export type Page = keyof typeof PURCHASES
export const PAGES = Object.keys(PURCHASES) as readonly Page[]

/** Where and with what a story is told. */
export interface Place {
  readonly instrument: string
  /** By page. */
  readonly urls: Readonly<Record<Page, string>>
}

export function inputOf({ instrument, urls }: Place, page: Page): FetchInput {
  const input = { instrument_id: instrument, url: urls[page], max_amount: '200.00', purpose: page }
  return page === 'keyed' ? { ...input, idempotency_key: 'order-1' } : input
}

/** One agent's and owner's day. Whoever runs it again after it was cut off anywhere brings it to its end. */
export async function story(purse: ChainPurse, place: Place, said: (page: Page, view: PaymentView) => void) {
  const { bursar, caller } = purse
  await recover(bursar)
  const fetch = async (page: Page): Promise<FetchView> => {
    const view = await fetchWithPayment(bursar, caller, inputOf(place, page))
    if (view.payment) said(page, view.payment)
    return view
  }
  const buy = async (page: Page): Promise<FetchView | null> => {
    // What was delivered is not called for again, but for what has a key: without one that is another purchase.
    if (page !== 'keyed' && (await isDelivered(purse, page))) return null
    const view = await fetch(page)
    return view.payment?.status === 'awaiting_approval' || (await isDelivered(purse, page)) ? view : fetch(page)
  }
  const keyed = await buy('keyed')
  await followUp(bursar, keyed?.payment?.payment_id as string, new AbortController().signal)
  await buy('plain')
  await buy('lost')
  await buy('broken')
  await buy('final')
  await Promise.all([buy('at-once-1'), buy('at-once-2'), buy('at-once-3')])
  const asked = await buy('asked')
  if (asked?.payment?.status === 'awaiting_approval') {
    said('asked', await yes(purse, asked.payment.payment_id))
    await buy('asked')
  }
  // What waits for a finalized block has one then.
  for (let looks = 0; looks < 3; looks++) await recover(bursar)
}

/** A human's yes to what the store shows now. */
export async function yes({ bursar, authority }: ChainPurse, id: string): Promise<PaymentView> {
  const proof = hostProof(authority.ownerId, (await question(bursar, id)).digest, 'test')
  return (await approve(bursar, id, proof, {})) as PaymentView
}

async function isDelivered(purse: ChainPurse, page: Page): Promise<boolean> {
  const { read } = purse.bursar.store
  for (const { id } of (await alive(purse)).get(page) ?? [])
    if (typeof (await read.one('purchases', { paymentId: id }))?.deliveredAt === 'number') return true
  return false
}

/** The payments of each page that hold or moved money, or may yet. */
export async function alive(purse: ChainPurse): Promise<Map<string, readonly Payment[]>> {
  const status = ['authorized', 'in_doubt', 'captured', 'awaiting_approval'] as const
  const found = (await purse.bursar.store.read.list('payments', { status })) as readonly Payment[]
  const byPage = new Map<string, readonly Payment[]>()
  for (const payment of found) {
    const page = await pageOf(purse, payment.id)
    byPage.set(page, [...(byPage.get(page) ?? []), payment])
  }
  return byPage
}

/** What a payment is for. */
export async function pageOf({ bursar: { store } }: ChainPurse, paymentId: string): Promise<string> {
  const { resourceRef } = (await store.read.one('purchases', { paymentId }))!
  const { url } = resourceIn(await store.read.text(resourceRef))!
  return placeOf(new URL(url).pathname).page
}
