import { describe, expect, it } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { revokeAgent } from '../../src/actions/owner/agents.ts'
import { freezeAll, freezeWallet, revokeInstrument } from '../../src/actions/owner/freeze.ts'
import { recover } from '../../src/actions/recover.ts'
import type { InstrumentView } from '../../src/actions/wire.ts'
import { sendBefore } from '../../src/core/payment.ts'
import type { Payment } from '../../src/core/types.ts'
import { balances, buy, makeCard, makePurse, type Purse, SHOP } from '../support/purse.ts'

const LOST = { payee: { ...SHOP, name: 'Bursar Test: Lost Request' } }

const STOPS: Record<string, (purse: Purse, card: InstrumentView) => Promise<unknown>> = {
  'all spending': ({ bursar, authority }) => freezeAll(bursar, authority),
  'the wallet': ({ bursar, authority, walletId }) => freezeWallet(bursar, authority, walletId),
  'the agent': ({ bursar, authority, caller }) => revokeAgent(bursar, authority, caller.agentId),
  'the card': ({ bursar, authority }, card) => revokeInstrument(bursar, authority, card.instrument_id),
}

describe('security: once the owner has stopped', () => {
  it.each(Object.keys(STOPS))('%s, recovery begins no payment that never reached the rail', async (what) => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const { payment_id: id, status } = await buy(purse, card, '80.00', LOST)
    expect(status).toBe('in_doubt')
    await STOPS[what]?.(purse, card)
    await recover(purse.bursar)
    const now = async (): Promise<Payment> => (await purse.bursar.store.read.one('payments', { id })) as Payment
    expect(await now()).toMatchObject({ status: 'in_doubt', held: 8_000n })
    // Once the rail must refuse to begin it, that it is not there is the proof that it never will be.
    purse.time.now = sendBefore('virtual_card', purse.time.now) + 1
    await recover(purse.bursar)
    expect(await now()).toMatchObject({ status: 'voided', held: 0n, refusal: { code: 'spending_frozen' } })
    expect(await balances(purse)).toMatchObject({ available: 100_000n, held: 0n })
  })

  it('a card that the rail has not made yet, none is made for it', async () => {
    const purse = await makePurse()
    const provisioned: string[] = []
    const rail = purse.bursar.rails.virtual_card!
    let away = true
    const bursar = {
      ...purse.bursar,
      rails: {
        virtual_card: {
          ...rail,
          provision: async (terms: Parameters<typeof rail.provision>[0]) => {
            if (away) throw new Error('away')
            provisioned.push(terms.instrumentId)
            return rail.provision(terms)
          },
        },
      },
    }
    const card = await makeCard({ ...purse, bursar })
    const input = { instrument_id: card.instrument_id, amount: '10.00', payee: SHOP, purpose: 'x' }
    const { payment_id: id } = await pay(bursar, purse.caller, input)
    await revokeInstrument(bursar, purse.authority, card.instrument_id)
    away = false
    await recover(bursar)
    expect(provisioned).toEqual([])
    expect(await bursar.store.read.one('payments', { id })).toMatchObject({ status: 'in_doubt' })
  })
})
