/** What an owner may confirm with a passkey on the console: each gives power, and is confirmed by itself. */
export const ACTS = [
  'wallet.create',
  'wallet.fund',
  'wallet.unfreeze',
  'wallet.approvals',
  'limit.set',
  'limit.remove',
  'instrument.unfreeze',
  'unfreeze_all',
  'agent.add',
  'agent.rotate',
  'payment.refund',
  'passkey.add',
  'passkey.revoke',
  'owner.invite',
] as const
export type Act = (typeof ACTS)[number]

/**
 * The exact text that a passkey signs for an act, as canonical JSON. Single use, by its nonce; good until `expires_at`; and it
 * carries the checkpoint of the instance's journal, so that it also witnesses it.
 */
export interface ActStatement {
  readonly v: 1
  readonly type: 'bursar.act'
  readonly act: string
  readonly args: unknown
  readonly owner_id: string
  /** 128 random bits, hex. */
  readonly nonce: string
  readonly expires_at: string
  readonly checkpoint: string
}
