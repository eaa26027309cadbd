import type { Fact } from '../../src/core/event.ts'
import { rfc3339 } from '../../src/core/time.ts'
import type { Purse } from '../support/purse.ts'

const HASH = (digit: string) => digit.repeat(64)

/** Owners: one with a passkey, one who is invited to enrol one, and one who is neither. And what was told to a channel. */
export async function seedOwners({ bursar, authority, time, walletId }: Purse) {
  const actor = { role: 'human' as const, id: authority.ownerId }
  const state = (...facts: Fact[]) => bursar.store.update({}, () => ({ facts, result: null }))
  const [invited, third] = [bursar.ids.make('owner'), bursar.ids.make('owner')]
  const created = (owner_id: string, name: string): Fact => ({
    ...{ type: 'owner.created', actor },
    details: { owner_id, name, public_key: `none:${owner_id}` },
  })
  const invitation = (owner_id: string, code_hash: string): Fact => ({
    ...{ type: 'passkey.invited', actor },
    details: { owner_id, code_hash, expires_at: rfc3339(time.now + 600_000) },
  })
  const passkey = {
    ...{ passkey_id: 'pk_1', public_key: 'cose_1', rp_id: 'localhost', origin: 'http://localhost:1', name: 'phone' },
    ...{ synced: true, transports: ['internal'] },
  }
  await state(created(invited, 'invited'), created(third, 'third'))
  await state(invitation(authority.ownerId, HASH('1')), invitation(invited, HASH('2')))
  await state({
    ...{ type: 'passkey.added', actor },
    details: { owner_id: authority.ownerId, passkey, code_hash: HASH('1') },
  })
  await state({
    ...{ type: 'notice.sent', actor: { role: 'system', id: 'bursar' } },
    details: { channel: 'ops', journal: walletId, seq: 3, outcome: 'delivered' },
  })
  return { owner: authority.ownerId, invited, third }
}
