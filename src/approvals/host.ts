import type { HumanProof } from '../core/approval.ts'

/**
 * A yes that came through the agent's host. Hosts have hooks that answer by program, so it is worth `host` and no more,
 * whatever the human did.
 */
export function hostProof(ownerId: string, shownDigest: string, channel: string): HumanProof {
  return { assurance: 'host', channel, ownerId, digest: shownDigest }
}
