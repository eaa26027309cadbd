import type { Block, Chain } from './chain.ts'

/** What is known of the newest block, or of one that was the newest a moment ago. */
export type Head = Pick<Block, 'number' | 'timestamp'>

/** How long the newest block is taken to be what it was, and after how long it is asked for anew meanwhile, in milliseconds. */
const HEAD_FOR_MS = 60_000
const HEAD_AFTER_MS = 5_000

/** The newest block, or one that was the newest a moment ago, with its time moved on: purchases do not wait for a node. */
export function headOf(chain: Chain): () => Promise<Head> {
  let known: { readonly head: Head; readonly at: number } | null = null
  let asking: Promise<Head> | null = null
  const ask = (): Promise<Head> => {
    asking ??= chain
      .check()
      .then(() => chain.block('one_block'))
      .then((head) => {
        known = { head, at: performance.now() }
        return head
      })
      .finally(() => {
        asking = null
      })
    return asking
  }
  return async () => {
    const age = known ? performance.now() - known.at : Number.POSITIVE_INFINITY
    if (!known || age > HEAD_FOR_MS) return ask()
    const { number, timestamp } = known.head
    // A node that does not answer is asked again by the next purchase, and waited for by one that comes too late for this.
    if (age > HEAD_AFTER_MS) ask().catch(() => undefined)
    return { number, timestamp: timestamp + Math.floor(age / 1000) }
  }
}
