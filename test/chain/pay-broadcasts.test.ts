import { type Address, type Hex, parseTransaction } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freezeInstrument, freezeWallet, revokeInstrument, unfreezeWallet } from '../../src/actions/owner/freeze.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Sent } from '../../src/rails/usdc/nodes.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { makeInstrument, send, UNIT } from '../support/chain-purse.ts'
import { broadcasts, later, makeScene, mempoolIsEmpty, pass, ruleOf, type Scene, signed } from './scene.ts'
import { stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterEach(() => chain.automine())
afterAll(() => chain.stop())

const balance = (address: string) => chain.balance(address as Address)
const GWEI = 1_000_000_000n

/** Nothing that its process sends gets to a node while `isDead`, as if it had died before it sent it. */
async function mortal(): Promise<{ scene: Scene; dead: (is: boolean) => void }> {
  let isDead = false
  const scene = await makeScene(chain, {
    impatient: true,
    reads: (reads) => ({ ...reads, send: (raw) => (isDead ? Promise.resolve<Sent>('taken') : reads.send(raw)) }),
  })
  const dead = (is: boolean): void => {
    isDead = is
  }
  return { scene, dead }
}

function owner({ purse }: Scene) {
  return { ownerId: purse.authority.ownerId, channel: 'test' }
}

describe('security: a transaction', () => {
  it('that the nodes forgot is sent again, the same bytes', async () => {
    const scene = await makeScene(chain, { impatient: true })
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    const [sent] = await broadcasts(scene)
    for (let times = 0; times < 3; times += 1) {
      await chain.dropPending()
      expect(await chain.rpc('eth_getTransactionByHash', [sent?.txHash])).toBe(null)
      await scene.recover()
      expect(await chain.rpc('eth_getRawTransactionByHash', [sent?.txHash])).toBe(sent?.raw)
    }
    await chain.automine()
    expect((await scene.settle(paid)).status).toBe('captured')
    expect([(await broadcasts(scene)).length, await balance(shop)]).toEqual([1, 25n * UNIT])
  })

  it('that costs too little by now is offered for more after a minute: once, under the same nonce', async () => {
    const scene = await makeScene(chain, { impatient: true })
    const shop = stranger().address
    await chain.automine(false)
    const paid = await scene.pay(shop, '25.00')
    await chain.dropPending()
    await chain.setNextBaseFee(1000n * GWEI)
    await chain.mine()
    await scene.recover()
    expect(await broadcasts(scene)).toHaveLength(1)
    later(61)
    for (let times = 0; times < 3; times += 1) await scene.recover()
    const [first, second, ...more] = await broadcasts(scene)
    expect([second?.relayerNonce, second?.paymentId, more]).toEqual([first?.relayerNonce, paid.payment_id, []])
    const [before, after] = [first, second].map((row) => parseTransaction(row?.raw as Hex))
    expect(after).toMatchObject({ data: before?.data, to: before?.to, gas: before?.gas, nonce: before?.nonce })
    for (const fee of ['maxFeePerGas', 'maxPriorityFeePerGas'] as const)
      expect((after?.[fee] ?? 0n) * 8n).toBeGreaterThanOrEqual((before?.[fee] ?? 0n) * 9n)
    await chain.automine()
    expect((await scene.settle(paid)).status).toBe('captured')
    expect(await balance(shop)).toBe(25n * UNIT)
    expect((await scene.get(paid)).receipt?.rail_ref).toBe(second?.txHash)
    await chain.setNextBaseFee(GWEI)
  })

  it('is repriced no more often than a payment may cost', async () => {
    const scene = await makeScene(chain, { impatient: true })
    await chain.automine(false)
    const paid = await scene.pay(stranger().address, '25.00')
    for (let minutes = 0; minutes < 4; minutes += 1) {
      await chain.dropPending()
      await chain.setNextBaseFee(10n ** BigInt(12 + minutes))
      await chain.mine()
      later(61)
      await scene.recover()
    }
    expect((await broadcasts(scene)).length).toBeLessThanOrEqual(5)
    expect(new Set((await broadcasts(scene)).map(({ relayerNonce }) => relayerNonce)).size).toBe(1)
    await chain.dropPending()
    await pass(chain, 301)
    await chain.setNextBaseFee(GWEI)
    await chain.mine()
    await chain.automine()
    expect(ruleOf(await scene.settle(paid))).toEqual(['voided', 'rail_declined', 'chain.authorization_unused'])
  })

  it('that a process stored and died before it sent it is sent by another', async () => {
    const { scene, dead } = await mortal()
    const shop = stranger().address
    dead(true)
    const paid = await scene.pay(shop, '25.00')
    expect([paid.status, (await broadcasts(scene)).length]).toEqual(['in_doubt', 1])
    const other = await scene.other({ reads: (reads) => reads })
    await recover(other.bursar)
    await mempoolIsEmpty(chain)
    expect(await balance(shop)).toBe(25n * UNIT)
    await recover(other.bursar)
    expect((await scene.get(paid)).status).toBe('captured')
    dead(false)
    expect(await broadcasts(scene)).toHaveLength(1)
  })

  it('behind such a gap gets through once another process closed it', async () => {
    const { scene, dead } = await mortal()
    const [first, second] = [stranger().address, stranger().address]
    dead(true)
    const lost = await scene.pay(first, '1.00')
    const other = await scene.other({ reads: (reads) => reads })
    const behind = await send({ ...scene.purse, bursar: other.bursar }, scene.inst, second, '2.00')
    expect([behind.status, await balance(second)]).toEqual(['in_doubt', 0n])
    expect((await broadcasts(scene)).map(({ relayerNonce }) => relayerNonce)).toEqual([0, 1])
    await recover(other.bursar)
    await mempoolIsEmpty(chain)
    await recover(other.bursar)
    expect([await balance(first), await balance(second)]).toEqual([UNIT, 2n * UNIT])
    expect([(await scene.get(lost)).status, (await scene.get(behind)).status]).toEqual(['captured', 'captured'])
    expect(await broadcasts(scene)).toHaveLength(2)
    dead(false)
  })
})

describe.each<[string, (scene: Scene) => Promise<unknown>, ((scene: Scene) => Promise<unknown>)?]>([
  [
    'the wallet is frozen',
    (scene) => freezeWallet(scene.purse.bursar, owner(scene), scene.purse.wallet.id),
    (scene) => unfreezeWallet(scene.purse.bursar, scene.purse.authority, scene.purse.wallet.id),
  ],
  ['the instrument is frozen', (scene) => freezeInstrument(scene.purse.bursar, owner(scene), scene.inst.instrument_id)],
  [
    'the instrument is revoked',
    (scene) => revokeInstrument(scene.purse.bursar, owner(scene), scene.inst.instrument_id),
  ],
])('security: when %s between storing and sending', (_, stop, undo) => {
  it('its nonce is used up empty, later payments go on, and it is void on proof', async () => {
    const { scene, dead } = await mortal()
    const [shop, next] = [stranger().address, stranger().address]
    dead(true)
    const stopped = await scene.pay(shop, '25.00')
    await stop(scene)
    dead(false)
    await scene.recover()
    const [first, empty, ...more] = await broadcasts(scene)
    expect([empty?.relayerNonce, empty?.paymentId, more]).toEqual([first?.relayerNonce, null, []])
    expect(parseTransaction(empty?.raw as Hex)).toMatchObject({ to: scene.purse.relayerAddress.toLowerCase() })
    expect([parseTransaction(empty?.raw as Hex).data, await balance(shop)]).toEqual([undefined, 0n])
    const goOn = async () => {
      const later = await send(scene.purse, await makeInstrument(scene.purse), next, '1.00')
      expect([(await scene.settle(later)).status, await balance(next)]).toEqual(['captured', UNIT])
    }
    if (!undo) await goOn()
    await pass(chain, 301)
    const ended = await scene.settle(stopped)
    expect([ended.status, ended.refusal?.rule]).toEqual(['voided', 'chain.authorization_unused'])
    await undo?.(scene)
    if (undo) await goOn()
    expect(await balance(shop)).toBe(0n)
  })
})

describe('security: what was stopped and let go again in time', () => {
  it('is paid once, under a nonce of its own', async () => {
    const { scene, dead } = await mortal()
    const shop = stranger().address
    dead(true)
    const paid = await scene.pay(shop, '25.00')
    await freezeWallet(scene.purse.bursar, owner(scene), scene.purse.wallet.id)
    dead(false)
    await scene.recover()
    await unfreezeWallet(scene.purse.bursar, scene.purse.authority, scene.purse.wallet.id)
    expect((await scene.settle(paid)).status).toBe('captured')
    expect((await broadcasts(scene)).map(({ paymentId }) => paymentId !== null)).toEqual([true, false, true])
    expect([(await signed(scene)).length, await balance(shop)]).toEqual([1, 25n * UNIT])
  })
})

describe('security: a relayer that somebody else uses too', () => {
  /** A transaction of the relayer's that is not in the books, with what nonce is next. */
  async function foreign({ purse }: Scene): Promise<void> {
    const from = purse.relayerAddress as Address
    await chain.rpc('anvil_impersonateAccount', [from])
    const hash = await chain.rpc<Hex>('eth_sendTransaction', [{ from, to: from, gas: '0x5208' }])
    await chain.rpc('anvil_stopImpersonatingAccount', [from])
    await chain.mine()
    await chain.publicClient.waitForTransactionReceipt({ hash })
  }

  it('before: goes on after its nonces', async () => {
    const scene = await makeScene(chain)
    for (let times = 0; times < 3; times += 1) await foreign(scene)
    expect((await scene.pay(stranger().address, '1.00')).status).toBe('captured')
    expect((await broadcasts(scene)).map(({ relayerNonce }) => relayerNonce)).toEqual([3])
  })

  it('between storing and sending: another nonce is taken, and it is paid once', async () => {
    const { scene, dead } = await mortal()
    const shop = stranger().address
    dead(true)
    const paid = await scene.pay(shop, '25.00')
    await foreign(scene)
    dead(false)
    expect((await scene.settle(paid)).status).toBe('captured')
    expect(await balance(shop)).toBe(25n * UNIT)
    expect((await broadcasts(scene)).map(({ relayerNonce }) => relayerNonce)).toEqual([0, 1])
    // What was held for the fee of the one that can never be taken is free when that is sure.
    later(601)
    await scene.recover()
    expect((await broadcasts(scene)).map(({ fee }) => fee === 0n)).toEqual([true, false])
  })
})
