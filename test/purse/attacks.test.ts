import { describe, expect, it } from 'vitest'
import { approve } from '../../src/actions/owner/approve.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import type { Purse } from '../support/purse.ts'
import { ask, codeOf, MINUTE, openPurse } from './desk.ts'
import { passkeyYes, withPasskey } from './passkeys.ts'

/** The same purse, where so long passes between what is looked at before a step and the step. */
function slow(purse: Purse, ms: number): Purse {
  const { bursar, time } = purse
  const update: typeof bursar.store.update = (key, decide) => {
    time.now += ms
    return bursar.store.update(key, decide)
  }
  return { ...purse, bursar: { ...bursar, store: { ...bursar.store, read: bursar.store.read, update } } }
}

async function asked() {
  const purse = await openPurse()
  const holder = await withPasskey(purse)
  await setApprovals(purse.bursar, purse.authority, purse.walletId, [{ up_to: null, assurance: 'passkey' }])
  return { purse, holder, id: (await ask(purse, { amount: '20.00' })).request_id }
}

describe('security: what is taken for an approval is one for whoever verifies it later', () => {
  it('also where the statement ends while the books are busy', async () => {
    const { purse, holder, id } = await asked()
    const yes = await passkeyYes(purse, holder, id)
    expect(await codeOf(approve(slow(purse, 5 * MINUTE).bursar, id, yes, {}))).toBe('approval_expired')
    expect((await purse.bursar.store.read.one('requests', { id }))?.status).toBe('pending')
    expect((await verifyStore(purse.bursar, journalNoteKey(purse.journalKey.publicKey))).problems).toEqual([])
  })

  it('also where the statement names another question', async () => {
    const { purse, holder, id } = await asked()
    const statement = (made: string) => made.replace(/"approval_id":"[^"]+"/, '"approval_id":"apr_1"')
    const yes = await passkeyYes(purse, holder, id, {}, { statement })
    expect(await codeOf(approve(purse.bursar, id, yes, {}))).toBe('approval_invalid')
  })

  it('also where the clock was set back since the passkey was made', async () => {
    const { purse, holder, id } = await asked()
    purse.time.now -= MINUTE
    expect(await codeOf(approve(purse.bursar, id, await passkeyYes(purse, holder, id), {}))).toBe('approval_invalid')
  })
})
