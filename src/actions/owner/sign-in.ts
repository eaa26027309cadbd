import { BursarError } from '../../core/errors.ts'
import type { Bursar } from '../../ports.ts'
import type { OwnerAuthority } from './authority.ts'

/** The owner's key as the vault opens it: the public half as base64 of 32 raw bytes. */
export interface OwnerKey {
  readonly publicKey: string
  sign(bytes: Uint8Array): Uint8Array
}

/**
 * Makes the owner present: opens the key, which takes the passphrase, and records the sign-in, or the failed one.
 *
 * @throws `passphrase_wrong`; `config_invalid` when the key is not this instance's owner's
 */
export async function signIn(bursar: Bursar, open: () => Promise<OwnerKey>, channel: string): Promise<OwnerAuthority> {
  const actor = { role: 'system' as const, id: 'bursar' }
  let key: OwnerKey
  try {
    key = await open()
  } catch (error) {
    await bursar.store.update({}, () => ({
      facts: [{ type: 'owner.sign_in_failed', actor, details: { channel } }],
      result: null,
    }))
    throw error
  }
  const owner = await bursar.store.read.one('owners', { publicKey: key.publicKey })
  if (!owner) throw new BursarError('config_invalid', 'The owner key in this home is not the owner of this database.')
  const human = { role: 'human' as const, id: owner.id }
  await bursar.store.update({}, () => ({
    facts: [{ type: 'owner.signed_in', actor: human, details: { owner_id: owner.id, channel } }],
    result: null,
  }))
  return { ownerId: owner.id, channel, sign: (bytes) => key.sign(bytes) }
}
