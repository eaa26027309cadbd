import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Chain, startChain } from '../support/chain.ts'
import { bothBooks, fundChainPurse, makeInstrument, openChainPurse, send, UNIT } from '../support/chain-purse.ts'
import { temporaryFolder } from '../support/purse.ts'

const SHOP = '0x1111111111111111111111111111111111111111'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.stop())

it('a payment is on the chain when it is captured, and both books say the same', async () => {
  const purse = await openChainPurse(temporaryFolder(), chain)
  await fundChainPurse(purse, chain, 1000n * UNIT)
  const paid = await send(purse, await makeInstrument(purse), SHOP, '25.50')
  expect(paid).toMatchObject({ status: 'captured', captured_amount: '25.500000' })
  const hash = paid.receipt?.rail_ref as `0x${string}`
  expect(await chain.publicClient.getTransactionReceipt({ hash })).toMatchObject({ status: 'success' })
  expect(await chain.balance(SHOP)).toBe(25_500_000n)
  expect(await bothBooks(purse, chain)).toEqual({ chain: 974_500_000n, books: 974_500_000n })
  await purse.close()
})
