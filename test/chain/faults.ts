import { expect } from 'vitest'
import { OtherChain } from '../../src/rails/usdc/chain.ts'
import type { Chain } from '../support/chain.ts'
import type { Lie, NodeProxy } from '../support/node-proxy.ts'

export interface RawLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  readonly blockHash: string
  readonly blockNumber: string
  readonly removed?: boolean
}

export interface RawReceipt {
  readonly status: string
  readonly blockHash: string
  readonly logs: readonly RawLog[]
}

/** As a contract answers. */
export const YES = `0x${'1'.padStart(64, '0')}`
export const NO = `0x${'0'.repeat(64)}`
/** A hash that nothing has. */
export const OTHER = `0x${'ab'.repeat(32)}`
/** Stands in the URL of a node that may lie. */
export const SECRET = 'key-that-nobody-may-see'

export function says(result: unknown): Lie {
  return () => result
}

export function fails(message: string): Lie {
  return () => {
    throw new Error(message)
  }
}

/** The receipt with another content. */
export function receipt(change: Partial<RawReceipt>): Lie {
  return (_, honest) => ({ ...(honest as RawReceipt), ...change })
}

/** The receipt with another log at this place. */
export function receiptLog(at: number, change: (log: RawLog) => Partial<RawLog>): Lie {
  return (_, honest) => {
    const { logs } = honest as RawReceipt
    return { ...(honest as RawReceipt), logs: logs.map((log, i) => (i === at ? { ...log, ...change(log) } : log)) }
  }
}

/** The logs, each otherwise. */
export function logs(change: (log: RawLog) => Partial<RawLog>): Lie {
  return (_, honest) => (honest as RawLog[]).map((log) => ({ ...log, ...change(log) }))
}

export function otherTopic(at: number): (log: RawLog) => Partial<RawLog> {
  return ({ topics }) => ({ topics: topics.map((topic, i) => (i === at ? OTHER : topic)) })
}

/** The logs that there would be without this part of the filter. */
export function without(chain: Chain, part: 'address' | 'topics' | 'fromBlock' | 'toBlock'): Lie {
  const all = { address: [], topics: [], fromBlock: 'earliest', toBlock: 'latest' }[part]
  return ([filter]) => chain.rpc('eth_getLogs', [{ ...(filter as object), [part]: all }])
}

/** The block of this number or tag, with another content. */
export function block(name: number | string, change: object): Lie {
  return ([asked], honest) => (asked === name || Number(asked) === name ? { ...(honest as object), ...change } : honest)
}

/** That nobody can say what is so, in an error that holds nothing of the nodes. */
export async function throwsUnknown(look: () => Promise<unknown>): Promise<void> {
  const error = await look().then(
    () => null,
    (thrown: unknown) => thrown as Error,
  )
  // Neither a bug's TypeError, nor anything that is shown to anyone.
  expect([Error, OtherChain]).toContain(error?.constructor)
  expect(error?.cause).toBeUndefined()
  expect(`${error?.stack}`).not.toContain(SECRET)
}

/** As {@link throwsUnknown}, while the node lies; honest, it must let the same look through. */
export async function isFoundOut(
  proxy: NodeProxy,
  method: string,
  lie: Lie,
  look: () => Promise<unknown>,
): Promise<void> {
  await look()
  proxy.lie(method, lie)
  await throwsUnknown(look)
  proxy.mend()
}
