import { describe, expect, it } from 'vitest'
import { freezeInstrument } from '../../src/actions/owner/freeze.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { buy, CARD, makeCard, makePurse, SHOP } from '../support/purse.ts'
import { CLIENTS, connect } from './support.ts'

const IDS = /(req|inst|pay|apr|wal|lim|ses|agt)_[0-9a-f-]{36}/g
const text = (answer: { content: { text: string }[] }): string =>
  (answer.content[0]?.text ?? '').replaceAll(IDS, '$1_1').replaceAll(/•••• \d{4}/g, '•••• 4242')

describe.each(CLIENTS)('what an agent reads (%s)', (kind) => {
  it('of a payment, its refusal, a replay and a conflict', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const host = await connect(purse, kind)
    const pay = (more: object) =>
      host.call('pay_with_instrument', {
        instrument_id: card.instrument_id,
        amount: '49.00',
        payee: SHOP,
        purpose: 'Editor',
        ...more,
      })
    const lines = [
      await pay({ idempotency_key: 'order-1' }),
      await pay({ idempotency_key: 'order-1' }),
      await pay({ idempotency_key: 'order-1', amount: '50.00' }),
      await pay({ payee: { name: 'Casino "x"', merchant_category: '7995' }, purpose: 'fun' }),
      await pay({ amount: '400.00', purpose: 'big' }),
      await pay({ amount: '4.9e1' }),
      await pay({ instrument_id: 'inst_nothing' }),
    ]
    expect(lines.map(text)).toMatchInlineSnapshot(`
      [
        "Payment pay_1: paid 49.00 USD to "Acme Software". Instrument inst_1 (•••• 4242) is active: 251.00 USD and 2 of 3 uses left until 2026-04-09T12:00:00.000Z. Sandbox: no real money.",
        "Payment pay_1: paid 49.00 USD to "Acme Software". Instrument inst_1 (•••• 4242) is active: 251.00 USD and 2 of 3 uses left until 2026-04-09T12:00:00.000Z. Sandbox: no real money. This is the earlier payment for the same purchase; nothing was paid again.",
        "Payment pay_1 is refused. idempotency_conflict: This idempotency_key was used for another purchase. This idempotency_key already names another purchase. Use get_payment to see it.",
        "Payment pay_1 is refused. merchant_category_not_allowed: Merchant category 7995 is not one the instrument allows. This instrument does not pay this kind of merchant. Say what the merchant really is, never another; ask your user.",
        "Payment pay_1 is refused. amount_exceeds_remaining: The instrument has 251.00 USD left. Do not split the payment. check_budget says what remains.",
        "Payment pay_1 is refused. amount_invalid: An amount is a plain decimal string such as "49.00". Send the amount as a decimal string in the currency of the instrument, such as "49.00".",
        "Payment pay_1 is refused. not_found: There is no such instrument. Call check_budget or list_payments and use an id that they return.",
      ]
    `)
    expect(
      lines.map(({ isError = false, structuredContent }) => [
        isError,
        structuredContent?.status,
        (structuredContent?.refusal as { code: string } | undefined)?.code,
      ]),
    ).toEqual([
      [false, 'captured', undefined],
      [false, 'captured', undefined],
      [true, 'refused', 'idempotency_conflict'],
      [true, 'refused', 'merchant_category_not_allowed'],
      [true, 'refused', 'amount_exceeds_remaining'],
      [true, 'refused', 'amount_invalid'],
      [true, 'refused', 'not_found'],
    ])
    await host.close()
  })

  it('of a request that waits, that is denied, and that was canceled', async () => {
    const purse = await makePurse()
    await setApprovals(purse.bursar, purse.authority, purse.walletId, [{ up_to: null, assurance: 'operator' }])
    const host = await connect(purse, kind)
    const waiting = await host.call('request_instrument', CARD)
    const id = waiting.structuredContent?.request_id as string
    const canceled = await host.call('cancel', { id })
    const again = await host.call('cancel', { id })
    const other = await host.call('request_instrument', CARD)
    await host.deps.desk.deny(other.structuredContent?.request_id as string, 'cli', null)
    const denied = await host.call('get_request', { request_id: other.structuredContent?.request_id })
    expect([waiting, canceled, again, denied].map(text)).toMatchInlineSnapshot(`
      [
        "Request req_1 is pending. A human must approve it by 2026-03-11T12:00:00.000Z: tell your user to run \`bursar request approve req_1\`, then poll get_request with req_1. Do not ask or pay again for the same thing.",
        "req_1 is canceled.",
        "wrong_state: It is canceled: there is nothing to take back. Show it to see its status; nothing was changed.",
        "Request req_1 is denied. approval_denied: A human denied this. A human said no. Do not ask again for the same thing.",
      ]
    `)
    expect([again.isError, denied.isError]).toEqual([true, true])
    await host.close()
  })

  it('of its budget, and of a list without what fills its context', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    await buy(purse, card, '49.00')
    const host = await connect(purse, kind)
    const budget = await host.call('check_budget', { instrument_id: card.instrument_id })
    expect(budget.structuredContent).toMatchObject({
      wallets: [{ available_amount: '951.00' }],
      instruments: [{ remaining_amount: '251.00', usage_limit: 3, usage_consumed: 1 }],
    })
    expect(JSON.parse(budget.content[0]!.text)).toEqual(budget.structuredContent)
    const { structuredContent } = await host.call('list_payments', {})
    expect(structuredContent).toMatchObject({ payments: [{ status: 'captured', instrument_id: card.instrument_id }] })
    expect(JSON.stringify(structuredContent)).not.toContain('checkpoint')
    await host.close()
  })
})

describe('waiting', () => {
  it('returns at once when there is nothing to wait for', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const paid = await buy(purse, card, '49.00')
    const host = await connect(purse, 'modern')
    const answer = await host.call('get_payment', { payment_id: paid.payment_id, wait_seconds: 25 })
    expect(answer.structuredContent?.status).toBe('captured')
    await host.close()
  })

  it('returns as soon as the request is decided, and tells a client that waits that it is alive', async () => {
    const purse = await makePurse()
    const host = await connect(purse, 'modern')
    const { structuredContent } = await host.call('request_instrument', CARD)
    const request_id = structuredContent?.request_id as string
    const beats: unknown[] = []
    const waiting = host.call(
      'get_request',
      { request_id, wait_seconds: 25 },
      { onprogress: (beat: unknown) => beats.push(beat) },
    )
    await expect.poll(() => beats.length).toBeGreaterThan(2)
    await host.deps.desk.deny(request_id, 'cli', 'no')
    expect((await waiting).structuredContent?.status).toBe('denied')
    await host.close()
  })

  it('sees what another process decides, and gives up when the time is up', async () => {
    const purse = await makePurse()
    // Nothing that this process commits is told to it: as if another process had done it.
    const host = await connect(purse, 'modern', { deps: { changes: () => () => undefined } })
    const { structuredContent } = await host.call('request_instrument', CARD)
    const request_id = structuredContent?.request_id as string
    const late = await host.call('get_request', { request_id, wait_seconds: 1 })
    expect(late.structuredContent?.status).toBe('pending')
    const waiting = host.call('get_request', { request_id, wait_seconds: 25 })
    await host.deps.desk.deny(request_id, 'cli', null)
    expect((await waiting).isError).toBe(true)
    await host.close()
  })

  it('ends when the call is cancelled', async () => {
    const purse = await makePurse()
    const host = await connect(purse, 'legacy')
    const { structuredContent } = await host.call('request_instrument', CARD)
    const abort = new AbortController()
    const args = { request_id: structuredContent?.request_id, wait_seconds: 25 }
    const waiting = host.call('get_request', args, { signal: abort.signal })
    setTimeout(() => abort.abort(), 20)
    await expect(waiting).rejects.toThrow()
    await host.close()
  })
})

it('tells a client that pays that it is alive', async () => {
  const purse = await makePurse()
  const card = await makeCard(purse)
  const host = await connect(purse, 'modern')
  const beats: unknown[] = []
  await host.call(
    'pay_with_instrument',
    { instrument_id: card.instrument_id, amount: '1.00', payee: SHOP, purpose: 'x' },
    { onprogress: (beat: unknown) => beats.push(beat) },
  )
  expect(beats[0]).toMatchObject({ progress: 0, message: 'Paying.' })
  await host.close()
})

it('32 payments at once are each answered, and none is over a limit', async () => {
  const purse = await makePurse()
  const card = await makeCard(purse, { usage_limit: 20 })
  const host = await connect(purse, 'modern')
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, n) =>
      host.call('pay_with_instrument', {
        instrument_id: card.instrument_id,
        amount: '1.00',
        payee: SHOP,
        purpose: `Item ${n}`,
      }),
    ),
  )
  const count = (status: string): number =>
    answers.filter(({ structuredContent }) => structuredContent?.status === status).length
  expect([count('captured'), count('refused')]).toEqual([20, 12])
  await host.close()
})

it('a frozen instrument pays nothing and says so', async () => {
  const purse = await makePurse()
  const card = await makeCard(purse)
  await freezeInstrument(purse.bursar, { ownerId: purse.authority.ownerId, channel: 'test' }, card.instrument_id)
  const host = await connect(purse, 'modern')
  const answer = await host.call('pay_with_instrument', {
    instrument_id: card.instrument_id,
    amount: '1.00',
    payee: SHOP,
    purpose: 'x',
  })
  expect(answer).toMatchObject({ isError: true, structuredContent: { refusal: { code: 'instrument_frozen' } } })
  await host.close()
})
