import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DECLINE_CODES, type DeclineCode } from '../../src/rails/card/issuer.ts'
import { planned, SCENARIOS, SLOW_MS } from '../../src/rails/card/sandbox/scenarios.ts'
import { type Bench, bench, DAY_MS, MINUTE_MS, PLACES, paymentTerms, testMerchant } from './card-fixture.ts'

type State = readonly [afterMs: number, state: 'open' | 'closed' | 'declined', captured: bigint, refunded: bigint]

/** What each scenario has done to a payment of 100.00, as time goes by. */
const played: Readonly<Record<string, readonly State[]>> = {
  'Partial Capture': [[0, 'closed', 4000n, 0n]],
  'Multiple Captures': [
    [0, 'open', 5000n, 0n],
    [MINUTE_MS, 'open', 8000n, 0n],
    [MINUTE_MS, 'closed', 10_000n, 0n],
  ],
  'Delayed Capture': [
    [0, 'open', 0n, 0n],
    [MINUTE_MS, 'closed', 10_000n, 0n],
  ],
  'Never Captured': [
    [7 * DAY_MS - 1, 'open', 0n, 0n],
    [1, 'closed', 0n, 0n],
  ],
  Reversal: [
    [0, 'open', 0n, 0n],
    [MINUTE_MS, 'closed', 0n, 0n],
  ],
  'Partial Reversal': [
    [0, 'open', 0n, 0n],
    [MINUTE_MS, 'closed', 7000n, 0n],
  ],
  'Merchant Refund': [
    [0, 'closed', 10_000n, 0n],
    [MINUTE_MS, 'closed', 10_000n, 10_000n],
  ],
  'Partial Refund': [
    [0, 'closed', 10_000n, 0n],
    [MINUTE_MS, 'closed', 10_000n, 2500n],
  ],
  'Restaurant Tip': [
    [0, 'closed', 10_000n, 0n],
    [MINUTE_MS, 'closed', 12_000n, 0n],
  ],
  'Capture After Expiry': [
    [0, 'open', 0n, 0n],
    [7 * DAY_MS, 'closed', 0n, 0n],
    [DAY_MS, 'closed', 10_000n, 0n],
  ],
  'Slow Answer': [[0, 'closed', 10_000n, 0n]],
  'Duplicate Authorization': [[0, 'closed', 10_000n, 0n]],
  'Duplicate Capture': [
    [0, 'open', 4000n, 0n],
    [7 * DAY_MS, 'closed', 4000n, 0n],
  ],
}

const silent = ['Lost Reply', 'Lost Request', 'Unreachable']
const shops = SCENARIOS.filter(({ amount }) => amount === null)
const declines = Object.keys(DECLINE_CODES) as DeclineCode[]

describe('sandbox merchants', () => {
  test('every one has a test here', () => {
    const tested = [
      ...shops.map(({ name }) => name),
      ...Object.keys(played),
      ...silent,
      ...declines.map((code) => `Decline ${code}`),
    ]
    expect(SCENARIOS.map(({ name }) => name).sort()).toEqual(tested.sort())
  })
})

describe.each(PLACES)('sandbox merchants of a network in $name', ({ places }) => {
  const newPlace = places()

  test.each(Object.entries(played))('%s', async (name, states) => {
    const at = await bench(await newPlace())
    const card = await at.card()
    const terms = paymentTerms(at.clock, card, { ...testMerchant(name), amount: 10_000n })
    let record = await at.rail.pay(terms)
    for (const [afterMs, state, captured, refunded] of states) {
      at.clock.ms += afterMs
      record = await at.rail.pay(terms)
      expect(record).toEqual({ railRef: record.railRef, state, authorized: 10_000n, captured, refunded })
    }
    expect(await changed(at)).toEqual([{ paymentId: terms.paymentId, record }])
  })

  test.each(Object.entries(played))('%s, by its amount at any other merchant', async (name, states) => {
    const at = await bench(await newPlace())
    const scenario = SCENARIOS.find((one) => one.name === name)
    const amount = scenario?.amount as bigint
    const terms = paymentTerms(at.clock, await at.card(), { amount })
    await at.rail.pay(terms)
    at.clock.ms += states.reduce((sum, [afterMs]) => sum + afterMs, 0)
    const last = states.at(-1) as State
    const record = await at.rail.pay(terms)
    expect(record).toMatchObject({ state: last[1], authorized: amount })
    expect(Number(record.captured) / Number(amount)).toBeCloseTo(Number(last[2]) / 10_000, 2)
  })

  test.each(shops)('$name is sent with its own category and country', async ({ name, category, country }) => {
    const at = await bench(await newPlace())
    const said = { name: `bursar test: ${name.toUpperCase()}`, category: '8398', country: 'FR' }
    expect(await at.pay(await at.card(), { paymentId: 'pay_place', payee: said })).toMatchObject({ state: 'closed' })
    const authorization = await at.issuer.retrieveAuthorization('pay_place')
    expect(authorization?.merchant).toEqual({ name: `Bursar Test: ${name}`, category, country })
  })

  test('an unknown merchant is sent as the payment says, else as miscellaneous, of no known country', async () => {
    const at = await bench(await newPlace())
    const card = await at.card()
    await at.pay(card, { paymentId: 'pay_said', payee: { name: 'Notion', category: '5734', country: 'US' } })
    await at.pay(card, { paymentId: 'pay_unsaid', payee: { name: 'Notion' } })
    expect((await at.issuer.retrieveAuthorization('pay_said'))?.merchant).toMatchObject({
      category: '5734',
      country: 'US',
    })
    expect((await at.issuer.retrieveAuthorization('pay_unsaid'))?.merchant).toMatchObject({
      category: '5999',
      country: 'ZZ',
    })
  })

  test.each(declines)('declines with %s, by merchant and by amount, on one card that goes on paying', async (code) => {
    const at = await bench(await newPlace())
    const card = await at.card({ usageLimit: 1 })
    const amount = SCENARIOS.find(({ decline }) => decline === code)?.amount as bigint
    expect(await at.pay(card, testMerchant(`Decline ${code}`))).toMatchObject({ state: 'declined', declineCode: code })
    expect(await at.pay(card, { amount })).toMatchObject({ state: 'declined', declineCode: code, authorized: 0n })
    expect(await at.pay(card)).toMatchObject({ state: 'closed' })
  })
})

describe.each(PLACES)('a network in $name that does not answer', ({ places }) => {
  const newPlace = places()

  const byBoth = silent.flatMap((name) => [
    { name, by: 'merchant', terms: { amount: 4900n, ...testMerchant(name) } },
    { name, by: 'amount', terms: { amount: SCENARIOS.find((one) => one.name === name)?.amount as bigint } },
  ])

  test.each(byBoth)('$name by $by', async ({ name, terms: said }) => {
    const at = await bench(await newPlace())
    const card = await at.card({ usageLimit: 1 })
    const terms = paymentTerms(at.clock, card, said)
    await expect(at.rail.pay(terms)).rejects.toThrow('The card network did not answer.')
    const known = await at.issuer.retrieveAuthorization(terms.paymentId)
    expect(known?.captured).toBe(name === 'Lost Reply' ? said.amount : undefined)
    if (name === 'Unreachable') await expect(at.rail.pay(terms)).rejects.toThrow('did not answer')
    else expect(await at.rail.pay(terms)).toMatchObject({ state: 'closed', captured: said.amount })
    at.clock.ms = terms.validUntil + 1
    const expected = name === 'Unreachable' ? { declineCode: 'authorization_expired' } : { captured: said.amount }
    expect(await at.rail.pay(terms)).toMatchObject(expected)
  })

  test('a lost request that is never repeated in time is declined for good', async () => {
    const at = await bench(await newPlace())
    const terms = paymentTerms(at.clock, await at.card(), testMerchant('Lost Request'))
    await expect(at.rail.pay(terms)).rejects.toThrow()
    at.clock.ms = terms.validUntil + 1
    expect(await at.rail.pay(terms)).toMatchObject({ state: 'declined', declineCode: 'authorization_expired' })
  })

  test('a slow answer comes after the money moved, and only the first is slow', async () => {
    const at = await bench(await newPlace())
    const terms = paymentTerms(at.clock, await at.card(), testMerchant('Slow Answer'))
    await at.rail.pay(terms)
    await at.rail.pay(terms)
    expect(at.waits).toEqual([SLOW_MS])
  })
})

test('the smallest amount goes through every scenario', () => {
  for (const { steps } of SCENARIOS) {
    const taken = planned(steps, 1n).filter(({ message }) => message.kind === 'capture' || message.kind === 'reverse')
    const once = new Map(taken.map(({ id, message }) => [id, message.amount]))
    expect([...once.values()].reduce((sum, amount) => sum + amount, 0n)).toBeLessThanOrEqual(1n)
  }
})

test('no two merchants share a name or an amount, and no amount is one that shops use', () => {
  const amounts = SCENARIOS.flatMap(({ amount }) => (amount === null ? [] : [amount]))
  expect(new Set(amounts).size).toBe(amounts.length)
  expect(new Set(SCENARIOS.map(({ name }) => name.toLowerCase())).size).toBe(SCENARIOS.length)
  expect(amounts.filter((amount) => amount % 10n === 0n || amount % 100n === 99n || amount % 100n === 95n)).toEqual([])
})

test('docs/sandbox-cards.md lists exactly the merchants, amounts and decline codes of the code', () => {
  const doc = readFileSync(new URL('../../docs/sandbox-cards.md', import.meta.url), 'utf8')
  const rows = doc.split('\n').filter((line) => line.startsWith('| `'))
  const cells = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
  const merchants = cells.filter(([first]) => first?.startsWith('Bursar Test: '))
  expect(merchants.map((row) => row.slice(0, 4))).toEqual(
    SCENARIOS.map(({ name, category, country, amount }) => [
      `Bursar Test: ${name}`,
      category,
      country,
      amount === null ? '' : decimal(amount),
    ]),
  )
  expect(merchants.every((row) => row.length === 5 && row[4] !== '')).toBe(true)
  expect(cells.filter(([first]) => !first?.startsWith('Bursar Test: '))).toEqual(Object.entries(DECLINE_CODES))
})

function decimal(units: bigint): string {
  return `${units / 100n}.${String(units % 100n).padStart(2, '0')}`
}

async function changed({ rail }: Bench) {
  return (await rail.changes(null)).records
}
