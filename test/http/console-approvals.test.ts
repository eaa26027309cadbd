import { describe, expect, it } from 'vitest'
import { getRequest } from '../../src/actions/agent/read.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { addOwner } from '../../src/actions/owner/owners.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import type { Statement } from '../../src/core/approval.ts'
import { approvalChallenge } from '../../src/core/webauthn.ts'
import { ask, eventsOf, limit, MINUTE } from '../purse/desk.ts'
import { Authenticator, FLAGS } from '../support/authenticator.ts'
import type { Site } from '../support/http.ts'
import { buy, makeCard } from '../support/purse.ts'
import { approve, consoleSite, enrolled, type Signed, signIn } from './console-page.ts'

const STRONGEST = [{ up_to: null, assurance: 'passkey' }]

/** An owner at the console, and a request that only a passkey approves. */
async function asked(amount = '150.00') {
  const site = await consoleSite()
  const me = await enrolled(site)
  await setApprovals(site.deps.bursar, site.purse.authority, site.purse.walletId, STRONGEST)
  const { request_id: id } = await ask(site.purse, { amount })
  const status = async () => (await getRequest(site.purse.bursar, site.purse.caller, id)).status
  return { site, me, id, status }
}

/** What was asked of the passkey for it. */
async function optionsFor({ page }: Signed, id: string, narrowing: object = {}) {
  const { body } = await page.post(`/approvals/${id}/options`, { narrowing })
  return body as { statement: string; options: { challenge: string; rpId: string } }
}

async function expectWhole(site: Site): Promise<void> {
  expect((await verifyStore(site.deps.bursar, site.deps.noteKey)).problems).toEqual([])
}

describe('the inbox', () => {
  it('shows what waits, from the store, and the agent’s words apart', async () => {
    const { site, me, id } = await asked()
    const { items } = (await me.page.get('/inbox')).body
    expect(items).toMatchObject([
      {
        kind: 'request',
        question: { subject_id: id, needs: 'passkey', owners: 1, waiting: true, words: 'Developer tools' },
        view: { request_id: id, status: 'pending', amount: '150.00' },
        agent: { agent_id: site.purse.caller.agentId, name: 'default' },
        paid_before: null,
        wallet: { wallet_id: site.purse.walletId, name: 'sandbox', available_amount: '1000.00', currency: 'USD' },
        left_after: null,
      },
    ])
  })

  it('says of a payment how often its payee was paid, and what is left after', async () => {
    const { site, me } = await asked()
    await setApprovals(site.deps.bursar, site.purse.authority, site.purse.walletId, [
      { up_to: null, assurance: 'host' },
    ])
    const card = await makeCard(site.purse)
    await buy(site.purse, card, '10.00')
    await limit(site.purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'ask' })
    const { payment_id } = await buy(site.purse, card, '80.00')
    const { items } = (await me.page.get('/inbox')).body
    const item = items.find(({ kind }: { kind: string }) => kind === 'payment')
    expect(item).toMatchObject({ view: { payment_id }, paid_before: 1, left_after: '210.00' })
    expect((await approve(me, payment_id)).body.view).toMatchObject({ status: 'captured' })
    await expectWhole(site)
  })
})

describe('an approval on the console', () => {
  it('makes what was asked, and is in the journal for anyone to check', async () => {
    const { site, me, id } = await asked()
    const { body } = await approve(me, id)
    expect(body.view).toMatchObject({ status: 'approved', instrument: { amount: '150.00', status: 'active' } })
    expect((await me.page.get('/inbox')).body.items).toEqual([])
    await expectWhole(site)
  })

  it('makes less, where less was signed', async () => {
    const { site, me, id } = await asked()
    const { body } = await approve(me, id, {
      amount: '20.00',
      usage_limit: 1,
      per_payment_max: '5.00',
      expires_in_ms: 60_000,
    })
    expect(body.view.instrument).toMatchObject({ amount: '20.00', usage_limit: 1, per_payment_max: '5.00' })
    await expectWhole(site)
  })

  it.each([
    { amount: '150.01' },
    { usage_limit: 4 },
    { expires_in_ms: 31 * 24 * 60 * MINUTE },
    { amount: '1e2' },
    { amount: '-1' },
  ])('never makes more, or what is no amount: %j', async (narrowing) => {
    const { me, id, status } = await asked()
    expect((await approve(me, id, narrowing)).status).toBe(400)
    expect(await status()).toBe('pending')
  })

  it('warns whoever answers faster than one can read, and counts', async () => {
    const { site, me, id } = await asked()
    await me.page.get('/inbox')
    expect((await approve(me, id)).body.warning).toContain('faster')
    const { request_id } = await ask(site.purse, { amount: '151.00' })
    await me.page.get('/inbox')
    site.purse.time.now += 2_000
    expect((await approve(me, request_id)).body.warning).toBeUndefined()
  })

  it('takes no passkey to say no', async () => {
    const { me, id, status } = await asked()
    const { body } = await me.page.post(`/approvals/${id}/deny`, { reason: 'Too much.' })
    expect(body.view).toMatchObject({ status: 'denied', reason: 'Too much.' })
    expect(await status()).toBe('denied')
  })
})

describe('security: an approval on the console', () => {
  it('is of the statement that was made for it, byte for byte', async () => {
    const { me, id, status } = await asked()
    for (const change of [
      (text: string) => text.replace('"amount":"20.00"', '"amount":"99.00"'),
      (text: string) => text.replace('"v":1', '"v": 1'),
      (text: string) => `${text} `,
    ]) {
      const { statement, options } = await optionsFor(me, id, { amount: '20.00' })
      const changed = change(statement)
      expect(changed).not.toBe(statement)
      // Whoever can change what is signed can also make the challenge that fits it.
      const challenge = approvalChallenge(changed).toString('base64url')
      for (const about of [options, { ...options, challenge }]) {
        const response = me.key.get(about, { origin: me.page.origin })
        const { body } = await me.page.post(`/approvals/${id}/approve`, { statement: changed, response })
        expect(['approval_invalid', 'passkey_invalid']).toContain(body.code)
      }
    }
    expect(await status()).toBe('pending')
  })

  it('has a challenge that is the hash of exactly these terms and of where the journal stands', async () => {
    const { site, me, id } = await asked()
    const { statement, options } = await optionsFor(me, id)
    expect(options.challenge).toBe(approvalChallenge(statement).toString('base64url'))
    const said = JSON.parse(statement) as Statement
    expect(said).toMatchObject({ subject_id: id, decision: 'approve', narrowed: {} })
    expect(said.checkpoint).toBe((await site.purse.bursar.store.read.head(site.purse.walletId))?.checkpoint)
  })

  it('is used once, for one subject, in one session, within five minutes', async () => {
    const { site, me, id, status } = await asked()
    const { request_id: other } = await ask(site.purse, { amount: '151.00' })
    const elsewhere = await signIn(site, me.key)
    const { statement, options } = await optionsFor(me, id)
    const response = me.key.get(options, { origin: me.page.origin })
    const yes = (page = me.page, subject = id) => page.post(`/approvals/${subject}/approve`, { statement, response })
    expect((await yes(elsewhere)).body.code).toBe('passkey_invalid')
    expect((await yes(me.page, other)).body.code).toBe('passkey_invalid')
    await optionsFor(me, other)
    expect((await yes(me.page, other)).body.code).toBe('approval_invalid')
    site.purse.time.now += 5 * MINUTE
    expect((await yes()).body.code).toBe('passkey_invalid')
    expect(await status()).toBe('pending')
    await approve(me, id)
    expect((await yes()).body.code).toBe('passkey_invalid')
    expect((await eventsOf(site.purse, id)).filter((type) => type === 'request.approved')).toHaveLength(1)
  })

  it('is not what was signed for an older question', async () => {
    const { me, id, status } = await asked()
    const old = await optionsFor(me, id)
    await optionsFor(me, id, { amount: '20.00' })
    const response = me.key.get(old.options, { origin: me.page.origin })
    expect((await me.page.post(`/approvals/${id}/approve`, { statement: old.statement, response })).body.code).toBe(
      'approval_invalid',
    )
    expect(await status()).toBe('pending')
  })

  it.each<[string, object]>([
    ['of another page', { origin: 'http://localhost:1' }],
    ['of a user who was not verified', { flags: FLAGS.there }],
    ['in a frame', { client: { crossOrigin: true } }],
    ['that was a sign-in', { challenge: Buffer.alloc(32, 3).toString('base64url') }],
  ])('takes no assertion %s', async (_, other) => {
    const { me, id, status } = await asked()
    const { statement, options } = await optionsFor(me, id)
    const response = me.key.get(options, { origin: me.page.origin, ...other })
    expect((await me.page.post(`/approvals/${id}/approve`, { statement, response })).body.code).toBe('passkey_invalid')
    expect(await status()).toBe('pending')
  })

  it('takes the passkey of nobody else, in whoever’s session', async () => {
    const { site, me, id, status } = await asked()
    const { owner_id } = await addOwner(site.deps.bursar, site.purse.authority, 'Ada')
    const ada = await enrolled(site, owner_id)
    for (const key of [ada.key, new Authenticator()]) {
      const { statement, options } = await optionsFor(me, id)
      const response = key.get(options, { origin: me.page.origin })
      expect((await me.page.post(`/approvals/${id}/approve`, { statement, response })).body.code).toBe(
        'passkey_invalid',
      )
    }
    expect((await ada.page.get('/inbox')).body.items).toEqual([])
    expect((await approve(ada, id)).body.code).toBe('approval_invalid')
    expect(await status()).toBe('pending')
  })
})

describe('an approval by two owners on the console', () => {
  it('waits for the second, who sees who was first and to what', async () => {
    const { site, me } = await asked()
    const { owner_id } = await addOwner(site.deps.bursar, site.purse.authority, 'Ada')
    const ada = await enrolled(site, owner_id)
    const two = [{ up_to: null, assurance: 'passkey', owners: 2 }]
    await setApprovals(site.deps.bursar, site.purse.authority, site.purse.walletId, two)
    const { request_id: id } = await ask(site.purse, { amount: '160.00' })
    const first = (await approve(ada, id, { amount: '60.00' })).body
    expect(first).toMatchObject({ view: { status: 'pending' }, waiting_for_second: true })
    const { items } = (await me.page.get('/inbox')).body
    const item = items.find(({ question }: { question: { subject_id: string } }) => question.subject_id === id)
    expect(item).toMatchObject({
      question: { owners: 2 },
      first_yes: { owner_id, name: 'Ada', narrowed: { amount: '60.00' } },
    })
    expect((await approve(me, id)).body.code).toBe('approval_invalid')
    const second = (await approve(me, id, { amount: '60.00' })).body
    expect(second.view).toMatchObject({ status: 'approved', instrument: { amount: '60.00' } })
    expect(second.waiting_for_second).toBeUndefined()
    await expectWhole(site)
  })
})
