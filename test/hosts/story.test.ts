import { describe, expect, it } from 'vitest'
import { bursar, newHome, owner } from '../cli/fixture.ts'
import { CLIENTS, type Host, type Kind, MANNERS, type Manner, startHost } from './host.ts'

const CARD = {
  type: 'virtual_card',
  amount: '300.00',
  currency: 'USD',
  usage_limit: 3,
  expires_in: '30d',
  purpose: 'Developer tools',
  constraints: { merchant_categories: ['software'] },
}
const ACME = { name: 'Acme Software', merchant_category: 'software' }

/** What the host did with the question, as it is kept. A host that decides nothing leaves it to the command line. */
const OUTCOMES: { readonly [M in Manner]: string } = {
  form: 'approved',
  'url only': 'no_channel',
  none: 'no_channel',
  'declines at once': 'declined_by_host',
  'never answers': 'timed_out',
}

/** A client of 2026-07-28 is not called back by its server: one that never answers has simply not come back. */
async function request(host: Host, kind: Kind, manner: Manner) {
  const call = host.call('request_instrument', CARD)
  if (kind !== 'modern' || manner !== 'never answers') return (await call).structuredContent
  call.catch(() => undefined)
  for (;;) {
    const waiting = await host.call('check_budget', {})
    if (host.asked.length > 0 && waiting) return null
  }
}

// The waits come first, beside the work of the others.
describe.concurrent('the whole story over a pipe', () => {
  it('refuses a payment after the expiry of its instrument', { timeout: 180_000 }, async () => {
    const home = await newHome()
    const host = await startHost('modern', 'form', home)
    const { structuredContent: card } = await host.call('request_instrument', { ...CARD, expires_in: '1m' })
    const ends = Date.parse(card.instrument.expires_at)
    await new Promise((resolve) => setTimeout(resolve, ends - Date.now() + 50))
    const args = { instrument_id: card.instrument.instrument_id, amount: '1.00', purpose: 'late', payee: ACME }
    const late = await host.call('pay_with_instrument', args)
    expect(late.structuredContent.refusal).toMatchObject({
      code: 'instrument_expired',
      rule: 'instrument.expires_at',
    })
    await host.close()
    expect((await bursar(home, ['journal', 'verify'])).code).toBe(0)
  })

  for (const manner of MANNERS.toReversed())
    for (const kind of CLIENTS)
      it(`is told by a ${kind} client in a host with the manner: ${manner}`, { timeout: 120_000 }, async () => {
        const home = await newHome()
        const host = await startHost(kind, manner, home)
        const asked = await request(host, kind, manner)
        const [waiting] = await owner(home, 'request', 'list')
        if (manner === 'form') expect(asked.status).toBe('approved')
        else {
          expect(waiting.status).toBe('pending')
          if (asked) expect(asked).toMatchObject({ status: 'pending', approval: { asked: OUTCOMES[manner] } })
          await owner(home, 'request', 'approve', waiting.request_id, '--yes')
        }
        const { structuredContent: approved } = await host.call('get_request', { request_id: waiting.request_id })
        expect(approved).toMatchObject({ status: 'approved', instrument: { amount: '300.00', usage_limit: 3 } })
        await spend(host, approved.instrument.instrument_id)
        await host.close()
        expect(await owner(home, 'journal', 'verify')).toMatchObject({ ok: true, problems: [] })
      })
})

async function spend(host: Host, instrument_id: string): Promise<void> {
  const pay = async (amount: string, purpose: string, payee: object = ACME) =>
    (await host.call('pay_with_instrument', { instrument_id, amount, purpose, payee })).structuredContent
  const left = { remaining_amount: '251.00', usage_consumed: 1 }
  expect(await pay('49.00', 'licence')).toMatchObject({ status: 'captured', instrument: left })
  expect(await pay('49.00', 'licence')).toMatchObject({ status: 'captured', replayed: true, instrument: left })
  const casino = { name: 'Lucky', merchant_category: '7995' }
  expect((await pay('10.00', 'chips', casino)).refusal.code).toBe('merchant_category_not_allowed')
  expect((await pay('251.01', 'too much')).refusal.code).toBe('amount_exceeds_remaining')
  expect((await pay('1.00', 'second')).status).toBe('captured')
  expect((await pay('1.00', 'third')).status).toBe('captured')
  const fourth = await host.call('pay_with_instrument', {
    instrument_id,
    amount: '1.00',
    purpose: 'fourth',
    payee: ACME,
  })
  expect(fourth.isError).toBe(true)
  expect(fourth.structuredContent).toMatchObject({
    status: 'refused',
    refusal: { code: 'usage_limit_reached', rule: 'instrument.usage_limit' },
  })
}
