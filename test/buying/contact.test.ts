import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { addAgent, revokeAgent } from '../../src/actions/owner/agents.ts'
import { freezeAll, freezeInstrument, freezeWallet, revokeInstrument } from '../../src/actions/owner/freeze.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import { clock, later } from '../chain/scene.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { makeInstrument } from '../support/chain-purse.ts'
import { attempts, expectRefused, openSeller } from './seller.ts'
import { buy, makeShop, type Shop } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

describe('security: nobody is contacted', () => {
  /** What was done before the call, and what it is refused for. */
  it.each<[string, (shop: Shop) => Promise<unknown>, string, string]>([
    [
      'everything is frozen',
      ({ purse }) => freezeAll(purse.bursar, purse.authority),
      'spending_frozen',
      'instance.frozen',
    ],
    [
      'the wallet is frozen',
      ({ purse }) => freezeWallet(purse.bursar, purse.authority, purse.wallet.id),
      ...(['spending_frozen', 'wallet.status'] as const),
    ],
    [
      'the agent was revoked',
      ({ purse }) => revokeAgent(purse.bursar, purse.authority, purse.caller.agentId),
      ...(['spending_frozen', 'agent.status'] as const),
    ],
    [
      'the instrument is frozen',
      ({ purse, inst }) => freezeInstrument(purse.bursar, purse.authority, inst.instrument_id),
      ...(['instrument_frozen', 'instrument.status'] as const),
    ],
    [
      'the instrument was revoked',
      ({ purse, inst }) => revokeInstrument(purse.bursar, purse.authority, inst.instrument_id),
      ...(['instrument_revoked', 'instrument.status'] as const),
    ],
    [
      'the instrument has expired',
      async () => later(31 * 24 * 60 * 60),
      ...(['instrument_expired', 'instrument.expires_at'] as const),
    ],
  ])('while %s', async (_, stop, code, rule) => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    await stop(shop)
    await expectRefused(shop, await shop.fetch(stall.url), code, rule)
    // Not for a price either, which goes on no record.
    expect(await shop.fetch(stall.url, { max_amount: '0' })).toMatchObject({ refusal: { code, rule } })
    expect([stall.requests, await attempts(shop)]).toEqual([[], 1])
  })

  it('with an instrument that there is not', async () => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    for (const instrument_id of ['inst_nothing', shop.purse.bursar.ids.make('instrument')])
      await expectRefused(shop, await shop.fetch(stall.url, { instrument_id }), 'not_found', 'instrument_id')
    expect(stall.requests).toEqual([])
  })

  it("with another agent's instrument", async () => {
    const [shop, { stall }] = [await makeShop(chain), await openSeller(chain)]
    const { bursar, authority, caller } = shop.purse
    const { agent_id: agentId } = await addAgent(bursar, authority, 'other')
    const input = { instrument_id: shop.inst.instrument_id, url: stall.url, max_amount: '1.00', purpose: 'Theft' }
    const view = await fetchWithPayment(bursar, { ...caller, agentId }, input)
    await expectRefused(shop, view, 'not_found', 'instrument_id')
    expect([view.payment?.agent_id, stall.requests]).toEqual([agentId, []])
  })

  it('with a card', async () => {
    const shop = await makeShop(chain)
    const sandbox = await sandboxIssuer({ path: join(shop.folder, 'issuer.db'), clock })
    onTestFinished(() => sandbox.close())
    const rails = { ...shop.purse.bursar.rails, virtual_card: cardRail(sandbox.issuer, sandbox.network) }
    const purse = { ...shop.purse, bursar: { ...shop.purse.bursar, rails } }
    const card = await makeInstrument(purse, { type: 'virtual_card', currency: 'USD', amount: '10.00' })
    const { payment } = await buy({ purse, inst: card }, 'https://seller.invalid/report')
    const rule = 'instrument.constraints.protocols'
    expect(payment?.refusal).toMatchObject({ code: 'protocol_not_allowed', rule })
  })
})
