import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { setLimit } from '../../src/actions/owner/limit.ts'
import { createWallet, setApprovals } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import { reconcile } from '../../src/actions/transfer/reconcile.ts'
import { addressOf } from '../../src/core/account.ts'
import type { TypedData } from '../../src/core/transfer.ts'
import type { Vault } from '../../src/ports/chain.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { makeInstrument, send, UNIT, USDC_TERMS } from '../support/chain-purse.ts'
import { collected } from '../support/collected.ts'
import { makeScene, ruleOf, type Scene, signed, yes } from './scene.ts'
import { stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

const balance = (address: string) => chain.balance(address as `0x${string}`)

/** Another address with the same first and last four digits. */
function alike(address: string): string {
  const { address: other } = stranger()
  return addressOf(`0x${address.slice(2, 6)}${other.slice(6, -4)}${address.slice(-4)}`.toLowerCase())
}

/** A scene in which a shop was paid once, and an address that looks like the shop's. */
async function paidBefore(options = {}): Promise<{ scene: Scene; shop: string; thief: string }> {
  const scene = await makeScene(chain, options)
  const shop = stranger().address
  expect((await scene.pay(shop, '10.00')).status).toBe('captured')
  return { scene, shop, thief: alike(shop) }
}

describe('security: an address that looks like one that was paid', () => {
  it.each<[string, (address: string) => string]>([
    ['with its checksum', (address) => address],
    ['in lower case', (address) => address.toLowerCase()],
    ['in upper case', (address) => `0x${address.slice(2).toUpperCase()}`],
    ['as a CAIP-10 id', (address) => `${chain.network}:${address.toLowerCase()}`],
  ])('%s waits for a human, who sees both addresses whole', async (_, write) => {
    const { scene, shop, thief } = await paidBefore()
    const asked = await scene.pay(write(thief), '0.01')
    expect([asked.status, (await signed(scene)).length]).toEqual(['awaiting_approval', 1])
    expect(await ruleInEvent(scene, asked.payment_id)).toBe('payee.look_alike')
    const facts = new Map((await question(scene.purse.bursar, asked.payment_id)).facts)
    expect(facts.get('Pays')).toBe(`${thief} (for the first time)`)
    expect(facts.get('Beware')).toContain(shop)
    expect(await balance(thief)).toBe(0n)
  })

  it('is paid after the yes, and is known from then on', async () => {
    const { scene, thief } = await paidBefore()
    const asked = await scene.pay(thief, '1.00')
    expect((await yes(scene, asked)).status).toBe('captured')
    expect((await scene.pay(thief, '1.00')).status).toBe('captured')
    expect(await balance(thief)).toBe(2_000_000n)
  })

  it('is not known by having been asked about, refused or not paid', async () => {
    const { scene, thief } = await paidBefore()
    await scene.pay(thief, '1.00')
    await chain.blacklist(thief as `0x${string}`)
    const asked = await scene.pay(thief, '2.00')
    expect((await yes(scene, asked)).refusal?.rule).toBe('chain.transfer_refused')
    await chain.blacklist(thief as `0x${string}`, false)
    expect((await scene.pay(thief, '3.00')).status).toBe('awaiting_approval')
    expect(await balance(thief)).toBe(0n)
  })

  it('waits with every instrument of the wallet but one that was approved for this very address', async () => {
    const { scene, thief } = await paidBefore()
    const { purse } = scene
    const plain = await makeInstrument(purse)
    const other = await makeInstrument(purse, { constraints: { addresses: [stranger().address, alike(thief)] } })
    const exact = await makeInstrument(purse, { constraints: { addresses: [thief.toLowerCase()] } })
    expect((await send(purse, plain, thief, '1.00')).status).toBe('awaiting_approval')
    expect((await send(purse, other, thief, '1.00')).refusal?.code).toBe('address_not_allowed')
    expect((await send(purse, exact, thief, '1.00')).status).toBe('captured')
  })

  it('needs a human to be named by an instrument, though the policy takes a yes from nobody', async () => {
    const { scene, shop, thief } = await paidBefore()
    const { bursar, authority, caller, wallet } = scene.purse
    await setApprovals(bursar, authority, wallet.id, [{ up_to: null, assurance: 'none' }])
    const ask = (addresses: string[]) =>
      requestInstrument(bursar, caller, { ...USDC_TERMS, constraints: { addresses } })
    expect(await ask([shop, stranger().address])).toMatchObject({ status: 'approved' })
    expect(await ask([shop, thief])).toMatchObject({ status: 'pending', approval: { needs: 'host' } })
  })

  it('waits for the strictest reason first: over a limit that asks, the limit is the rule', async () => {
    const { scene, thief } = await paidBefore()
    const asked = await scene.pay(thief, '120.00')
    expect(await ruleInEvent(scene, asked.payment_id)).toMatch(/^lim_/)
    expect(new Map((await question(scene.purse.bursar, asked.payment_id)).facts).has('Beware')).toBe(true)
  })

  it('is refused where a limit denies, though a human said yes', async () => {
    const { scene, thief } = await paidBefore()
    const { bursar, authority, wallet } = scene.purse
    const asked = await scene.pay(thief, '20.00')
    const rule = { scope: 'wallet', window: 'day', max_amount: '29.99', over: 'deny' }
    const { limit_id } = await setLimit(bursar, authority, wallet.id, rule)
    expect(ruleOf(await yes(scene, asked))).toEqual(['denied', 'limit_exceeded', limit_id])
  })
})

describe('an address that shares', () => {
  it.each<[string, (address: string) => string]>([
    ['the first digits alone', (address) => `0x${address.slice(2, 6)}${stranger().address.slice(6)}`.toLowerCase()],
    ['the last digits alone', (address) => `${stranger().address.slice(0, -4)}${address.slice(-4)}`.toLowerCase()],
  ])('%s does not look alike', async (_, make) => {
    const { scene, shop } = await paidBefore()
    expect((await scene.pay(make(shop), '1.00')).status).toBe('captured')
  })

  it('both with one that was only asked about, and never paid, does not look alike', async () => {
    const scene = await makeScene(chain)
    const shop = stranger().address
    expect((await scene.pay(shop, '120.00')).status).toBe('awaiting_approval')
    expect((await scene.pay(alike(shop), '1.00')).status).toBe('captured')
  })
})

describe('security: another wallet', () => {
  it('has paid others: what looks like a payee of this one is nobody there', async () => {
    const { scene, inst } = await withSecond()
    const { shop, thief } = await paidIn(scene)
    expect((await send(scene.purse, inst, thief, '1.00')).status).toBe('captured')
    expect(await balance(thief)).toBe(1_000_000n)
    const asked = await scene.pay(thief, '1.00')
    expect(await ruleInEvent(scene, asked.payment_id)).toBe('payee.look_alike')
    // That the agent paid it elsewhere makes it no more familiar here.
    expect(new Map((await question(scene.purse.bursar, asked.payment_id)).facts).get('Beware')).toContain(shop)
  })

  it('an instrument for the look-alike itself is approved by a human who was warned', async () => {
    const { scene, shop, thief } = await paidBefore()
    const { bursar, caller } = scene.purse
    const terms = { ...USDC_TERMS, constraints: { addresses: [shop, thief] } }
    const { request_id } = await requestInstrument(bursar, caller, terms)
    const warnings = (await question(bursar, request_id)).facts.filter(([name]) => name === 'Beware')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.[1]).toMatch(new RegExp(`^${thief} .*${shop}`))
  })
})

async function paidIn(scene: Scene): Promise<{ shop: string; thief: string }> {
  const shop = stranger().address
  expect((await scene.pay(shop, '10.00')).status).toBe('captured')
  return { shop, thief: alike(shop) }
}

/** A scene with a second wallet of the same owner in the same tables, and an instrument of that one. */
async function withSecond() {
  const account = stranger()
  const sign = (data: TypedData) => account.signTypedData(data as Parameters<typeof account.signTypedData>[0])
  const payer = (vault: Vault): Vault['payer'] => {
    return async (id) => (id.endsWith(account.address) ? { sign } : vault.payer(id))
  }
  const scene = await makeScene(chain, { vault: (vault) => ({ ...vault, payer: payer(vault) }) })
  const { bursar, authority, network, caller, wallet } = scene.purse
  const place = { network, account: `${network.id}:${account.address}`, relayer: wallet.relayer! }
  const input = { name: 'second', currency: 'USDC', mode: 'sandbox', agentId: caller.agentId, chain: place }
  const { wallet_id } = await createWallet(bursar, authority, input)
  await chain.mint(account.address, 50n * UNIT)
  await chain.mine(3)
  await reconcile(bursar, wallet_id, true)
  const inst = await makeInstrument(scene.purse, { amount: '50.00' })
  expect(inst.wallet_id).toBe(wallet_id)
  return { scene, inst }
}

async function ruleInEvent({ purse }: Scene, paymentId: string): Promise<string | undefined> {
  const events = await collected(purse.bursar.store.read.events(purse.wallet.id))
  const asked = events.find(({ type, body }) => type === 'payment.awaiting_approval' && body!.includes(paymentId))
  return (JSON.parse(asked?.body ?? '{}') as { rule?: string }).rule
}
