import { expect, it, onTestFinished } from 'vitest'
import { homeWithWallet, startScene } from '../cli/chain-fixture.ts'
import { owner } from '../cli/fixture.ts'
import { CLIENTS, startHost } from './host.ts'

const SHOP = '0x1111111111111111111111111111111111111111'
const STRANGER = '0x2222222222222222222222222222222222222222'

it.each(CLIENTS)('a %s client pays USDC to an address, and no other', { timeout: 120_000 }, async (kind) => {
  const scene = await startScene()
  onTestFinished(() => scene.stop())
  const { chain } = scene
  const { home, account, relayer } = await homeWithWallet(scene)
  await chain.give(relayer, 10n ** 18n)
  await owner(home, 'wallet', 'fund', 'shopping')
  await chain.mint(account, 80_000_000n)
  expect(await owner(home, 'wallet', 'fund', 'shopping')).toMatchObject({ available_amount: '80.000000' })

  const host = await startHost(kind, 'form', home)
  onTestFinished(() => host.close())
  const { structuredContent: request } = await host.call('request_instrument', {
    ...{ type: 'usdc', amount: '60.00', currency: 'USDC', usage_limit: 2, expires_in: '1d', purpose: 'Weather data' },
    constraints: { addresses: [SHOP], networks: [chain.network] },
  })
  expect(request.status).toBe('approved')
  expect(host.asked.at(-1)).toContain(SHOP)

  const { instrument_id } = request.instrument
  const pay = async (payee: object, amount: string, purpose: string) =>
    (await host.call('pay_with_instrument', { instrument_id, amount, purpose, payee })).structuredContent
  const paid = await pay({ address: SHOP }, '12.50', 'March')
  expect(paid).toMatchObject({ status: 'captured', amount: '12.500000', instrument: { usage_consumed: 1 } })
  expect(await pay({ address: `${chain.network}:${SHOP}` }, '12.5', 'March')).toMatchObject({
    payment_id: paid.payment_id,
    replayed: true,
  })
  expect(await pay({ address: STRANGER }, '1.00', 'April')).toMatchObject({
    status: 'refused',
    refusal: { code: 'address_not_allowed', rule: 'instrument.constraints.addresses' },
  })
  expect(await pay({ name: 'Acme' }, '1.00', 'May')).toMatchObject({ refusal: { code: 'argument_invalid' } })

  expect(await chain.publicClient.getTransactionReceipt({ hash: paid.receipt.rail_ref })).toMatchObject({
    status: 'success',
  })
  expect([await chain.balance(SHOP), await chain.balance(account)]).toEqual([12_500_000n, 67_500_000n])
  expect(await owner(home, 'wallet', 'reconcile', 'shopping')).toMatchObject({ chain: '67.500000', books: '67.500000' })
  expect(await owner(home, 'journal', 'verify')).toMatchObject({ ok: true, problems: [] })
})
