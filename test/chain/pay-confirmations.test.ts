import type { Address } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setConfirmations } from '../../src/actions/owner/chain.ts'
import type { Transfer } from '../../src/core/types.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { counted, lastEvent, makeScene, pass, ruleOf, signed } from './scene.ts'
import { cancel, stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

const balance = (address: string) => chain.balance(address as Address)

describe('security: a transfer counts', () => {
  const TIERS = [
    { up_to: '10.00', at: 'one_block' },
    { up_to: '20.00', at: 'safe' },
    { up_to: null, at: 'finalized' },
  ]

  it.each([
    ['10.00', 'one block', 0],
    ['10.000001', 'the safe block', 1],
    ['20.00', 'the safe block', 1],
    ['20.000001', 'the finalized block', 2],
  ])('of %s from %s on, and not before', async (amount, _, blocks) => {
    const scene = await makeScene(chain, { impatient: true, confirmations: TIERS })
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, amount)
    expect(paid.status).toBe('in_doubt')
    await chain.mine()
    for (let block = 0; block < blocks; block += 1) {
      await scene.recover()
      expect([block, (await scene.get(paid)).status]).toEqual([block, 'in_doubt'])
      expect(await lastEvent(scene, 'payment.in_doubt')).toEqual({ reason: 'unconfirmed' })
      expect((await scene.row(paid)).held).toBe((await scene.row(paid)).amount)
      await chain.mine()
    }
    await scene.recover()
    expect((await scene.get(paid)).status).toBe('captured')
    // Whatever counts at once is followed until no reorganization can take it back.
    expect((await signed(scene))[0]?.status).toBe(blocks === 2 ? 'final' : 'open')
    await chain.mine(3)
    await scene.recover()
    expect((await signed(scene))[0]?.status).toBe('final')
  })

  it('within the call, where the chain is quick enough', async () => {
    const scene = await makeScene(chain, { confirmations: [{ up_to: null, at: 'finalized' }] })
    const paying = scene.pay(stranger().address, '25.00')
    const mining = setInterval(() => void chain.mine(), 50)
    try {
      expect((await paying).status).toBe('captured')
    } finally {
      clearInterval(mining)
    }
  })

  it('by the policy of now: a stricter one holds for what is on its way', async () => {
    const scene = await makeScene(chain, { impatient: true })
    const { bursar, authority, wallet } = scene.purse
    await chain.automine(false)
    const paid = await scene.pay(stranger().address, '25.00')
    await setConfirmations(bursar, authority, wallet.id, [{ up_to: null, at: 'finalized' }])
    await chain.mine(2)
    await scene.recover()
    expect((await scene.get(paid)).status).toBe('in_doubt')
    await chain.mine(1)
    await scene.recover()
    expect((await scene.get(paid)).status).toBe('captured')
  })

  it.each([
    [[]],
    [[{ up_to: '10.00', at: 'one_block' }]],
    [[{ up_to: null, at: 'soon' }]],
    [
      [
        { up_to: null, at: 'finalized' },
        { up_to: '10.00', at: 'one_block' },
      ],
    ],
    [
      [
        { up_to: '10.00', at: 'one_block' },
        { up_to: '10.00', at: 'safe' },
        { up_to: null, at: 'safe' },
      ],
    ],
  ])('never by a policy that says nothing of some amount: %j', async (tiers) => {
    const { purse } = await makeScene(chain)
    const set = setConfirmations(purse.bursar, purse.authority, purse.wallet.id, tiers)
    await expect(set).rejects.toMatchObject({ code: 'argument_invalid' })
  })
})

describe('security: an authorization that somebody with the key cancels', () => {
  it('is void when a finalized block is past its end, and not before', async () => {
    const scene = await makeScene(chain, { impatient: true })
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    await chain.dropPending()
    await chain.automine()
    await cancel(chain, { ...((await signed(scene))[0] as Transfer), payer: scene.payer })
    await chain.mine(3)
    await scene.recover()
    expect([(await scene.get(paid)).status, (await scene.row(paid)).held]).toEqual(['in_doubt', 25n * UNIT])
    await pass(chain, 301)
    await scene.recover()
    expect(ruleOf(await scene.get(paid))).toEqual(['voided', 'rail_declined', 'chain.authorization_unused'])
    expect([await balance(shop), await counted(scene, 'payment.voided')]).toEqual([0n, 1])
    expect(await lastEvent(scene, 'wallet.frozen')).toBe(null)
  })
})
