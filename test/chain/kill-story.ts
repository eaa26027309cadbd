import { pay } from '../../src/actions/agent/pay.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { PaymentView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { sha256 } from '../../src/core/canonical.ts'
import type { Chain as Reads } from '../../src/rails/usdc/chain.ts'
import type { ChainPlace, ChainPurse } from '../support/chain-purse.ts'

/** What is bought, by idempotency key. By amount they wait for a block, for a safe one, or for a finalized one. */
export const PURCHASES = {
  small: { shop: 'grocer', amount: '1.00', units: 1_000_000n },
  again: { shop: 'grocer', amount: '2.00', units: 2_000_000n },
  safe: { shop: 'baker', amount: '20.00', units: 20_000_000n },
  final: { shop: 'tailor', amount: '40.00', units: 40_000_000n },
  asked: { shop: 'hotel', amount: '150.00', units: 150_000_000n },
  'at-once-1': { shop: 'grocer', amount: '3.00', units: 3_000_000n },
  'at-once-2': { shop: 'butcher', amount: '4.00', units: 4_000_000n },
  'at-once-3': { shop: 'florist', amount: '5.00', units: 5_000_000n },
} as const
export type Key = keyof typeof PURCHASES

export const CONFIRMATIONS = [
  { up_to: '10.00', at: 'one_block' },
  { up_to: '30.00', at: 'safe' },
  { up_to: null, at: 'finalized' },
] as const

/** An address that only this purse pays. */
export function shopOf({ wallet }: Pick<ChainPurse, 'wallet'>, name: string): string {
  return `0x${sha256(Buffer.from(`${name} of ${wallet.id}`)).toString('hex', 0, 20)}`
}

/** Each look brings the chain on by a block: where nothing else mines, what was sent waits until somebody looks. */
export function withBlocks(reads: Reads, { url }: Pick<ChainPlace, 'url'>): Reads {
  return {
    ...reads,
    async look(transfer, at) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'evm_mine', params: [] })
      await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      return reads.look(transfer, at)
    },
  }
}

/** One agent's and owner's day. Whoever runs it again after it was cut off anywhere brings it to its end. */
export async function story(purse: ChainPurse, said: (key: Key, view: PaymentView) => void): Promise<void> {
  const { bursar, caller } = purse
  await recover(bursar)
  const instrument_id = await instrument(purse)
  const buy = async (key: Key): Promise<PaymentView> => {
    const { shop, amount } = PURCHASES[key]
    const payee = { address: shopOf(purse, shop) }
    const view = await pay(bursar, caller, { instrument_id, amount, payee, purpose: key, idempotency_key: key })
    said(key, view)
    return view
  }
  await buy('small')
  await buy('again')
  await buy('safe')
  await buy('final')
  const asked = await buy('asked')
  if (asked.status === 'awaiting_approval')
    said('asked', (await approve(bursar, asked.payment_id, await yes(purse, asked.payment_id), {})) as PaymentView)
  await Promise.all([buy('at-once-1'), buy('at-once-2'), buy('at-once-3')])
  await recover(bursar)
}

/** The one that was asked for, by whoever asked first. */
export async function instrument(purse: ChainPurse): Promise<string> {
  const { bursar, caller } = purse
  const asked = (await bursar.store.read.list('requests', { agentId: caller.agentId })).at(-1)
  const terms = { type: 'usdc', amount: '900.00', currency: 'USDC', expires_in: '30d', purpose: 'a day' }
  const id = asked?.id ?? (await requestInstrument(bursar, caller, terms)).request_id
  if ((await bursar.store.read.one('requests', { id }))!.status === 'pending')
    await approve(bursar, id, await yes(purse, id), {})
  return (await bursar.store.read.one('requests', { id }))!.instrumentId!
}

async function yes({ bursar, authority }: ChainPurse, id: string) {
  return hostProof(authority.ownerId, (await question(bursar, id)).digest, 'test')
}
