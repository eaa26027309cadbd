import { describe, expect, it } from 'vitest'
import { listLimits } from '../../src/actions/owner/inspect.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { addOwner } from '../../src/actions/owner/owners.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { ACTS, type ActStatement } from '../../src/core/act.ts'
import type { JournalEvent } from '../../src/core/event.ts'
import { actChallenge } from '../../src/core/webauthn.ts'
import { MINUTE } from '../purse/desk.ts'
import { wrongOnce } from '../purse/passkeys.ts'
import { Authenticator } from '../support/authenticator.ts'
import { buy, makeCard } from '../support/purse.ts'
import { confirm, consoleSite, enrolled, instanceEvents, type Signed } from './console-page.ts'

const UNCONFIRMED = 'An act was not confirmed by the passkey.'

async function signedIn() {
  const site = await consoleSite()
  const me = await enrolled(site)
  const { walletId } = site.purse
  return {
    site,
    me,
    walletId,
    confirmations: async () => (await instanceEvents(site.purse)).filter((type) => type === 'owner.confirmed').length,
  }
}

/** A second passkey of the same owner, let in by the first. */
async function second(me: Signed): Promise<Signed> {
  const { body } = await confirm(me, 'passkey.add', { name: 'phone' })
  const key = new Authenticator()
  const made = await me.page.post('/passkeys', { response: key.create(body.result, { origin: me.page.origin }) })
  expect(made.body.passkey).toMatchObject({ name: 'phone', passkey_id: key.id })
  return { page: me.page, key }
}

describe('an act that gives power', () => {
  it('is each done by a passkey, and on record before it is done', async () => {
    const { site, me, walletId, confirmations } = await signedIn()
    const card = await makeCard(site.purse)
    const { payment_id } = await buy(site.purse, card, '10.00')
    const reduce = (act: string, args: object) => me.page.post('/reduce', { act, args })
    await reduce('wallet.freeze', { wallet_id: walletId })
    await reduce('instrument.freeze', { instrument_id: card.instrument_id })
    await reduce('freeze_all', { reason: 'lunch' })
    const [limit] = await listLimits(site.purse.bursar)
    const done: Record<string, [args: object, result: object]> = {
      'wallet.create': [
        { name: 'trips', currency: 'EUR', mode: 'sandbox' },
        { name: 'trips', currency: 'EUR' },
      ],
      'wallet.fund': [{ wallet_id: walletId, amount: '5.00' }, { available_amount: '995.00' }],
      'wallet.unfreeze': [{ wallet_id: walletId }, { status: 'active' }],
      'wallet.approvals': [
        { wallet_id: walletId, approvals: [{ up_to: null, assurance: 'passkey' }] },
        { approvals: [{ up_to: null, assurance: 'passkey' }] },
      ],
      'limit.set': [
        { wallet_id: walletId, scope: 'agent', window: 'hour', over: 'deny', max_count: 5 },
        { scope: 'agent', max_count: 5 },
      ],
      'limit.remove': [{ limit_id: limit?.limit_id }, { limit_id: limit?.limit_id }],
      'instrument.unfreeze': [{ instrument_id: card.instrument_id }, { status: 'active' }],
      unfreeze_all: [{}, { frozen: false }],
      'agent.add': [{ name: 'cook' }, { name: 'cook', key: expect.stringMatching(/^bak_/) }],
      'agent.rotate': [{ agent_id: site.agentId }, { key: expect.stringMatching(/^bak_/) }],
      'payment.refund': [{ payment_id, amount: '4.00' }, { refunded_amount: '4.00' }],
      'passkey.add': [
        { name: 'phone' },
        { challenge: expect.any(String), rp: expect.objectContaining({ id: 'localhost' }) },
      ],
      'owner.invite': [{ name: 'Ada' }, { name: 'Ada', code: expect.stringMatching(/^.{4}-/) }],
    }
    for (const [act, [args, result]] of Object.entries(done)) {
      const before = await confirmations()
      const answer = await confirm(me, act, args)
      expect([act, answer.status, answer.body.result]).toEqual([act, 200, expect.objectContaining(result)])
      expect(await confirmations()).toBe(before + 1)
    }
    expect((await confirm(me, 'passkey.revoke', { passkey_id: me.key.id })).body.result.revoked_at).not.toBeNull()
    expect(new Set([...Object.keys(done), 'passkey.revoke'])).toEqual(new Set(ACTS))
    expect((await verifyStore(site.deps.bursar, site.deps.noteKey)).problems).toEqual([])
  })

  it('lets in a further passkey, and that is as good as the first', async () => {
    const { site, me } = await signedIn()
    const phone = await second(me)
    expect((await confirm(phone, 'unfreeze_all', {})).status).toBe(200)
    expect((await me.page.get('/passkeys')).body.passkeys).toHaveLength(2)
    expect((await me.page.get('/owners')).body.owners).toMatchObject([
      { name: 'owner', passkeys: 2, has_passphrase: true },
    ])
    expect((await verifyStore(site.deps.bursar, site.deps.noteKey)).problems).toEqual([])
  })

  it('that fails is told like any other, and what asks for nonsense is not signed', async () => {
    const { me, walletId, confirmations } = await signedIn()
    expect((await confirm(me, 'wallet.fund', { wallet_id: walletId, amount: '0' })).body.code).toBe('amount_invalid')
    expect(await confirmations()).toBe(1)
    for (const [act, args] of [
      ['wallet.fund', { wallet_id: walletId }],
      ['wallet.fund', { wallet_id: walletId, amount: 5 }],
      ['wallet.fund', { wallet_id: walletId, amount: '5', and: 1 }],
      ['wallet.burn', {}],
      ['wallet.fund', { wallet_id: 'wal_none', amount: '5' }],
      ['limit.remove', { limit_id: 'lim_none' }],
      ['payment.refund', { payment_id: 'pay_none' }],
    ] as const)
      expect((await me.page.post('/confirm/options', { act, args })).status).toBeGreaterThanOrEqual(400)
  })
})

describe('security: an act that gives power', () => {
  async function asked() {
    const all = await signedIn()
    const args = { wallet_id: all.walletId, amount: '5.00' }
    const { statement, options } = (await all.me.page.post('/confirm/options', { act: 'wallet.fund', args })).body
    return { ...all, statement: statement as string, options }
  }

  it('is the one that was signed, to the digit', async () => {
    const { me, statement, options, confirmations } = await asked()
    const changed = statement.replace('5.00', '500.00')
    const challenge = actChallenge(changed).toString('base64url')
    for (const about of [options, { ...options, challenge }]) {
      const response = me.key.get(about, { origin: me.page.origin })
      expect((await me.page.post('/confirm', { statement: changed, response })).status).toBeGreaterThanOrEqual(400)
    }
    expect(await confirmations()).toBe(0)
  })

  it('is done once, soon, by a passkey of this owner, in this session', async () => {
    const { site, me, statement, options, confirmations } = await asked()
    const { owner_id } = await addOwner(site.deps.bursar, site.purse.authority, 'Ada')
    const ada = await enrolled(site, owner_id)
    const response = me.key.get(options, { origin: me.page.origin })
    expect((await ada.page.post('/confirm', { statement, response })).body.code).toBe('passkey_invalid')
    site.purse.time.now += 5 * MINUTE
    expect((await me.page.post('/confirm', { statement, response })).body.code).toBe('passkey_invalid')
    site.purse.time.now -= 5 * MINUTE
    const again = (await me.page.post('/confirm/options', { act: 'unfreeze_all', args: {} })).body
    const other = { statement: again.statement, response: ada.key.get(again.options, { origin: me.page.origin }) }
    expect((await me.page.post('/confirm', other)).body.code).toBe('passkey_invalid')
    expect(await confirmations()).toBe(0)
    const third = (await me.page.post('/confirm/options', { act: 'unfreeze_all', args: {} })).body
    const good = { statement: third.statement, response: me.key.get(third.options, { origin: me.page.origin }) }
    expect((await me.page.post('/confirm', good)).status).toBe(200)
    expect((await me.page.post('/confirm', good)).body.code).toBe('passkey_invalid')
    expect(await confirmations()).toBe(1)
  })

  it('is not what the same passkey signed to approve or to sign in', async () => {
    const { me, statement, options } = await asked()
    const signIn = (await me.page.post('/sign-in/options', {})).body.options
    for (const about of [signIn, { ...options, challenge: Buffer.alloc(32).toString('base64url') }]) {
      const response = me.key.get(about, { origin: me.page.origin })
      expect((await me.page.post('/confirm', { statement, response })).body.code).toBe('passkey_invalid')
    }
  })

  it('on a wallet is its owner’s', async () => {
    const { site, walletId } = await signedIn()
    const { owner_id } = await addOwner(site.deps.bursar, site.purse.authority, 'Ada')
    const ada = await enrolled(site, owner_id)
    const [limit] = await listLimits(site.purse.bursar)
    const card = await makeCard(site.purse)
    const { payment_id } = await buy(site.purse, card, '10.00')
    for (const [act, args] of [
      ['wallet.fund', { wallet_id: walletId, amount: '5' }],
      ['wallet.unfreeze', { wallet_id: walletId }],
      ['wallet.approvals', { wallet_id: walletId, approvals: [{ up_to: null, assurance: 'host' }] }],
      ['limit.set', { wallet_id: walletId, scope: 'wallet', window: 'day', over: 'deny', max_amount: '9' }],
      ['limit.remove', { limit_id: limit?.limit_id }],
      ['instrument.unfreeze', { instrument_id: card.instrument_id }],
      ['payment.refund', { payment_id }],
    ] as const)
      expect([act, (await confirm(ada, act, args)).body.code]).toEqual([act, 'forbidden'])
    expect((await confirm(ada, 'wallet.create', { name: 'hers', currency: 'USD', mode: 'sandbox' })).status).toBe(200)
  })

  it('takes away no passkey of another owner', async () => {
    const { site, me } = await signedIn()
    const { owner_id } = await addOwner(site.deps.bursar, site.purse.authority, 'Ada')
    const ada = await enrolled(site, owner_id)
    expect((await confirm(me, 'passkey.revoke', { passkey_id: ada.key.id })).body.code).toBe('not_found')
    expect((await ada.page.get('/inbox')).status).toBe(200)
  })

  it('makes a policy of two owners no weaker, and brings in nobody to meet it', async () => {
    const { site, me, walletId } = await signedIn()
    const { bursar } = site.deps
    await addOwner(bursar, site.purse.authority, 'Ada')
    const set = (approvals: object[]) => confirm(me, 'wallet.approvals', { wallet_id: walletId, approvals })
    const rest = { up_to: null, assurance: 'passkey', owners: 2 as const }
    await setApprovals(bursar, site.purse.authority, walletId, [{ up_to: '100', assurance: 'host' }, rest])
    for (const weaker of [
      [{ up_to: null, assurance: 'passkey' }],
      [{ up_to: '100.01', assurance: 'passkey' }, rest],
      [
        { up_to: '500.00', ...{ assurance: 'host', owners: 2 } },
        { up_to: null, assurance: 'passkey' },
      ],
      [{ up_to: '200.00', assurance: 'host', owners: 2 }, { up_to: '200.01', assurance: 'host' }, rest],
    ])
      expect((await set(weaker)).body.code).toBe('forbidden')
    expect((await confirm(me, 'owner.invite', { name: 'Bob' })).body.code).toBe('forbidden')
    expect((await set([{ up_to: '50.00', assurance: 'host' }, rest])).status).toBe(200)
    expect((await set([rest])).status).toBe(200)
  })

  it('lets no passkey in by a confirmation of another one, or of another act', async () => {
    const { me } = await signedIn()
    await second(me)
    await confirm(me, 'unfreeze_all', {})
    const key = new Authenticator()
    const { options } = (await me.page.post('/sign-in/options', {})).body
    const made = key.create({ ...options, rp: { id: 'localhost' }, user: { id: '' } }, { origin: me.page.origin })
    expect((await me.page.post('/passkeys', { response: made })).body.code).toBe('passkey_invalid')
  })
})

describe('security: whoever holds the journals and their key', () => {
  it('cannot make up what an owner confirmed', async () => {
    const { site, me, walletId } = await signedIn()
    await confirm(me, 'wallet.fund', { wallet_id: walletId, amount: '5.00' })
    await second(me)
    const change = (how: (details: Extract<JournalEvent, { type: 'owner.confirmed' }>['details']) => object) =>
      wrongOnce(site.purse, (event) =>
        event.type === 'owner.confirmed'
          ? ({ ...event, details: { ...event.details, ...how(event.details) } } as JournalEvent)
          : event,
      )
    expect(await change(() => ({}))).toEqual([])
    expect(await change(({ statement }) => ({ statement: statement.replace('5.00', '9.00') }))).toContain(UNCONFIRMED)
    expect(await change(() => ({ act: 'wallet.create' }))).toContain('The confirmed statement is about something else.')
    expect(await change(() => ({ owner_id: 'own_other' }))).not.toEqual([])
    expect(await change(({ assertion }) => ({ assertion: { ...assertion, signature: 'AA' } }))).toContain(UNCONFIRMED)
    const nonces = new Set<string>()
    const again = await wrongOnce(site.purse, (event) => {
      if (event.type === 'owner.confirmed') nonces.add((JSON.parse(event.details.statement) as ActStatement).nonce)
      return event.type === 'owner.confirmed' && event.details.act === 'passkey.add'
        ? { ...event, type: 'process.stopped', details: { surface: 'serve' } }
        : event
    })
    expect(nonces.size).toBe(2)
    expect(again).toContain('A passkey was added that no other one let in.')
  })
})
