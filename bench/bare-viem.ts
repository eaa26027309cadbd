import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeFunctionData, type Hex, parseAbi, parseSignature, type TransactionReceipt } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { TRANSFER_TYPES } from '../src/core/transfer.ts'
import type { Chain } from '../test/support/chain.ts'

const TOKEN = parseAbi([
  'function transfer(address to, uint256 value) returns (bool)',
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)',
  'event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)',
])
const USED = TOKEN[2]
const HOUR = 3_600n
const POLL_MS = 20
/** As far back as bursar looks for a use. */
const BLOCKS = 128n

/** A program that pays with nothing but viem: no limits, no store, no journal. It asks the chain what a careful one asks. */
export interface BareViem {
  /** One payment, verified when it resolves. Without a nonce the chain is asked for it, so one at a time. */
  pay(to: Hex, units: bigint, nonce?: number): Promise<void>
  /** The next nonce of its relayer. */
  count(): Promise<number>
}

/** @param units what its account has at first */
export async function bareViem(chain: Chain, units: bigint): Promise<BareViem> {
  const payer = privateKeyToAccount(generatePrivateKey())
  const relayer = privateKeyToAccount(generatePrivateKey())
  await chain.give(relayer.address, 10n ** 20n)
  await chain.mint(payer.address, units)
  const { publicClient: client, token } = chain
  const chainId = client.chain.id
  const domain = { name: 'USD Coin', version: '2', chainId, verifyingContract: token }
  const count = () => client.getTransactionCount({ address: relayer.address })

  async function authorized(to: Hex, value: bigint): Promise<{ readonly id: Hex; readonly data: Hex }> {
    const id: Hex = `0x${randomBytes(32).toString('hex')}`
    const terms = { from: payer.address, to, value, validAfter: 0n, nonce: id }
    const validBefore = BigInt(Math.floor(Date.now() / 1000)) + HOUR
    const message = { ...terms, validBefore }
    const primaryType = 'TransferWithAuthorization'
    const signature = await payer.signTypedData({ domain, types: TRANSFER_TYPES, primaryType, message })
    const { r, s, yParity } = parseSignature(signature)
    const args = [payer.address, to, value, 0n, validBefore, id, yParity + 27, r, s] as const
    return { id, data: encodeFunctionData({ abi: TOKEN, functionName: 'transferWithAuthorization', args }) }
  }

  return {
    count,
    async pay(to, value, given) {
      const { id, data } = await authorized(to, value)
      const plain = encodeFunctionData({ abi: TOKEN, functionName: 'transfer', args: [to, value] })
      const [moves, block, tip, gas, nonce] = await Promise.all([
        client.call({ account: payer.address, to: token, data: plain }),
        client.getBlock(),
        client.estimateMaxPriorityFeePerGas(),
        client.estimateGas({ account: relayer.address, to: token, data }),
        given ?? count(),
      ])
      if (BigInt(moves.data ?? '0x0') !== 1n) throw new Error('The token would not move.')
      const fees = { maxFeePerGas: (block.baseFeePerGas ?? 0n) * 2n + tip, maxPriorityFeePerGas: tip }
      const limit = (gas * 5n) / 4n
      const raw = await relayer.signTransaction({
        chainId,
        to: token,
        data,
        nonce,
        gas: limit,
        ...fees,
        type: 'eip1559',
      })
      const hash = await client.sendRawTransaction({ serializedTransaction: raw })
      const receipt = await receiptOf(chain, hash)
      const fromBlock = block.number > BLOCKS ? block.number - BLOCKS : 0n
      const args = { authorizer: payer.address, nonce: id }
      const logs = await client.getLogs({ address: token, event: USED, args, fromBlock })
      const [use] = logs
      if (receipt.status !== 'success' || logs.length !== 1 || use?.blockHash !== receipt.blockHash)
        throw new Error('A measured transfer of bare viem failed.')
    },
  }
}

async function receiptOf({ publicClient }: Chain, hash: Hex): Promise<TransactionReceipt> {
  for (;;) {
    const receipt = await publicClient.getTransactionReceipt({ hash }).catch((error: Error) => {
      if (error.name === 'TransactionReceiptNotFoundError') return null
      throw error
    })
    if (receipt) return receipt
    await sleep(POLL_MS)
  }
}
