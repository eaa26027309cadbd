import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, startChain } from '../support/chain.ts'
import { makeInstrument, send } from '../support/chain-purse.ts'
import { counted, makeScene, ruleOf, signed } from './scene.ts'
import { contractWith, stranger } from './transfers.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

const balance = (address: string) => chain.balance(address as `0x${string}`)
const account = (address: string) => `${chain.network}:${address}`

describe('an address', () => {
  it.each<[string, (address: string) => string]>([
    ['with its checksum', (address) => address],
    ['in lower case', (address) => address.toLowerCase()],
    ['in upper case', (address) => `0x${address.slice(2).toUpperCase()}`],
    ['as a CAIP-10 id', (address) => account(address)],
    ['as a CAIP-10 id in lower case', (address) => account(address.toLowerCase())],
  ])('%s is paid, with the hash of the transaction as receipt', async (_, write) => {
    const scene = await makeScene(chain)
    const shop = stranger().address
    const paid = await scene.pay(write(shop), '25.50')
    expect([paid.status, paid.payee.address, paid.payee.network]).toEqual(['captured', shop, chain.network])
    const receipt = await chain.publicClient.getTransactionReceipt({ hash: paid.receipt?.rail_ref as `0x${string}` })
    expect([receipt.status, await balance(shop)]).toEqual(['success', 25_500_000n])
  })

  it('security: is one payee however it is written: the same purchase is paid once', async () => {
    const scene = await makeScene(chain)
    const shop = stranger().address
    const { payment_id } = await scene.pay(shop, '25.50', { purpose: 'A book' })
    for (const to of [shop, shop.toLowerCase(), account(shop)]) {
      const again = await scene.pay(to, '25.5', { purpose: 'A book' })
      expect([again.payment_id, again.replayed]).toEqual([payment_id, true])
    }
    for (const payee of [
      { address: shop, network: chain.network },
      { address: shop, name: 'Another name for it' },
    ])
      expect((await scene.pay(shop, '25.50', { payee, purpose: 'A book' })).payment_id).toBe(payment_id)
    expect([await balance(shop), (await signed(scene)).length]).toEqual([25_500_000n, 1])
  })

  it.each<[string, (shop: string) => object, string, string]>([
    ['with a wrong checksum', (shop) => ({ address: mistyped(shop) }), 'argument_invalid', 'arguments'],
    ['that is too short', (shop) => ({ address: shop.slice(0, -1) }), 'argument_invalid', 'arguments'],
    ['of nobody', () => ({ address: `0x${'0'.repeat(40)}` }), 'argument_invalid', 'arguments'],
    ['that is missing', () => ({ name: 'Shop' }), 'argument_invalid', 'arguments'],
    ['that is a name', () => ({ address: 'shop.eth' }), 'argument_invalid', 'arguments'],
    ['on two networks', (shop) => two(shop), 'argument_invalid', 'arguments'],
    ['on another network', (shop) => ({ address: `eip155:1:${shop}` }), 'network_not_allowed', 'wallet.asset'],
    ['on another named network', (shop) => elsewhere(shop), 'network_not_allowed', 'wallet.asset'],
    ['with a number that is longer', (shop) => ({ address: `eip155:031337:${shop}` }), 'argument_invalid', 'arguments'],
    ['of the token', () => ({ address: chain.token.toLowerCase() }), 'address_not_allowed', 'wallet.asset'],
  ])('security: %s is paid nothing, and nothing is signed for it', async (_, payee, code, rule) => {
    const scene = await makeScene(chain)
    const paid = await scene.pay('', '25.50', { payee: payee(stranger().address) })
    expect(ruleOf(paid)).toEqual(['refused', code, rule])
    expect([await signed(scene), await counted(scene, 'payment.refused')]).toEqual([[], 1])
  })

  it.each(['as it is', 'in lower case'])(
    "security: of the wallet itself, %s, is not the wallet's payee",
    async (how) => {
      const scene = await makeScene(chain)
      const { address } = scene.purse
      const paid = await scene.pay(how === 'as it is' ? address : address.toLowerCase(), '25.50')
      expect(ruleOf(paid)).toEqual(['refused', 'address_not_allowed', 'wallet.account'])
      expect(await signed(scene)).toEqual([])
    },
  )

  it('of a contract is paid', async () => {
    const scene = await makeScene(chain)
    // It would revert if it were called.
    const contract = await contractWith(chain, '0xfe')
    expect((await scene.pay(contract, '1.00')).status).toBe('captured')
    expect(await balance(contract)).toBe(1_000_000n)
  })

  it('security: a name beside it decides nothing: constraints and limits look at the address', async () => {
    const [shop, other] = [stranger().address, stranger().address]
    const scene = await makeScene(chain, { terms: { constraints: { addresses: [shop] } } })
    const wrong = await scene.pay('', '1.00', { payee: { address: other, name: shop } })
    expect(ruleOf(wrong)).toEqual(['refused', 'address_not_allowed', 'instrument.constraints.addresses'])
    const paid = await scene.pay('', '1.00', { payee: { address: shop, name: 'Anything\u202e at all' } })
    expect([paid.status, paid.payee.name]).toEqual(['captured', 'Anything at all'])
    expect([await balance(shop), await balance(other)]).toEqual([1_000_000n, 0n])
  })
})

describe('an instrument', () => {
  it('security: that is held to addresses pays these, however they were written, and no other', async () => {
    const [one, two, three] = [stranger().address, stranger().address, stranger().address]
    const constraints = { addresses: [one.toLowerCase(), account(two)] }
    const scene = await makeScene(chain, { terms: { constraints } })
    expect(scene.inst.constraints).toEqual({ addresses: [account(one), account(two)] })
    expect((await scene.pay(one, '1.00')).status).toBe('captured')
    expect((await scene.pay(two.toLowerCase(), '1.00')).status).toBe('captured')
    const wrong = await scene.pay(three, '1.00')
    expect(ruleOf(wrong)).toEqual(['refused', 'address_not_allowed', 'instrument.constraints.addresses'])
    expect(await signed(scene)).toHaveLength(2)
  })

  it("security: that is held to another network's account of the same address does not pay this one", async () => {
    const [shop, here] = [stranger().address, stranger().address]
    const constraints = { addresses: [`eip155:8453:${shop}`, account(here)] }
    const scene = await makeScene(chain, { terms: { constraints } })
    const paid = await scene.pay(shop, '1.00')
    expect(ruleOf(paid)).toEqual(['refused', 'address_not_allowed', 'instrument.constraints.addresses'])
    expect((await scene.pay(here, '1.00')).status).toBe('captured')
  })

  it('security: that is held to x402 makes no transfer, and one that is held to transfers does', async () => {
    const scene = await makeScene(chain, { terms: { constraints: { protocols: ['x402'] } } })
    const refused = await scene.pay(stranger().address, '1.00')
    expect(ruleOf(refused)).toEqual(['refused', 'protocol_not_allowed', 'instrument.constraints.protocols'])
    expect(await signed(scene)).toEqual([])
    const transfers = await makeInstrument(scene.purse, { constraints: { protocols: ['transfer'] } })
    expect((await send(scene.purse, transfers, stranger().address, '1.00')).status).toBe('captured')
  })

  it('that is held to this network pays on it', async () => {
    const scene = await makeScene(chain, { terms: { constraints: { networks: [chain.network, 'eip155:8453'] } } })
    expect((await scene.pay(stranger().address, '1.00')).status).toBe('captured')
  })

  it.each([
    ['merchant_categories', ['software'], 'argument_invalid'],
    ['payees', ['Acme'], 'argument_invalid'],
    ['countries', ['US'], 'argument_invalid'],
    ['networks', ['eip155:8453'], 'currency_mismatch'],
    ['networks', ['base'], 'currency_mismatch'],
    ['addresses', ['eip155:8453:0x1111111111111111111111111111111111111111'], 'currency_mismatch'],
    ['addresses', [`0x${'0'.repeat(40)}`], 'argument_invalid'],
    ['addresses', ['0x52908400098527886E0F7030069857D2E4169Ee7'], 'argument_invalid'],
  ])('security: is not made with %s of %j, to which no chain could hold it', async (name, values, code) => {
    const scene = await makeScene(chain)
    const asked = makeInstrument(scene.purse, { constraints: { [name]: values } })
    await expect(asked).rejects.toMatchObject({ code })
  })

  it.each([
    [{ currency: 'USD' }, 'currency_mismatch'],
    [{ currency: 'usdc' }, 'currency_mismatch'],
    [{ type: 'virtual_card' }, 'argument_invalid'],
    [{ amount: '1.1234567' }, 'amount_invalid'],
    [{ amount: '0' }, 'amount_invalid'],
  ])('is not made of %j', async (terms, code) => {
    const scene = await makeScene(chain)
    await expect(makeInstrument(scene.purse, terms)).rejects.toMatchObject({ code })
  })
})

/** Another letter of it is in the other case. */
function mistyped(address: string): string {
  const at = address.search(/(?!^)[a-fA-F]/)
  const letter = address.charAt(at)
  const swapped = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()
  return address.slice(0, at) + swapped + address.slice(at + 1)
}

function two(address: string): object {
  return { address: account(address), network: 'eip155:8453' }
}

function elsewhere(address: string): object {
  return { address, network: 'eip155:8453' }
}
