import { setTimeout as sleep } from 'node:timers/promises'
import { x402Facilitator } from '@x402/core/facilitator'
import { encodePaymentRequiredHeader } from '@x402/core/http'
import type { FacilitatorClient } from '@x402/core/server'
import { x402HTTPResourceServer, x402ResourceServer } from '@x402/core/server'
import type { PaymentPayload, PaymentRequirements, SettleResponse, SupportedResponse } from '@x402/core/types'
import { toFacilitatorEvmSigner, x402UptoPermit2ProxyABI } from '@x402/evm'
import { UptoEvmScheme as UptoFacilitator } from '@x402/evm/upto/facilitator'
import { UptoEvmScheme as UptoServer } from '@x402/evm/upto/server'
import { paymentMiddlewareFromHTTPServer, setSettlementOverrides } from '@x402/express'
import express from 'express'
import {
  type Address,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  http,
  maxUint256,
  parseAbi,
  type TransactionReceipt,
} from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { deadlineOf, PERMIT2, UPTO_PROXY } from '../../src/core/permit.ts'
import type { Transfer } from '../../src/core/types.ts'
import { type Chain, contract } from '../support/chain.ts'
import { type Door, openDoor } from './door.ts'
import { signerOf } from './facilitator.ts'
import { GOODS, UNITS } from './goods.ts'
import { fundedKey, newAddress, Sender } from './sender.ts'

const OWNER = parseAbi([
  'function approve(address spender, uint256 value) returns (bool)',
  'function invalidateUnorderedNonces(uint256 wordPos, uint256 mask)',
])

/** Permit2 and the proxy where they are on every chain that has them. */
export async function placePermit2(chain: Chain): Promise<void> {
  for (const [name, address] of [
    ['TestPermit2', PERMIT2],
    ['TestUptoProxy', UPTO_PROXY],
  ] as const) {
    const { data } = await chain.publicClient.call({ data: (await contract(name)).bytecode })
    await chain.rpc('anvil_setCode', [address, data])
  }
}

/** The owner of an account lets Permit2 take so much, with the account's own key. */
export async function allowPermit2(chain: Chain, owner: PrivateKeyAccount, units = maxUint256): Promise<void> {
  await asOwner(
    chain,
    owner,
    chain.token,
    encodeFunctionData({ abi: OWNER, args: [PERMIT2, units], functionName: 'approve' }),
  )
}

/** The owner of an account takes a permit back, with the account's own key. */
export async function giveUp(chain: Chain, owner: PrivateKeyAccount, { nonce }: Transfer): Promise<Hex> {
  const args = [BigInt(nonce) >> 8n, 1n << (BigInt(nonce) & 0xffn)] as const
  return asOwner(
    chain,
    owner,
    PERMIT2,
    encodeFunctionData({ abi: OWNER, args, functionName: 'invalidateUnorderedNonces' }),
  )
}

async function asOwner(chain: Chain, owner: PrivateKeyAccount, to: Address, data: Hex): Promise<Hex> {
  await chain.give(owner.address, 10n ** 18n)
  const transport = http(chain.url)
  const wallet = createWalletClient({ account: owner, chain: chain.publicClient.chain, transport })
  const nonce = await chain.publicClient.getTransactionCount({ address: owner.address, blockTag: 'pending' })
  const hash = await wallet.sendTransaction({ to, data, nonce, gas: 200_000n })
  if (await chain.rpc<boolean>('anvil_getAutomine')) await receiptOf(chain, hash)
  return hash
}

/** A call of the proxy that takes so much of a permit. */
export function settling(transfer: Transfer, amount: bigint): Hex {
  const { asset, from, to, value, nonce, facilitator, signature } = transfer
  const token = asset.slice(asset.lastIndexOf(':') + 1) as Address
  const permit = { permitted: { token, amount: value }, nonce: BigInt(nonce), deadline: BigInt(deadlineOf(transfer)) }
  const witness = { to: to as Address, facilitator: facilitator as Address, validAfter: 0n }
  const args = [permit, amount, from as Address, witness, signature as Hex] as const
  return encodeFunctionData({ abi: x402UptoPermit2ProxyABI, functionName: 'settle', args })
}

/** Whoever settles: the hash once it is in a block, whether it took anything or was reverted. */
export function settle(chain: Chain, by: Sender, transfer: Transfer, amount: bigint): Promise<Hex> {
  return sent(chain, by, UPTO_PROXY, settling(transfer, amount))
}

/** The hash, where blocks come by themselves once it is in one. */
export async function sent(chain: Chain, by: Sender, to: Address, data: Hex): Promise<Hex> {
  const hash = await by.send(to, data, 1_000_000n)
  if (await chain.rpc<boolean>('anvil_getAutomine')) await receiptOf(chain, hash)
  return hash
}

/** viem waits for the next block where it asks a moment too early, and here none comes by itself. */
async function receiptOf(chain: Chain, hash: Hex): Promise<TransactionReceipt> {
  for (;;) {
    const receipt = await chain.publicClient.getTransactionReceipt({ hash }).catch(() => null)
    if (receipt) return receipt
    await sleep(5)
  }
}

/** The official facilitator of `upto`, in this process. */
class Facilitator implements FacilitatorClient {
  readonly settled: SettleResponse[] = []
  private readonly official: x402Facilitator

  constructor(chain: Chain, sender: Sender) {
    // What it tries beforehand, it tries as itself: the proxy lets nobody else.
    const readContract = (args: object) =>
      chain.publicClient.readContract({ ...args, account: sender.address } as never)
    const waitForTransactionReceipt = ({ hash }: { readonly hash: Hex }) => receiptOf(chain, hash)
    const signer = { ...signerOf(chain, sender), readContract, waitForTransactionReceipt }
    const scheme = new UptoFacilitator(toFacilitatorEvmSigner(signer))
    this.official = new x402Facilitator().register([chain.network], scheme)
  }

  async getSupported(): Promise<SupportedResponse> {
    return this.official.getSupported() as SupportedResponse
  }

  verify(payment: PaymentPayload, requirements: PaymentRequirements) {
    return this.official.verify(payment, requirements)
  }

  async settle(payment: PaymentPayload, requirements: PaymentRequirements): Promise<SettleResponse> {
    const settled = await this.official.settle(payment, requirements)
    this.settled.push(settled)
    return settled
  }
}

export interface UptoSeller extends Door {
  readonly payTo: Address
  /** The account of its facilitator. */
  readonly facilitator: Sender
  /** What the official facilitator said of each settlement. */
  readonly settled: readonly SettleResponse[]
}

/** An honest seller by the official packages: `GET /used/2500` costs at most {@link UNITS}, and as many units in the end. */
export async function startUptoSeller(chain: Chain): Promise<UptoSeller> {
  const payTo = newAddress()
  const sender = new Sender(chain, await fundedKey(chain))
  const facilitator = new Facilitator(chain, sender)
  const resources = new x402ResourceServer(facilitator).register(chain.network, new UptoServer())
  const price = { amount: `${UNITS}`, asset: chain.token, extra: { name: 'USD Coin', version: '2' } }
  const accepts = { scheme: 'upto', network: chain.network, payTo, price }
  const app = express()
  app.use(paymentMiddlewareFromHTTPServer(new x402HTTPResourceServer(resources, { 'GET /used/:units': { accepts } })))
  app.use(({ path }, response) => {
    setSettlementOverrides(response as never, { amount: path.slice('/used/'.length) })
    response.type('application/json').send(JSON.stringify({ report: GOODS }))
  })
  return { ...(await openDoor(app)), payTo, facilitator: sender, settled: facilitator.settled }
}

export interface QuietOptions {
  readonly payTo?: Address
  /** Who it says settles. */
  readonly settler?: Address
  /** In place of what an honest seller would offer. */
  readonly change?: (offer: Record<string, unknown>) => Record<string, unknown>
}

/** A seller that delivers at once and settles nothing: that is the test's to do. */
export async function startQuietSeller(chain: Chain, options: QuietOptions = {}): Promise<UptoSeller> {
  const facilitator = new Sender(chain, await fundedKey(chain))
  const { payTo = newAddress(), settler = facilitator.address, change = (offer) => offer } = options
  const extra = { name: 'USD Coin', version: '2', assetTransferMethod: 'permit2', facilitatorAddress: settler }
  const terms = { amount: `${UNITS}`, asset: chain.token, payTo, maxTimeoutSeconds: 60, extra }
  const door = await openDoor((_, response, { payment }) => {
    if (payment) return response.writeHead(200, { 'content-type': 'text/plain' }).end(GOODS)
    const accepts = [change({ scheme: 'upto', network: chain.network, ...terms })]
    const required = { x402Version: 2, error: '', resource: { url: `${door.url}/report` }, accepts }
    const header = encodePaymentRequiredHeader(required as never)
    return response.writeHead(402, { 'payment-required': header }).end('{}')
  })
  return { ...door, payTo, facilitator, settled: [] }
}
