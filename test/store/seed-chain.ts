import { createWallet } from '../../src/actions/owner/wallets.ts'
import { transferBooks } from '../../src/actions/transfer/books.ts'
import { reconcile } from '../../src/actions/transfer/reconcile.ts'
import type { InstrumentView } from '../../src/actions/wire.ts'
import { NETWORKS } from '../../src/core/network.ts'
import type { Authorizations, Bursar, PaymentTerms, Rail, RailRecord } from '../../src/ports.ts'
import { buy, makeCard, type Purse } from '../support/purse.ts'

const HASH = (n: number) => `0x${String(n).padStart(64, '0')}`
const ADDRESS = (n: number) => `0x${String(n).padStart(40, '0')}`
const SIGNATURE = `0x${'5a'.repeat(65)}`
/** To whom each of the payments on the chain goes; the last looks like the first. */
export const PAYEES = [0, 1, 2, 3].map((n) => `0x${n % 3}a2b${'0'.repeat(31)}${n}c3d4`)
export const SANDBOX = NETWORKS.find(({ id }) => id === 'eip155:84532')!

/** A purse that pays on a chain, as if there were one. */
export interface OnChain {
  readonly purse: Purse
  readonly walletId: string
  readonly instrument: InstrumentView
  readonly ids: Readonly<Record<string, string>>
}

/** A wallet on a chain with a deposit, and payments that were captured, only signed, not even signed, and asked about. */
export async function seedChain(card: Purse): Promise<OnChain> {
  const { authority } = card
  const relayer = `${SANDBOX.id}:${ADDRESS(2)}`
  const bursar: Bursar = { ...card.bursar, rails: { ...card.bursar.rails, usdc: chainRail(card, relayer) } }
  const chain = { network: SANDBOX, account: `${SANDBOX.id}:0xAb${ADDRESS(1).slice(4)}`, relayer }
  const usdc = { name: 'usdc', currency: 'USDC', mode: 'sandbox', chain }
  const { wallet_id: walletId } = await createWallet(bursar, authority, usdc)
  await reconcile(bursar, walletId, true)
  const purse = { ...card, bursar }
  const instrument = await makeCard(purse, {
    ...{ type: 'usdc', currency: 'USDC', usage_limit: 9, per_payment_max: '99.00', constraints: {} },
  })
  const [moved, signed, unsigned, alike] = await PAYEES.reduce(
    async (made, address) => [...(await made), await buy(purse, instrument, '20.00', { payee: { address } })],
    Promise.resolve<Awaited<ReturnType<typeof buy>>[]>([]),
  )
  const ids = {
    ...{ onchain: walletId, usdc: instrument.instrument_id, relayer },
    ...{ moved: moved!.payment_id, signed: signed!.payment_id },
    ...{ unsigned: unsigned!.payment_id, alike: alike!.payment_id },
  }
  return { purse, walletId, instrument, ids }
}

/**
 * A chain that has one deposit, takes the first payment, says nothing of the second, and cannot be reached for the third. What
 * a seller brings reaches the first payee, and nobody else yet.
 */
export function chainRail({ bursar: { store, clock } }: Purse, relayer: string): Rail {
  const books = transferBooks(store, clock)
  const deposit = { txHash: HASH(90), position: 0, amount: 1_000_000_000n, from: ADDRESS(9), block: 5 }
  const at = (n: number) => ({ tx_hash: HASH(n), block: 8, block_hash: HASH(80) })
  async function pay({ paymentId, amount, payee }: PaymentTerms): Promise<RailRecord> {
    const place = PAYEES.indexOf(`${payee.address}`.toLowerCase())
    if (place > 1) throw new Error('No answer.')
    const authorization = (await books.authorization(paymentId))!
    await books.sign({ authorization, signature: SIGNATURE, fromBlock: 7, proof: null })
    const make = (nonce: number) => ({ txHash: HASH(nonce), raw: '0x02' })
    await books.broadcast({ relayer, paymentId, chainNonce: 0, maxFee: 1_000n, make })
    const record = { railRef: HASH(0), authorized: amount, refunded: 0n }
    if (place === 1) return { ...record, state: 'pending', captured: 0n }
    await books.feePaid(relayer, 0, HASH(0), 700n)
    return { ...record, state: 'closed', captured: amount, inclusion: at(0) }
  }
  async function find(paymentId: string): Promise<RailRecord | null> {
    const transfer = await books.transfer(paymentId)
    if (!transfer) return null
    const record = { railRef: HASH(1), authorized: transfer.value, refunded: 0n }
    if (transfer.to.toLowerCase() !== PAYEES[0]) return { ...record, state: 'pending', captured: 0n }
    return { ...record, state: 'closed', captured: transfer.value, inclusion: at(1) }
  }
  const authorizations: Authorizations = {
    token: () => SANDBOX.usdc,
    async sign({ id, walletId }, proofOf) {
      const authorization = (await books.authorization(id))!
      const open = { status: 'open', txHash: null, block: null, moved: null, voidProof: null } as const
      const signed = { walletId, signature: SIGNATURE, fromBlock: 7, signedAt: clock.now() }
      const proof = proofOf({ ...authorization, ...open, ...signed })
      await books.sign({ authorization, signature: SIGNATURE, fromBlock: 7, proof })
    },
  }
  return {
    ...{ pay, find, authorizations, refund: null },
    ...{ serves: () => true, setStatus: async () => undefined },
    provision: async () => ({ railRef: 'usdc_1', display: '•••• 0001' }),
    changes: async () => ({ records: [], cursor: null }),
    accounts: {
      head: async () => ({ number: 6, hash: HASH(60) }),
      opening: async () => ({ block: { number: 4, hash: HASH(40) }, balance: 0n }),
      settled: async () => null,
      statement: async () => ({
        ...{ balance: deposit.amount, settledTo: 6, moved: new Map<string, bigint>() },
        deposits: [{ ...deposit, confirmed: true }],
      }),
    },
  }
}
