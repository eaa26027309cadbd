import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem'
import { UPTO_PROXY } from '../../src/core/permit.ts'
import { chainOf, type Chain as Token } from '../../src/rails/usdc/chain.ts'
import { placeMulticall3 } from '../sellers/facilitator.ts'
import { fundedKey, Sender } from '../sellers/sender.ts'
import { allowPermit2, placePermit2, sent, settle, settling } from '../sellers/upto.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { networkOf, nextBlockAt, type Signed, signedTransfer, stranger } from './transfers.ts'

/** A chain with Permit2, looked at through a node that may lie. */
export interface Desk {
  readonly chain: Chain
  readonly proxy: NodeProxy
  readonly token: Token
  /** Whom permits name, unless said otherwise. */
  readonly settler: Sender
  /** A contract that settles for whoever calls it, if permits name it. */
  readonly batcher: Address
  /** A permit for at most 25 units, of a payer who lets Permit2 take what it has. */
  permit(terms?: Partial<Signed>, payer?: Signed['payer']): Promise<Signed>
  /** Two permits of one payer to one payee. */
  two(terms?: Partial<Signed>): Promise<readonly [Signed, Signed]>
  take(transfer: Signed, amount: bigint): Promise<Hex>
  /** Has the contract settle these: nobody calls the proxy himself. */
  batch(...taken: readonly (readonly [Signed, bigint])[]): Promise<Hex>
  end(): Promise<void>
}

export const AT = ['one_block', 'safe', 'finalized'] as const
export const NOT_MOVED = { kind: 'not_moved', unused: null }
export const movedBy = (value: bigint) => ({ kind: 'moved', inclusion: { value: `${value}` } })

const AGGREGATE = parseAbi(['function aggregate3((address target, bool allowFailure, bytes callData)[] calls) payable'])

export async function openDesk(): Promise<Desk> {
  const chain = await startChain()
  const proxy = await startProxy(chain.url)
  const settler = new Sender(chain, await fundedKey(chain))
  await placePermit2(chain)
  const batcher = await placeMulticall3(chain)
  const permit: Desk['permit'] = async (terms = {}, payer = stranger()) => {
    const signed = await signedTransfer(chain, { kind: 'permit2', facilitator: settler.address, ...terms }, payer)
    await allowPermit2(chain, payer)
    return signed
  }
  return {
    ...{ chain, proxy, settler, batcher, permit },
    token: chainOf({ network: networkOf(chain), nodes: [proxy.url] }),
    async two(terms) {
      const [payer, to] = [stranger(), stranger().address]
      return [await permit({ to, ...terms }, payer), await permit({ to, ...terms }, payer)]
    },
    take: (transfer, amount) => settle(chain, settler, transfer, amount),
    batch(...taken) {
      const calls = taken.map(([transfer, amount]) => ({
        ...{ target: UPTO_PROXY as Address, allowFailure: false, callData: settling(transfer, amount) },
      }))
      const data = encodeFunctionData({ abi: AGGREGATE, functionName: 'aggregate3', args: [calls] })
      return sent(chain, settler, batcher, data)
    },
    async end() {
      await proxy.stop()
      await chain.stop()
    },
  }
}

/** All of these in one block. */
export async function inOneBlock(chain: Chain, ...work: readonly (() => Promise<unknown>)[]): Promise<void> {
  await chain.automine(false)
  try {
    for (const send of work) await send()
    await chain.mine()
  } finally {
    await chain.automine()
  }
}

/** Blocks until one of this second is `finalized`, which is two blocks behind the latest. */
export async function finalizeAt(chain: Chain, second: number): Promise<void> {
  await nextBlockAt(chain, second)
  await chain.mine(3)
}
