import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freezeAll, unfreezeAll } from '../../src/actions/owner/freeze.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { UNIT } from '../support/chain-purse.ts'
import { expectGivenBack, makeScene, pass, ruleOf, type Scene, type SceneOptions, signed } from './scene.ts'
import { stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

describe('security: what could not be signed in time', () => {
  it('is not signed any more', async () => {
    const scene = await makeScene(chain, { impatient: true, reads: downUntil(() => isDown) })
    let isDown = true
    const paid = await scene.pay(stranger().address, '25.00')
    expect([paid.status, await signed(scene)]).toEqual(['in_doubt', []])
    await pass(chain, 301)
    isDown = false
    await scene.recover()
    expect(ruleOf(await scene.get(paid))).toEqual(['voided', 'rail_declined', 'chain.authorization_expired'])
    expect(await signed(scene)).toEqual([])
    await expectGivenBack(scene)

    function downUntil(down: () => boolean): NonNullable<SceneOptions['reads']> {
      return (reads) => ({
        ...reads,
        wouldMove: (authorization) => (down() ? Promise.reject(new Error('down')) : reads.wouldMove(authorization)),
      })
    }
  })
})

describe('security: what is stopped', () => {
  it.each(['before', 'after'])(
    'just %s its key signs is not sent, and is given back when it is too late',
    async (when) => {
      const stop = ({ purse }: Scene) => freezeAll(purse.bursar, { ownerId: purse.authority.ownerId, channel: 'test' })
      const made: Promise<Scene> = makeScene(chain, {
        impatient: true,
        vault: (vault) => ({
          ...vault,
          async payer(account) {
            const payer = await vault.payer(account)
            return {
              async sign(data, paymentId) {
                if (when === 'before') await stop(await made)
                const signature = await payer.sign(data, paymentId)
                if (when === 'after') await stop(await made)
                return signature
              },
            }
          },
        }),
      })
      const scene = await made
      const paid = await scene.pay(stranger().address, '25.00')
      expect([paid.status, await signed(scene)]).toEqual(['in_doubt', []])
      await scene.recover()
      expect([(await scene.get(paid)).status, (await scene.row(paid)).held]).toEqual(['in_doubt', 25n * UNIT])
      await pass(chain, 301)
      expect(ruleOf(await scene.settle(paid))).toEqual(['voided', 'spending_frozen', 'payment.valid_until'])
      expect(await signed(scene)).toEqual([])
      await unfreezeAll(scene.purse.bursar, scene.purse.authority)
      await expectGivenBack(scene)
    },
  )
})
