import { type Address, encodeFunctionData, type Hex, parseAbi, parseSignature } from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { type Network, ownNetwork } from '../../src/core/network.ts'
import { type Authorization, nonceOf, typedDataOf } from '../../src/core/transfer.ts'
import type { Transfer } from '../../src/core/types.ts'
import type { Chain } from '../support/chain.ts'

const ABI = parseAbi([
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)',
  'function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)',
])

/** An account of the node's own, which pays the gas. */
export const RELAYER: Address = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'

let made = 0

export function networkOf(chain: Chain): Network {
  return ownNetwork(chain.network, { address: chain.token, name: 'USD Coin', version: '2', decimals: 6 })
}

export function stranger(): PrivateKeyAccount {
  return privateKeyToAccount(generatePrivateKey())
}

/** A payer with 100 units more, and its authorization of 25 of them. */
export async function signedTransfer(
  chain: Chain,
  terms: Partial<Transfer> = {},
  payer: PrivateKeyAccount = stranger(),
): Promise<Signed> {
  await chain.mint(payer.address, 100n)
  made += 1
  const paymentId = `pay_${made}`
  const authorization: Authorization = {
    ...{ paymentId, asset: chain.asset, from: payer.address, to: stranger().address, value: 25n },
    ...{ validBefore: (await chain.now()) + 600, nonce: nonceOf(paymentId) },
    ...{ kind: 'eip3009', facilitator: null, ...terms },
  }
  const typedData = typedDataOf(authorization, networkOf(chain).usdc)
  const signature = await payer.signTypedData(typedData as Parameters<typeof payer.signTypedData>[0])
  const fromBlock = Number(await chain.publicClient.getBlockNumber())
  return {
    ...authorization,
    ...{ walletId: 'wal_1', signature, fromBlock, status: 'open', txHash: null, block: null },
    ...{ moved: null, voidProof: null, signedAt: 0, ...terms, payer },
  }
}

export interface Signed extends Transfer {
  readonly payer: PrivateKeyAccount
}

/** Has a relayer send it; returns when it is in a block, whether it moved anything or not. */
export function relay(chain: Chain, transfer: Transfer): Promise<Hex> {
  const { from, to, value, validBefore, nonce, signature } = transfer
  const { v, r, s } = parseSignature(signature as Hex)
  const terms = [from as Hex, to as Hex, value, 0n, BigInt(validBefore), nonce as Hex] as const
  const functionName = 'transferWithAuthorization'
  return mined(chain, encodeFunctionData({ abi: ABI, functionName, args: [...terms, Number(v), r, s] }))
}

/** Has a relayer cancel it, as the payer signed. */
export async function cancel(chain: Chain, { payer, nonce }: Signed): Promise<Hex> {
  const { name, version, address } = networkOf(chain).usdc
  const chainId = Number(chain.network.slice('eip155:'.length))
  const parts = [
    ['authorizer', 'address'],
    ['nonce', 'bytes32'],
  ].map(([part = '', type = '']) => ({ name: part, type }))
  const signature = await payer.signTypedData({
    domain: { name, version, chainId, verifyingContract: address as Hex },
    types: { CancelAuthorization: parts },
    primaryType: 'CancelAuthorization',
    message: { authorizer: payer.address, nonce: nonce as Hex },
  })
  const { v, r, s } = parseSignature(signature)
  const args = [payer.address, nonce as Hex, Number(v), r, s] as const
  return mined(chain, encodeFunctionData({ abi: ABI, functionName: 'cancelAuthorization', args }))
}

/** The next block is of this very second, and the clock goes on from there. */
export async function nextBlockAt(chain: Chain, second: number): Promise<void> {
  await chain.rpc('evm_setNextBlockTimestamp', [second])
}

/** Sends this from a relayer to the token, or to another contract. */
export async function mined(chain: Chain, data: Hex, to: Address = chain.token): Promise<Hex> {
  const transaction = { from: RELAYER, to, data, gas: '0x1e8480' }
  const hash = await chain.rpc<Hex>('eth_sendTransaction', [transaction])
  await chain.publicClient.waitForTransactionReceipt({ hash })
  return hash
}

/** The contract at a new address that runs this code. */
export async function contractWith(chain: Chain, code: Hex): Promise<Address> {
  const { address } = stranger()
  await chain.rpc('anvil_setCode', [address, code])
  return address
}
