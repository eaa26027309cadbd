import { describe, expect, it } from 'vitest'
import { TOOLS } from '../../src/mcp/tools/index.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { webOf } from '../../src/web/web.ts'
import { makeCard, makePurse, SHOP } from '../support/purse.ts'
import { CLIENTS, connect } from './support.ts'

const TOKENS_MAX = 2_500
const BYTES_PER_TOKEN = 4

describe.each(CLIENTS)('tools/list (%s)', (kind) => {
  it('costs a model at most 2,500 tokens', async () => {
    const host = await connect(await makePurse(), kind)
    const bytes = Buffer.byteLength(JSON.stringify(await host.raw.listTools()))
    expect(Math.ceil(bytes / BYTES_PER_TOKEN)).toBeLessThanOrEqual(TOKENS_MAX)
    await host.close()
  })

  it('lists what is in the snapshot', async () => {
    const host = await connect(await makePurse(), kind)
    const { tools } = await host.raw.listTools()
    // One snapshot for all eras: clients must see the same tools.
    await expect(`${JSON.stringify(tools, null, 2)}\n`).toMatchFileSnapshot('tools-list.snap')
    await host.close()
  })

  it('says what each tool does to the world, all four hints', async () => {
    const host = await connect(await makePurse(), kind)
    const { tools } = await host.raw.listTools()
    const hints = Object.fromEntries(
      tools.map(({ name, annotations }) => [
        name,
        [
          annotations?.readOnlyHint,
          annotations?.destructiveHint,
          annotations?.idempotentHint,
          annotations?.openWorldHint,
        ],
      ]),
    )
    expect(hints).toEqual({
      check_budget: [true, false, true, false],
      request_instrument: [false, false, false, false],
      get_request: [true, false, true, false],
      pay_with_instrument: [false, true, false, true],
      fetch_with_payment: [false, true, false, true],
      get_payment: [true, false, true, false],
      list_payments: [true, false, true, false],
      cancel: [false, true, true, false],
    })
    await host.close()
  })
})

describe('tools', () => {
  it('are at most ten, snake_case, with object schemas that refuse unknown arguments', () => {
    expect(TOOLS.length).toBeLessThanOrEqual(10)
    for (const { name, output, input } of TOOLS) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/)
      expect(output.type).toBe('object')
      expect(input.safeParse({ unheard_of: 1 }).error?.issues.some(({ code }) => code === 'unrecognized_keys')).toBe(
        true,
      )
    }
  })

  it('never ask for a unique key for every call, and offer no power', () => {
    const words = JSON.stringify(TOOLS.map(({ description, name }) => [name, description])).toLowerCase()
    expect(words).not.toMatch(/unique|every call|each call/)
    expect(words).not.toMatch(/approve_|fund_|set_limit|unfreeze/)
  })
})

const HOSTILE = [
  null,
  0,
  -1,
  1.5,
  true,
  [],
  {},
  '',
  ' ',
  '0',
  '-1',
  '1e9',
  '٣',
  '١٢',
  '1,000.00',
  '49.001',
  '\u0000',
  '\u202e00.94',
  '\ud800',
  "'; DROP TABLE payments; --",
  '../../etc/passwd',
  '__proto__',
  'x'.repeat(100_000),
  '1'.repeat(64),
  'pay_00000000-0000-7000-8000-000000000000',
]

describe.each(CLIENTS)('hostile arguments (%s)', (kind) => {
  it('security: move no money, break nothing and show no stack, in any place of any tool', async () => {
    const purse = await makePurse()
    const web = webOf()
    const sellers = async () => ({ web, x402 })
    const host = await connect(purse, kind, { deps: { bursar: { ...purse.bursar, sellers } } })
    const card = await makeCard(purse)
    const good: Record<string, Record<string, unknown>> = {
      check_budget: { instrument_id: card.instrument_id },
      request_instrument: {
        type: 'virtual_card',
        amount: '1.00',
        currency: 'USD',
        expires_in: '1h',
        purpose: 'p',
        usage_limit: 1,
        per_payment_max: '1.00',
        constraints: {},
        task_id: 't',
      },
      get_request: { request_id: 'req_x', wait_seconds: 0 },
      pay_with_instrument: {
        instrument_id: card.instrument_id,
        amount: '1000000.00',
        payee: SHOP,
        purpose: 'p',
        task_id: 't',
        idempotency_key: 'k',
      },
      // A card contacts nobody.
      fetch_with_payment: {
        instrument_id: card.instrument_id,
        url: 'https://shop.example/',
        method: 'POST',
        headers: { accept: 'text/plain' },
        body: 'b',
        max_amount: '1.00',
        purpose: 'p',
        task_id: 't',
        idempotency_key: 'k',
      },
      get_payment: { payment_id: 'pay_x', wait_seconds: 0 },
      list_payments: {
        instrument_id: card.instrument_id,
        status: 'captured',
        task_id: 't',
        since: '2026-01-01',
        limit: 1,
        cursor: 'pay_x',
      },
      cancel: { id: 'req_x' },
    }
    for (const [name, args] of Object.entries(good)) {
      for (const key of [...Object.keys(args), 'unheard_of']) {
        for (const value of HOSTILE) {
          // A budget is a budget and an over-long wait is refused: only what is not an error must be what the tool says.
          const result = await host.call(name, { ...args, [key]: value })
          const text = JSON.stringify(result)
          expect(text, `${name} ${key} ${String(value).slice(0, 40)}`).not.toMatch(
            /at .*\.ts|node_modules|SQLITE|Something went wrong/,
          )
          expect(result.content[0]?.text.length).toBeLessThan(30_000)
        }
      }
    }
    expect(await purse.bursar.store.read.list('payments', { status: ['captured', 'authorized', 'in_doubt'] })).toEqual(
      [],
    )
    expect(host.logs.filter((line) => JSON.stringify(line).includes('"error"'))).toEqual([])
    await host.close()
    await web.close()
  }, 60_000)
})

describe('arguments', () => {
  it('that are wrong are named in one shape, without their values', async () => {
    const host = await connect(await makePurse(), 'modern')
    const answer = await host.call('pay_with_instrument', {
      instrument_id: 1,
      amount: 49,
      payee: { nom: 'Acme' },
      secret: 'x',
    })
    expect(answer).toMatchInlineSnapshot(`
      {
        "_meta": {
          "io.modelcontextprotocol/serverInfo": {
            "name": "bursar",
            "version": "0.0.0",
          },
        },
        "content": [
          {
            "text": "argument_invalid: instrument_id: Invalid input: expected string, received number; amount: Invalid input: expected string, received number; payee: unknown argument "nom". Correct the argument that is named and call again.",
            "type": "text",
          },
        ],
        "isError": true,
        "structuredContent": {
          "refusal": {
            "code": "argument_invalid",
            "hint": "Correct the argument that is named and call again.",
            "message": "instrument_id: Invalid input: expected string, received number; amount: Invalid input: expected string, received number; payee: unknown argument "nom".",
            "rule": "arguments",
          },
          "status": "refused",
        },
      }
    `)
    await host.close()
  })

  it('may not be a number where an amount is meant', async () => {
    const purse = await makePurse()
    const host = await connect(purse, 'modern')
    const card = await makeCard(purse)
    const answer = await host.call('pay_with_instrument', {
      instrument_id: card.instrument_id,
      amount: 49,
      payee: SHOP,
      purpose: 'x',
    })
    expect(answer).toMatchObject({
      isError: true,
      structuredContent: { status: 'refused', refusal: { code: 'argument_invalid' } },
    })
    await host.close()
  })

  it('of an unknown tool are a protocol error', async () => {
    const host = await connect(await makePurse(), 'modern')
    await expect(host.raw.callTool({ name: 'approve_request', arguments: {} })).rejects.toMatchObject({ code: -32602 })
    await host.close()
  })
})

describe('a bug', () => {
  it('security: shows nothing of itself to the agent, and all of it to the log', async () => {
    const purse = await makePurse()
    const read = new Proxy(purse.bursar.store.read, {
      get: (target, name) => (name === 'list' ? () => (target.one as () => never)() : Reflect.get(target, name)),
    })
    const broken = { ...purse.bursar, store: { ...purse.bursar.store, read } }
    const host = await connect(purse, 'modern', { deps: { bursar: broken } })
    const answer = await host.call('check_budget', {})
    expect(answer).not.toHaveProperty('structuredContent')
    expect(answer).toMatchObject({
      isError: true,
      content: [
        {
          type: 'text',
          text: 'Something went wrong inside bursar. Do not repeat a purchase: look it up with list_payments first.',
        },
      ],
    })
    expect(JSON.stringify(host.logs)).toContain('TypeError')
    await host.close()
  })
})
