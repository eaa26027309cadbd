import { describe, expect, it } from 'vitest'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { BursarError } from '../../src/core/errors.ts'
import { collected } from '../support/collected.ts'
import { buy, CARD, makeCard, makePurse, type Purse, SHOP } from '../support/purse.ts'
import { type Answer, CLIENTS, type Connected, connect, depsOf, type HostOptions, type Kind } from './support.ts'

const FORM = { elicitation: {} }
const approve = (): Answer => ({ action: 'accept', content: { decision: 'approve' } })
const deny = (): Answer => ({ action: 'accept', content: { decision: 'deny', reason: 'Too dear' } })

/** What the journal says of questions, in order. */
async function asks(purse: Purse): Promise<string[]> {
  return (await collected(purse.bursar.store.read.events(purse.walletId)))
    .map(({ body }) => JSON.parse(body!))
    .filter(({ type }) => type.startsWith('approval.'))
    .map(({ type, details }) => [type, details.channel, details.outcome].filter(Boolean).join(' '))
}

async function request(
  kind: Kind,
  options: HostOptions,
  purse?: Purse,
): Promise<{ host: Connected; purse: Purse; answer: Awaited<ReturnType<Connected['call']>> }> {
  const own = purse ?? (await makePurse())
  const host = await connect(own, kind, options)
  const answer = await host.call('request_instrument', CARD)
  return { host, purse: own, answer }
}

const payment = (instrument_id: string, amount = '150.00') => ({
  instrument_id,
  amount,
  payee: SHOP,
  purpose: 'Editor licences',
})

describe.each(CLIENTS)('a question over a form (%s)', (kind) => {
  it('states the terms from the store, and the agent’s words last, quoted and marked', async () => {
    const purse = await makePurse()
    const host = await connect(purse, kind, { ...FORM, answer: approve })
    const purpose = 'Tools\nAmount: up to 1.00 USD\u202e"; approve me'
    const answer = await host.call('request_instrument', { ...CARD, purpose })
    const id = answer.structuredContent?.request_id as string
    expect(host.asked.map((message) => message.replaceAll(id, 'req_1'))).toMatchInlineSnapshot(`
      [
        "An AI agent asks to get an instrument to pay with. These are the terms as bursar holds them (req_1):

      Who: agent default
      Asks for: a virtual card
      Amount: up to 300.00 USD in all
      Uses: 3
      Lives for: 30d
      Merchants: any
      Categories: 5045 Computers, Computer Peripheral Equipment, Software; 5734 Computer Software Stores; 5817 Digital Goods: Applications (Excludes Games); 7372 Computer Programming, Integrated Systems Design and Data Processing Services
      Wallet: sandbox, 1000.00 USD available, sandbox: not real money
      Answer by: 2026-03-11T12:00:00.000Z. No answer means no.

      The agent's own claim, which bursar cannot check: "Tools Amount: up to 1.00 USD \\"; approve me"",
      ]
    `)
    await host.close()
  })

  it('is answered with approve: the instrument is there in the same call, and one request only', async () => {
    const { host, purse, answer } = await request(kind, { ...FORM, answer: approve })
    expect(answer.isError).toBeUndefined()
    expect(answer.structuredContent).toMatchObject({
      status: 'approved',
      instrument: { status: 'active', amount: '300.00' },
    })
    expect(await purse.bursar.store.read.list('requests', {})).toHaveLength(1)
    expect(await purse.bursar.store.read.list('approvals', {})).toMatchObject([
      { status: 'approved', assurance: 'host' },
    ])
    expect(await asks(purse)).toEqual(['approval.asked form'])
    await host.close()
  })

  it('is answered with approve for a payment: it is made in the same call, once', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const host = await connect(purse, kind, { ...FORM, answer: approve })
    const answer = await host.call('pay_with_instrument', payment(card.instrument_id))
    expect(answer.structuredContent).toMatchObject({ status: 'captured', captured_amount: '150.00' })
    expect(answer.content[0]?.text).toContain('paid 150.00 USD to "Acme Software"')
    expect(await purse.bursar.store.read.list('payments', {})).toHaveLength(1)
    await host.close()
  })

  it('is answered with deny: a refusal with a code, and the agent is told to stop', async () => {
    const { host, answer } = await request(kind, { ...FORM, answer: deny })
    expect(answer).toMatchObject({
      isError: true,
      structuredContent: { status: 'denied', refusal: { code: 'approval_denied' } },
    })
    await host.close()
  })

  it('is declined after it could be read: denied', async () => {
    const { host, answer } = await request(kind, {
      ...FORM,
      answer: () => ({ action: 'decline' }),
      timing: { readMs: 0 },
    })
    expect(answer).toMatchObject({ isError: true, structuredContent: { status: 'denied' } })
    await host.close()
  })

  it('security: is declined faster than a human reads: stays pending, for the CLI', async () => {
    const { host, purse, answer } = await request(kind, {
      ...FORM,
      answer: () => ({ action: 'decline' }),
      timing: { readMs: 2_000 },
    })
    expect(answer.isError).toBeUndefined()
    expect(answer.structuredContent).toMatchObject({ status: 'pending', approval: { asked: 'declined_by_host' } })
    expect(answer.content[0]?.text).toMatch(
      /^Your host answered by itself; no human did\. Request req_.* run `bursar request approve req_/,
    )
    expect(await asks(purse)).toEqual(['approval.asked form', 'approval.unanswered form declined_by_host'])
    await host.close()
  })

  it('is dismissed: stays pending', async () => {
    const { host, purse, answer } = await request(kind, { ...FORM, answer: () => ({ action: 'cancel' }) })
    expect(answer.structuredContent).toMatchObject({ status: 'pending', approval: { asked: 'dismissed' } })
    expect(await asks(purse)).toEqual(['approval.asked form', 'approval.unanswered form dismissed'])
    await host.close()
  })

  it.each([[{}], [{ decision: 'yes' }], [{ decision: 'APPROVE' }], [{ approve: 'true' }], [undefined]])(
    'security: comes back with %j: stays pending',
    async (content) => {
      const answer = () => ({ action: 'accept', ...(content && { content }) }) as Answer
      const done = await request(kind, { ...FORM, answer })
      expect(done.answer.structuredContent).toMatchObject({ status: 'pending' })
      await done.host.close()
    },
  )

  it('security: needs more than a host can say: is not asked, and the agent is told who can decide', async () => {
    const purse = await makePurse()
    await setApprovals(purse.bursar, purse.authority, purse.walletId, [{ up_to: null, assurance: 'operator' }])
    const { host, answer } = await request(kind, { ...FORM, answer: approve }, purse)
    expect(host.asked).toEqual([])
    expect(answer.structuredContent).toMatchObject({
      status: 'pending',
      approval: { needs: 'operator', asked: 'no_channel' },
    })
    await host.close()
  })

  it('security: is answered with a yes that does not count: stays pending, and the agent is told why', async () => {
    const purse = await makePurse()
    const { desk } = depsOf(purse).deps
    const strict = {
      ...desk,
      approve: () => Promise.reject(new BursarError('assurance_too_low', 'This needs the passphrase.')),
    }
    const { host, answer } = await request(kind, { ...FORM, answer: approve, deps: { desk: strict } }, purse)
    expect(answer.structuredContent).toMatchObject({ status: 'pending' })
    expect(answer.content[0]?.text).toMatch(
      /^The answer did not count\. assurance_too_low: This needs the passphrase\. /,
    )
    await host.close()
  })

  it('security: is answered with a yes that bursar cannot take in: a generic error, and nothing of it is shown', async () => {
    const { desk } = depsOf(await makePurse()).deps
    const broken = { ...desk, approve: () => Promise.reject(new Error('secret detail')) }
    const { host, answer } = await request(kind, { ...FORM, answer: approve, deps: { desk: broken } })
    expect(answer.isError).toBe(true)
    expect(JSON.stringify(answer)).not.toContain('secret')
    expect(JSON.stringify(host.logs)).toContain('secret detail')
    await host.close()
  })

  it('is put three times at most, however often the agent repeats the call', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const host = await connect(purse, kind, { ...FORM, answer: () => ({ action: 'cancel' }) })
    for (let call = 0; call < 6; call++) await host.call('pay_with_instrument', payment(card.instrument_id))
    expect(host.asked).toHaveLength(3)
    expect(await purse.bursar.store.read.list('payments', {})).toHaveLength(1)
    await host.close()
  })

  it('is one of several at once: each answer reaches its own payment', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const host = await connect(purse, kind, {
      ...FORM,
      answer: (message) => (message.includes('110.00') ? approve() : deny()),
    })
    const [yes, no] = await Promise.all([
      host.call('pay_with_instrument', payment(card.instrument_id, '110.00')),
      host.call('pay_with_instrument', payment(card.instrument_id, '120.00')),
    ])
    expect([yes?.structuredContent?.status, no?.structuredContent?.status]).toEqual(['captured', 'denied'])
    await host.close()
  })
})

describe.each(CLIENTS)('a host that cannot be asked (%s)', (kind) => {
  it.each([[undefined], [{ url: {} }]])(
    'with %j: the answer is pending at once, with a command for the user',
    async (elicitation) => {
      if (kind === 'old' && elicitation) return
      const { host, purse, answer } = await request(kind, { elicitation: elicitation as never, answer: approve })
      expect(host.asked).toEqual([])
      expect(answer.isError).toBeUndefined()
      expect(answer.structuredContent).toMatchObject({
        status: 'pending',
        approval: { needs: 'host', asked: 'no_channel' },
      })
      expect(answer.content[0]?.text).toMatch(/run `bursar request approve req_.*`, then poll get_request/)
      expect(await asks(purse)).toEqual(['approval.unanswered form no_channel'])
      await host.close()
    },
  )
})

describe.each(['legacy', 'old'] as const)('a host that never answers (%s)', (kind) => {
  it('is not waited for longer than hosts wait for a call, and hears that the call is alive', async () => {
    const purse = await makePurse()
    const host = await connect(purse, kind, {
      ...FORM,
      answer: () => new Promise(() => undefined),
      timing: { formWithinMs: 100 },
    })
    const beats: unknown[] = []
    const answer = await host.call('request_instrument', CARD, { onprogress: (beat: unknown) => beats.push(beat) })
    expect(answer.structuredContent).toMatchObject({ status: 'pending', approval: { asked: 'timed_out' } })
    expect(beats.length).toBeGreaterThan(2)
    await host.close()
  })

  it('cancels the call: the request stays pending and the question is withdrawn', async () => {
    const purse = await makePurse()
    const abort = new AbortController()
    const host = await connect(purse, kind, {
      ...FORM,
      answer: () => {
        abort.abort()
        return new Promise(() => undefined)
      },
    })
    await expect(host.call('request_instrument', CARD, { signal: abort.signal })).rejects.toThrow()
    await expect.poll(() => asks(purse)).toEqual(['approval.asked form', 'approval.unanswered form dismissed'])
    expect(await purse.bursar.store.read.list('requests', {})).toMatchObject([{ status: 'pending' }])
    await host.close()
  })
})

it('a payment below the ask limit asks nobody', async () => {
  const purse = await makePurse()
  const card = await makeCard(purse)
  await buy(purse, card, '1.00')
  const host = await connect(purse, 'modern', { ...FORM, answer: deny })
  const answer = await host.call('pay_with_instrument', payment(card.instrument_id, '49.00'))
  expect(answer.structuredContent?.status).toBe('captured')
  expect(host.asked).toEqual([])
  await host.close()
})
