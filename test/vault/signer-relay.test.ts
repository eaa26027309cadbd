import { encodeFunctionData, type Hex, keccak256, parseAbi, parseTransaction } from 'viem'
import { beforeEach, describe, expect, it } from 'vitest'
import { NETWORKS } from '../../src/core/network.ts'
import type { Transfer } from '../../src/core/types.ts'
import type { GasTerms } from '../../src/ports/chain.ts'
import { PrivateKey } from '../../src/vault/private-key.ts'
import { relaySignerOf } from '../../src/vault/signer.ts'
import {
  ACCOUNT,
  BASE,
  books,
  OTHER,
  PAYER,
  PERMIT2,
  type Reason,
  refusal,
  SECRET,
  set,
  startOver,
  state,
  usdc,
} from './signer-fixture.ts'

const KEY = new PrivateKey(Buffer.from(SECRET, 'hex'))
const relayer = await relaySignerOf(books, ACCOUNT, KEY)
const sign = async (carries: Transfer | null, terms: GasTerms) => (await relayer.carry(carries))(terms)
beforeEach(startOver)

describe('relay signer', () => {
  const terms: GasTerms = {
    ...{ chainId: 8453, nonce: 5, gas: 120_000n, maxFeePerGas: 50_000_000n, maxPriorityFeePerGas: 1_000_000n },
  }
  const carried = (): Transfer => ({ ...state.rows.transfers })
  const call = () => {
    const { from, to, value, validBefore, nonce } = state.rows.transfers as Transfer &
      Record<'from' | 'to' | 'nonce', Hex>
    const half: Hex = `0x${'5a'.repeat(32)}`
    return encodeFunctionData({
      abi: parseAbi([
        'function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
      ]),
      args: [from, to, value, 0n, BigInt(validBefore), nonce, 28, half, half],
    })
  }

  it.each([
    ['of a usual fee', terms],
    ['without a fee', { ...terms, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }],
    ['the first', { ...terms, nonce: 0 }],
    ['with the most gas', { ...terms, gas: 500_000n, maxFeePerGas: 20_000_000_000n }],
  ])('makes the transaction that viem would, %s', async (_what, gas) => {
    const common = { type: 'eip1559', ...gas, value: 0n } as const
    const signed = await sign(carried(), gas)
    expect(signed.raw).toBe(await PAYER.signTransaction({ ...common, to: usdc.address as Hex, data: call() }))
    expect(await sign(carried(), gas)).toEqual(signed)
    const empty = await sign(null, gas)
    expect(empty.raw).toBe(await PAYER.signTransaction({ ...common, to: PAYER.address }))
    for (const { raw, txHash } of [signed, empty]) expect(txHash).toBe(keccak256(raw as Hex))
  })

  it('carries the stored transfer to its token, or nothing to itself', async () => {
    const transfer = parseTransaction((await sign(carried(), terms)).raw as Hex)
    expect(transfer).toMatchObject({ type: 'eip1559', ...terms, to: usdc.address.toLowerCase(), data: call() })
    expect(transfer.value ?? 0n).toBe(0n)
    const empty = parseTransaction((await sign(null, terms)).raw as Hex)
    expect(empty).toMatchObject({ type: 'eip1559', ...terms, to: PAYER.address.toLowerCase() })
    expect([empty.value ?? 0n, empty.data ?? '0x']).toEqual([0n, '0x'])
  })

  it('carries one that was seen on the chain since it was read', async () => {
    const before = carried()
    set('transfers', { txHash: `0x${'11'.repeat(32)}`, block: 9 })
    expect(await sign(before, terms)).toEqual(await sign(carried(), terms))
  })

  it.each<[string, Partial<Transfer>]>([
    ['asset', { asset: `${BASE.id}/erc20:${PERMIT2}` }],
    ['payer', { from: OTHER }],
    ['payee', { to: OTHER }],
    ['value', { value: 1_500_001n }],
    ['end', { validBefore: 1 }],
    ['nonce', { nonce: `0x${'00'.repeat(32)}` }],
    ['signature', { signature: `0x${'5b'.repeat(64)}1c` }],
    ['wallet', { walletId: 'wal_2' }],
    ['payment', { paymentId: 'pay_2' }],
  ])('security: carries no other %s than what is stored', async (_what, change) => {
    await expect(relayer.carry({ ...carried(), ...change })).rejects.toThrow(refusal('not_stored'))
  })

  it.each<[Reason, string, () => void]>([
    ['not_stored', 'a signature of another form', () => set('transfers', { signature: `0x${'5a'.repeat(64)}00` })],
    [
      'other_token',
      'a token that is not in the table',
      () => set('transfers', { asset: `${BASE.id}/erc20:${PERMIT2}` }),
    ],
    ['fees_not_its_own', 'a wallet with another relayer', () => set('wallets', { relayer: `${BASE.id}:${OTHER}` })],
    ['gas_out_of_bounds', 'a relayer without a limit', () => set('relayers', { id: `${BASE.id}:${OTHER}` })],
    ['gas_out_of_bounds', 'a fee above that of a day', () => set('relayers', { dailyMax: 5_999n })],
  ])('security: %s: %s', async (reason, _what, happen) => {
    happen()
    await expect(sign(carried(), terms)).rejects.toThrow(refusal(reason))
  })

  it('security: other_chain: a transfer on another chain than the relayer', async () => {
    const ethereum = NETWORKS.find(({ id }) => id === 'eip155:1')!
    const account = `${ethereum.id}:${PAYER.address}`
    set('relayers', { id: account })
    set('wallets', { relayer: account })
    const elsewhere = await relaySignerOf(books, account, KEY)
    await expect(elsewhere.carry(carried())).rejects.toThrow(refusal('other_chain'))
  })

  it('allows the fee of a day, to the last gwei', async () => {
    set('relayers', { dailyMax: 6_000n })
    expect((await sign(carried(), terms)).raw).toMatch(/^0x02/)
  })

  it.each<[Reason, Partial<Record<keyof GasTerms, unknown>>]>([
    ['other_chain', { chainId: 1 }],
    ['other_chain', { chainId: '8453' }],
    ['gas_out_of_bounds', { gas: 500_001n }],
    ['gas_out_of_bounds', { gas: -1n }],
    ['gas_out_of_bounds', { gas: 120_000 }],
    ['gas_out_of_bounds', { maxPriorityFeePerGas: 50_000_001n }],
    ['gas_out_of_bounds', { maxPriorityFeePerGas: -1n }],
    ['gas_out_of_bounds', { maxFeePerGas: -1n, maxPriorityFeePerGas: -2n }],
    ['gas_out_of_bounds', { nonce: -1 }],
    ['gas_out_of_bounds', { nonce: 0.5 }],
    ['gas_out_of_bounds', { nonce: undefined }],
  ])('security: %s: %o', async (reason, change) => {
    const wrong = { ...terms, ...change } as GasTerms
    const [carries, empty] = [await relayer.carry(carried()), await relayer.carry(null)]
    expect(() => carries(wrong)).toThrow(refusal(reason))
    expect(() => empty(wrong)).toThrow(refusal(reason))
  })
})
