import type { Transfer } from '../../core/types.ts'
import type { RailRecord } from '../../ports.ts'
import type { Look } from './chain.ts'

/** What a look at the chain says, as a rail's record. A transfer that was captured and can never move again has come back. */
export function recordOf({ nonce, value, txHash }: Transfer, seen: Look): RailRecord {
  const nothing = { railRef: nonce, authorized: value, captured: 0n, refunded: 0n }
  if (seen.kind === 'moved') {
    const { inclusion } = seen
    return { ...nothing, railRef: inclusion.tx_hash, state: 'closed', captured: value, inclusion }
  }
  if (!seen.unused) return { ...nothing, state: 'pending' }
  if (txHash !== null) return { ...nothing, state: 'closed', captured: value, refunded: value, unused: seen.unused }
  return { ...nothing, state: 'declined', declineCode: 'authorization_unused', unused: seen.unused }
}
