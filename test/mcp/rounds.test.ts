import { describe, expect, it } from 'vitest'
import { CARD, makeCard, makePurse, type Purse, SHOP } from '../support/purse.ts'
import { connect } from './support.ts'

const FORM = { elicitation: {} }
const approve = () => ({ action: 'accept', content: { decision: 'approve' } })

const payment = (instrument_id: string, amount = '150.00') => ({
  instrument_id,
  amount,
  payee: SHOP,
  purpose: 'Editor licences',
})

describe('rounds of 2026-07-28', () => {
  type Round = { resultType: string; requestState: string; inputRequests: Record<string, object> }

  async function opened(name: string, args: object, purse: Purse) {
    const host = await connect(purse, 'modern', FORM)
    const send = (params: object) =>
      host.raw.request(
        { method: 'tools/call', params: { name, arguments: args, ...params } } as never,
        { allowInputRequired: true } as never,
      )
    const round = (await send({})) as unknown as Round
    return {
      host,
      round,
      retry: (params: object) => send(params) as unknown as Promise<{ structuredContent: Record<string, unknown> }>,
    }
  }

  const yes = { inputResponses: { approval: approve() } }

  it('security: an answer that is sent again pays once', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const { host, round, retry } = await opened('pay_with_instrument', payment(card.instrument_id), purse)
    expect(round).toMatchObject({
      resultType: 'input_required',
      inputRequests: { approval: { method: 'elicitation/create' } },
    })
    const answers = await Promise.all([1, 2, 3].map(() => retry({ ...yes, requestState: round.requestState })))
    answers.push(await retry({ ...yes, requestState: round.requestState }))
    expect(new Set(answers.map(({ structuredContent }) => structuredContent.payment_id)).size).toBe(1)
    expect(answers.at(-1)?.structuredContent.status).toBe('captured')
    expect(await purse.bursar.store.read.list('payments', {})).toHaveLength(1)
    expect(await purse.bursar.store.read.one('accounts', { walletId: purse.walletId })).toMatchObject({
      available: 85_000n,
    })
    await host.close()
  })

  it('security: a yes after a no of the same round changes nothing', async () => {
    const purse = await makePurse()
    const { host, round, retry } = await opened('request_instrument', CARD, purse)
    const { requestState } = round
    await retry({ inputResponses: { approval: { action: 'cancel' } }, requestState })
    expect(await retry({ ...yes, requestState })).toMatchObject({ structuredContent: { status: 'pending' } })
    await host.close()
  })

  it('security: a state that was changed is refused, and nothing is approved or begun', async () => {
    const purse = await makePurse()
    const { host, round, retry } = await opened('request_instrument', CARD, purse)
    const requestState = `${round.requestState.slice(0, -4)}AAAA`
    await expect(retry({ ...yes, requestState })).rejects.toMatchObject({ code: -32602 })
    expect(await purse.bursar.store.read.list('requests', {})).toMatchObject([{ status: 'pending' }])
    await host.close()
  })

  it('security: an answer without its state is asked for anew and approves nothing', async () => {
    const purse = await makePurse()
    const { host, retry } = await opened('request_instrument', CARD, purse)
    expect(await retry(yes)).toMatchObject({ resultType: 'input_required' })
    expect((await purse.bursar.store.read.list('requests', {})).map(({ status }) => status)).toEqual(['pending'])
    await host.close()
  })

  it('security: the state of one tool is nothing to another', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const { host, round } = await opened('request_instrument', CARD, purse)
    const params = {
      name: 'pay_with_instrument',
      arguments: payment(card.instrument_id),
      ...yes,
      requestState: round.requestState,
    }
    const answer = await host.raw.request(
      { method: 'tools/call', params } as never,
      { allowInputRequired: true } as never,
    )
    expect(answer).toMatchObject({ resultType: 'input_required' })
    expect(await purse.bursar.store.read.list('payments', { status: 'captured' })).toEqual([])
    await host.close()
  })

  it('security: the state of one agent is nothing to another', async () => {
    const purse = await makePurse()
    const { host, round } = await opened('request_instrument', CARD, purse)
    const other = await connect(purse, 'modern', {
      ...FORM,
      deps: { caller: { agentId: 'agt_other', sessionId: 'ses_other', credentialId: null } },
    })
    const params = { name: 'request_instrument', arguments: CARD, ...yes, requestState: round.requestState }
    const answer = await other.raw.request(
      { method: 'tools/call', params } as never,
      { allowInputRequired: true } as never,
    )
    expect(JSON.stringify(answer)).not.toContain('approved')
    expect(await purse.bursar.store.read.list('requests', {})).toMatchObject([{ status: 'pending' }])
    await host.close()
    await other.close()
  })

  it('security: what is retried is what was shown, whatever the arguments say now', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const { host, round } = await opened('pay_with_instrument', payment(card.instrument_id), purse)
    const params = {
      name: 'pay_with_instrument',
      arguments: payment(card.instrument_id, '299.00'),
      ...yes,
      requestState: round.requestState,
    }
    const answer = await host.raw.request({ method: 'tools/call', params } as never)
    expect(answer).toMatchObject({ structuredContent: { status: 'captured', amount: '150.00' } })
    await host.close()
  })
})
