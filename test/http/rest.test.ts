import { describe, expect, it } from 'vitest'
import { type Rest, restSite } from './rest-site.ts'

const ASK = {
  type: 'virtual_card',
  amount: '900.00',
  currency: 'USD',
  expires_in: '30d',
  purpose: 'Developer tools',
}
const SHOP = { name: 'Acme Software', merchant_category: '5734', country: 'US' }

/** A site, and a card of 900.00 that the owner approved. */
async function withCard() {
  const site = await restSite()
  const { body: asked } = await site.call('POST', '/requests', ASK)
  const { body } = await site.own('POST', `/requests/${asked.request_id}/approve`)
  const instrument_id: string = body.instrument.instrument_id
  let purchases = 0
  const pay = (amount: string, more: object = {}, headers: object = {}) => {
    purchases += 1
    const purchase = { instrument_id, amount, payee: SHOP, purpose: `Purchase ${purchases}`, ...more }
    return site.call('POST', '/payments', purchase, { authorization: `Bearer ${site.key}`, ...headers })
  }
  return { ...site, instrument_id, pay }
}

const walletOf = async ({ own }: Rest): Promise<string> => (await own('GET', '/wallets')).body.wallets[0].wallet_id

describe('a payment', () => {
  it('is answered with what became of it: 201, 202, or a problem that carries the attempt', async () => {
    const { call, own, pay, instrument_id, key } = await withCard()
    const bearer = { authorization: `Bearer ${key}` }
    const paid = await pay('12.00')
    expect([paid.status, paid.body.status]).toEqual([201, 'captured'])
    expect(paid.headers.get('location')).toBe(`/api/v1/agent-payments/payments/${paid.body.payment_id}`)

    const lost = await pay('5.00', { payee: { name: 'Bursar Test: Lost Reply' } })
    expect([lost.status, lost.body.status]).toEqual([202, 'in_doubt'])
    const asked = await pay('150.00')
    expect([asked.status, asked.body.status]).toEqual([202, 'awaiting_approval'])
    const answer = await own('POST', `/payments/${asked.body.payment_id}/approve`)
    expect([answer.status, answer.body.status]).toEqual([200, 'captured'])

    const declined = await pay('5.00', { payee: { name: 'Bursar Test: Decline invalid_card' } })
    expect([declined.status, declined.body.code, declined.body.payment.status]).toEqual([
      422,
      'rail_declined',
      'voided',
    ])
    const refusals = {
      '501.00': [403, 'limit_exceeded'],
      '890.00': [403, 'amount_exceeds_remaining'],
      '1e3': [400, 'amount_invalid'],
    }
    for (const [amount, [status, code]] of Object.entries(refusals)) {
      const refused = await pay(amount)
      expect([refused.status, refused.body.code]).toEqual([status, code])
      expect(refused.headers.get('content-type')).toBe('application/problem+json')
      const kept = await call('GET', `/payments/${refused.body.payment.payment_id}`)
      expect([kept.body.status, kept.body.refusal.code]).toEqual(['refused', code])
    }
    await call('POST', `/instruments/${instrument_id}/return`, {}, bearer)
    const gone = await pay('1.00')
    expect([gone.status, gone.body.code, gone.body.retry]).toEqual([410, 'instrument_revoked', 'never'])
  })

  it('has the Idempotency-Key as its own, in the database', async () => {
    const { pay, call, own } = await withCard()
    const first = await pay('12.00', { purpose: 'one' }, { 'idempotency-key': '"order-7"' })
    expect(first.headers.get('idempotency-replayed')).toBe(null)
    for (const key of ['order-7', '"order-7"']) {
      const again = await pay('12.00', { purpose: 'one' }, { 'idempotency-key': key })
      expect([again.status, again.body.payment_id, again.body.replayed]).toEqual([200, first.body.payment_id, true])
      expect(again.headers.get('idempotency-replayed')).toBe('true')
    }
    const inBody = await pay('12.00', { purpose: 'one', idempotency_key: 'order-7' })
    expect(inBody.body.payment_id).toBe(first.body.payment_id)
    const other = await pay('13.00', { purpose: 'one' }, { 'idempotency-key': 'order-7' })
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_conflict'])
    const two = await pay('12.00', { idempotency_key: 'a' }, { 'idempotency-key': 'b' })
    expect([two.status, two.body.code]).toEqual([400, 'argument_invalid'])
    const { body } = await call('GET', '/payments?status=captured')
    expect(body.payments).toHaveLength(1)
    expect((await own('GET', '/payments?status=captured')).body.payments).toHaveLength(1)
  })
})

describe('Idempotency-Key', () => {
  it('of any other POST keeps its answer for who asked', async () => {
    const site = await restSite()
    const { own, call } = site
    const id = await walletOf(site)
    const fund = (amount: string, key: string) =>
      own('POST', `/wallets/${id}/fund`, { amount }, { 'idempotency-key': key })
    const first = await fund('10.00', 'k')
    const again = await fund('10.00', 'k')
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect((await fund('11.00', 'k')).body.code).toBe('idempotency_conflict')
    const [one, two] = await Promise.all([fund('10.00', 'l'), fund('10.00', 'l')])
    expect([one.status, two.status].toSorted()).toEqual([200, two.status === 409 || one.status === 409 ? 409 : 200])
    expect((await own('GET', `/wallets/${id}`)).body.available_amount).toBe('1020.00')

    const key = { 'idempotency-key': 'new-agent' }
    const agent = await own('POST', '/agents', { name: 'a' }, key)
    expect((await own('POST', '/agents', { name: 'a' }, key)).body).toEqual(agent.body)
    expect((await own('POST', '/agents', { name: 'a' })).body.code).toBe('already_exists')
    const bearer = (token: string) => ({ authorization: `Bearer ${token}`, 'idempotency-key': 'mine' })
    const minted = await call('POST', '/credentials', { expires_in: '1h' }, bearer(site.key))
    const child = await call('POST', '/credentials', { expires_in: '1h' }, bearer(minted.body.key))
    expect(child.body.credential_id).not.toBe(minted.body.credential_id)
  })

  it('of what went wrong after it was done does it no second time', async () => {
    const site = await restSite()
    const id = await walletOf(site)
    const broken = site.deps.changes(() => {
      throw new Error('A bug, after the commit.')
    })
    const fund = () => site.own('POST', `/wallets/${id}/fund`, { amount: '10.00' }, { 'idempotency-key': 'k' })
    const first = await fund()
    expect([first.status, JSON.stringify(first.body)]).toEqual([500, expect.not.stringContaining('A bug')])
    broken()
    const again = await fund()
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([500, 'true'])
    expect((await site.own('GET', `/wallets/${id}`)).body.available_amount).toBe('1010.00')
    expect(site.logs.map(([level]) => level)).toEqual(['error'])
  })

  it('keeps a no too, and forgets what may pass by itself', async () => {
    const { own } = await restSite()
    const key = { 'idempotency-key': 'x' }
    const no = await own('POST', '/wallets', { name: 'sandbox', currency: 'USD', mode: 'sandbox' }, key)
    expect([no.status, no.body.code]).toEqual([409, 'already_exists'])
    const again = await own('POST', '/wallets', { name: 'sandbox', currency: 'USD', mode: 'sandbox' }, key)
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([409, 'true'])
    for (const bad of ['', 'a b', 'é', 'x'.repeat(129), '"a" , "b"', '"a b"', '\\']) {
      const { status, body } = await own('POST', '/freeze', {}, { 'idempotency-key': bad })
      expect([bad, status, body.code]).toEqual([bad, 400, 'argument_invalid'])
    }
    expect((await own('GET', '/freeze')).body).toEqual({ frozen: false })
  })
})
