import { describe, expect, it } from 'vitest'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { addCredential, revokeCredential } from '../../src/actions/owner/credentials.ts'
import { TOOLS } from '../../src/mcp/tools/index.ts'
import { CARD, makeCard, makePurse } from '../support/purse.ts'
import { connect } from './support.ts'

const SCOPE = { read: 'bursar:read', ask: 'bursar:request', reduce: 'bursar:request', pay: 'bursar:pay' }
const BUY = { amount: '1.00', payee: { name: 'Acme', merchant_category: '5734', country: 'US' }, purpose: 'x' }

describe('security: a credential', () => {
  it('calls the tools that its scopes name, and no others', async () => {
    const purse = await makePurse()
    const { bursar, authority } = purse
    const { agent_id: agentId, credential_id } = await addAgent(bursar, authority, 'shopper')
    const caller = { ...purse.caller, agentId, credentialId: credential_id }
    const { instrument_id } = await makeCard({ ...purse, caller })
    const args: Record<string, object> = {
      check_budget: {},
      request_instrument: CARD,
      get_request: { request_id: 'req_none' },
      pay_with_instrument: { instrument_id, ...BUY },
      fetch_with_payment: { instrument_id, url: 'https://a.example', max_amount: '1.00', purpose: 'x' },
      get_payment: { payment_id: 'pay_none' },
      list_payments: {},
      cancel: { id: 'pay_none' },
    }
    expect(Object.keys(args).toSorted()).toEqual(TOOLS.map(({ name }) => name).toSorted())
    for (const scope of new Set(Object.values(SCOPE))) {
      const narrow = await addCredential(bursar, authority, agentId, { scopes: [scope] })
      const host = await connect(purse, 'legacy', {
        deps: { caller: { ...caller, credentialId: narrow.credential_id } },
      })
      for (const { name, effect } of TOOLS) {
        const { content } = await host.call(name, args[name] as object)
        const missing = content[0]?.text.startsWith('scope_missing: ')
        expect([scope, name, missing]).toEqual([scope, name, SCOPE[effect] !== scope])
      }
      await host.close()
    }
  })

  it('that an access token narrows calls no more than the token allows', async () => {
    const purse = await makePurse()
    const { agent_id: agentId, credential_id } = await addAgent(purse.bursar, purse.authority, 'shopper')
    const narrowed = { scopes: ['bursar:read'] as const, until: null }
    const caller = { ...purse.caller, agentId, credentialId: credential_id, narrowed }
    const host = await connect(purse, 'modern', { deps: { caller } })
    expect((await host.call('check_budget', {})).isError).not.toBe(true)
    expect((await host.call('request_instrument', CARD)).structuredContent).toMatchObject({
      refusal: { code: 'scope_missing' },
    })
    await host.close()
  })

  it('that ends while its host is connected reads nothing any more', async () => {
    const purse = await makePurse()
    const { agent_id: agentId, credential_id } = await addAgent(purse.bursar, purse.authority, 'shopper')
    const host = await connect(purse, 'legacy', {
      deps: { caller: { ...purse.caller, agentId, credentialId: credential_id } },
    })
    const read = () => host.raw.readResource({ uri: 'bursar://wallets' })
    expect((await host.call('check_budget', {})).isError).not.toBe(true)
    expect((await read()).contents).toHaveLength(1)
    await revokeCredential(purse.bursar, purse.authority, credential_id)
    expect(await host.call('check_budget', {})).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^spending_frozen: The agent's credential has ended\. /) }],
    })
    await expect(read()).rejects.toThrow('spending_frozen')
    await host.close()
  })
})
