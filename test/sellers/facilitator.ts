import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { x402Facilitator } from '@x402/core/facilitator'
import type { FacilitatorClient } from '@x402/core/server'
import type {
  PaymentPayload,
  PaymentRequirements,
  SettleResponse,
  SupportedResponse,
  VerifyResponse,
} from '@x402/core/types'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { ExactEvmScheme } from '@x402/evm/exact/facilitator'
import { type Abi, type Address, concat, encodeFunctionData, type Hex } from 'viem'
import type { Chain } from '../support/chain.ts'
import { Sender } from './sender.ts'

/** Where the official package looks for it, to say why a payment would fail. */
const MULTICALL3 = '0xcA11bde05977b3631167028862bE2a173976CA11'
/** Nobody is paid there: it makes an offer that the tests' buyers cannot take. */
export const OTHER_NETWORK = 'eip155:8453'
export const OTHER_TOKEN = '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'

export interface Hooks {
  /** Awaited before anything is sent. What it throws is the answer, and nothing moves. */
  beforeSettle?: ((payment: PaymentPayload) => Promise<void> | void) | undefined
  /** Awaited after the money moved or did not. What it throws is the answer: that of the settlement is lost. */
  afterSettle?: ((settled: SettleResponse) => Promise<void> | void) | undefined
}

/** Verifies and settles `exact` payments on a chain, with the official package, in this process. */
export async function startFacilitator(chain: Chain, key: Hex, hooks: Hooks = {}): Promise<Facilitator> {
  await placeMulticall3(chain)
  return new Facilitator(chain, new Sender(chain, key), hooks)
}

export async function placeMulticall3(chain: Chain): Promise<Address> {
  const { data: code } = await chain.publicClient.call({ data: multicall3() })
  await chain.rpc('anvil_setCode', [MULTICALL3, code])
  return MULTICALL3
}

/** What deploys it. viem has it, and exports it nowhere. */
function multicall3(): Hex {
  const require = createRequire(import.meta.url)
  const constants = join(dirname(require.resolve('viem')), 'constants', 'contracts.js')
  return (require(constants) as { multicall3Bytecode: Hex }).multicall3Bytecode
}

export class Facilitator implements FacilitatorClient {
  /** How often each was called, also where it threw. */
  readonly calls = { verify: 0, settle: 0 }
  /** May be changed at any time. */
  readonly hooks: Hooks
  private readonly chain: Chain
  private readonly official: x402Facilitator
  private isLate = false
  private readonly owed: [PaymentPayload, PaymentRequirements][] = []

  constructor(chain: Chain, sender: Sender, hooks: Hooks) {
    this.chain = chain
    this.hooks = hooks
    const scheme = new ExactEvmScheme(toFacilitatorEvmSigner(signerOf(chain, sender)))
    this.official = new x402Facilitator().register([chain.network, OTHER_NETWORK], scheme)
  }

  /** The official one answers at once, and its client must not. */
  async getSupported(): Promise<SupportedResponse> {
    return this.official.getSupported() as SupportedResponse
  }

  verify(payment: PaymentPayload, requirements: PaymentRequirements): Promise<VerifyResponse> {
    this.calls.verify += 1
    return this.official.verify(payment, requirements)
  }

  async settle(payment: PaymentPayload, requirements: PaymentRequirements): Promise<SettleResponse> {
    this.calls.settle += 1
    await this.hooks.beforeSettle?.(payment)
    const settled = this.isLate
      ? this.promise(payment, requirements)
      : await this.official.settle(payment, requirements)
    await this.hooks.afterSettle?.(settled)
    return settled
  }

  /** From now on it says that it has settled, without a transaction, and settles when {@link settleOwed} is called. */
  settleLater(on = true): void {
    this.isLate = on
  }

  /**
   * Settles what it said that it has.
   *
   * @param when `last_second`: in a block of the second before `validBefore`, each; the chain's clock goes on from there
   */
  async settleOwed(when: 'now' | 'last_second' = 'now'): Promise<readonly SettleResponse[]> {
    const settled: SettleResponse[] = []
    for (const [payment, requirements] of this.owed.splice(0)) {
      const { authorization } = payment.payload as { authorization: { validBefore: string } }
      if (when === 'last_second') await lastSecond(this.chain, authorization)
      settled.push(await this.official.settle(payment, requirements))
    }
    return settled
  }

  private promise(payment: PaymentPayload, requirements: PaymentRequirements): SettleResponse {
    this.owed.push([payment, requirements])
    return { success: true, transaction: '', network: requirements.network }
  }
}

/** The next block is of the last second in which the token takes the authorization (EIP-3009: `now < validBefore`). */
export async function lastSecond(chain: Chain, { validBefore }: { readonly validBefore: string }): Promise<void> {
  await chain.rpc('evm_setNextBlockTimestamp', [Number(validBefore) - 1])
}

interface Call {
  readonly address: Address
  readonly abi: readonly unknown[]
  readonly functionName: string
  readonly args: readonly unknown[]
  readonly gas?: bigint
  readonly dataSuffix?: Hex
}

export function signerOf({ publicClient }: Chain, sender: Sender): Parameters<typeof toFacilitatorEvmSigner>[0] {
  return {
    address: sender.address,
    getCode: (args) => publicClient.getCode(args),
    readContract: (args) => publicClient.readContract(args as never),
    verifyTypedData: (args) => publicClient.verifyTypedData(args as never),
    writeContract: ({ address, abi, functionName, args, gas, dataSuffix }: Call) => {
      const data = encodeFunctionData({ abi: abi as Abi, functionName, args })
      return sender.send(address, dataSuffix ? concat([data, dataSuffix]) : data, gas)
    },
    sendTransaction: ({ to, data }) => sender.send(to, data),
    waitForTransactionReceipt: (args) => publicClient.waitForTransactionReceipt(args),
  }
}
