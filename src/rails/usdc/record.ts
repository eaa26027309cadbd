import type { Transfer } from '../../core/types.ts'
import type { RailRecord } from '../../ports.ts'
import type { Look } from './chain.ts'

/**
 * What a look at the chain says, as a rail's record. A transfer that was captured and can never move again has come back, and
 * so has what a permit was seen to move before a reorganization and does not move in the end.
 */
export function recordOf({ nonce, value, moved, txHash }: Transfer, seen: Look): RailRecord {
  const before = txHash === null ? 0n : (moved ?? value)
  const nothing = { railRef: nonce, authorized: value, captured: 0n, refunded: 0n }
  if (seen.kind === 'moved') {
    const { inclusion } = seen
    const now = inclusion.value === undefined ? value : BigInt(inclusion.value)
    const captured = now > before ? now : before
    return { ...nothing, railRef: inclusion.tx_hash, state: 'closed', captured, refunded: captured - now, inclusion }
  }
  if (!seen.unused) return { ...nothing, state: 'pending' }
  if (txHash !== null) return { ...nothing, state: 'closed', captured: before, refunded: before, unused: seen.unused }
  return { ...nothing, state: 'declined', declineCode: 'authorization_unused', unused: seen.unused }
}
