import { privateKeyToAccount } from 'viem/accounts'
import { expect } from 'vitest'
import { NETWORKS } from '../../src/core/network.ts'
import { authorizationOf, type TypedData, typedDataOf } from '../../src/core/transfer.ts'
import type { Agent, Instance, Instrument, Payment, Purchase, Relayer, Transfer, Wallet } from '../../src/core/types.ts'
import type { Reader } from '../../src/ports.ts'
import { REFUSALS } from '../../src/vault/reading.ts'

export const NOW = Date.UTC(2026, 2, 10, 12)
export const SECRET = 'c0ffee00deadbeef00112233445566778899aabbccddeeff0123456789abcdef'
export const PAYER = privateKeyToAccount(`0x${SECRET}`)
export const OTHER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
export const PAYEE = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'
/** A contract that is not the token. */
export const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3'
export const BASE = NETWORKS.find(({ id }) => id === 'eip155:8453')!
export const { usdc } = BASE
export const ASSET = `${BASE.id}/erc20:${usdc.address}`
export const ACCOUNT = `${BASE.id}:${PAYER.address}`
export const PAYMENT = 'pay_019cd7a0-0000-7000-8000-000000000001'

/** What the signer reads: rows that a test changes as it likes, which the database would not let it. */
export interface Rows {
  instance: Instance
  wallets: Wallet
  instruments: Instrument
  agents: Agent
  payments: Payment
  purchases: Purchase
  transfers: Transfer
  relayers: Relayer
}
/** What the books say now, and what time it is. */
export const state = { rows: freshRows(), now: NOW }

export function startOver(): void {
  state.rows = freshRows()
  state.now = NOW
}

export function set<T extends keyof Rows>(table: T, change: Partial<Rows[T]>): void {
  state.rows[table] = { ...state.rows[table], ...change }
}

const reader: Reader = {
  one: async (table: keyof Rows, where: object) => {
    const row = state.rows[table] as object as Record<string, unknown>
    return Object.entries(where).every(([column, value]) => row[column] === value) ? { ...row } : null
  },
  list: async (table: keyof Rows) => [state.rows[table]],
  together: (look: (read: Reader) => unknown) => look(reader),
} as unknown as Reader

export const books = {
  read: reader,
  clock: { now: () => state.now },
  tokenOf: (asset: string) => (asset === ASSET ? usdc : null),
}
function freshRows(): Rows {
  const wallet = { id: 'wal_1', status: 'active', asset: ASSET, account: ACCOUNT, relayer: ACCOUNT } as Wallet
  const payment = {
    ...{ id: PAYMENT, walletId: 'wal_1', instrumentId: 'inst_1', agentId: 'agt_1', status: 'authorized' },
    ...{ amount: 1_500_000n, held: 1_500_000n, payee: { address: PAYEE, network: BASE.id } },
    validUntil: NOW + 300_000,
  } as unknown as Payment
  const transfer: Transfer = {
    ...{ ...authorizationOf(payment, wallet), walletId: 'wal_1', signature: `0x${'5a'.repeat(64)}1c`, fromBlock: 7 },
    ...{ status: 'open', txHash: null, block: null, moved: null, voidProof: null, signedAt: NOW },
  }
  return {
    ...{ wallets: wallet, payments: payment, transfers: transfer },
    instance: { id: 'ins_1', createdAt: 0, frozen: false },
    purchases: { paymentId: 'none' } as Purchase,
    instruments: { id: 'inst_1', type: 'usdc', status: 'active' } as Instrument,
    agents: { id: 'agt_1', status: 'active' } as Agent,
    relayers: { id: ACCOUNT, dailyMax: 10_000_000n },
  }
}

/** What the rail asks to sign for the payment, each time in objects of its own. */
export function asked(): TypedData {
  return structuredClone(typedDataOf(authorizationOf(state.rows.payments, state.rows.wallets), usdc))
}

export type Reason = keyof typeof REFUSALS

export function refusal(reason: Reason) {
  return expect.objectContaining({ name: 'BursarError', code: 'signing_refused', message: REFUSALS[reason] })
}
