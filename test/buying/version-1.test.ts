import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { getPayment } from '../../src/actions/agent/read.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { setAllowances } from '../../src/actions/owner/wallets.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Allowance } from '../../src/core/types.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { GOODS, UNITS } from '../sellers/goods.ts'
import { SPEAKS_V1, UNPAID_ANSWERS } from '../sellers/hostile/unpaid.ts'
import { type Behaviour, openStall, type Stall } from '../sellers/stall.ts'
import type { Chain } from '../support/chain.ts'
import { bothBooks, fundChainPurse, makeInstrument, UNIT } from '../support/chain-purse.ts'
import { temporaryFolder } from '../support/purse.ts'
import { openFujiPurse, startFuji } from './known-network.ts'
import { buy } from './shop.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startFuji()
})
afterAll(() => chain.stop())

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function makeFujiShop(allows: readonly Allowance[]) {
  const purse = await openFujiPurse(temporaryFolder(), chain)
  open.push(purse)
  await fundChainPurse(purse, chain, 10n * UNIT)
  await setAllowances(purse.bursar, purse.authority, purse.wallet.id, allows)
  return { purse, inst: await makeInstrument(purse, { amount: '10.00' }) }
}

async function opened(behaviour: Behaviour): Promise<Stall> {
  const stall = await openStall(behaviour, { chain })
  onTestFinished(() => stall.close())
  return stall
}

describe('a seller that speaks version 1', () => {
  it('is paid once, by what its own word for the amount says, and delivers', async () => {
    const [shop, stall] = [await makeFujiShop(['loopback', 'v1']), await opened(SPEAKS_V1)]
    const { answer, payment } = await buy(shop, stall.url)
    expect([answer?.body, payment?.amount]).toEqual([GOODS, '0.010000'])
    expect(stall.received.map(({ version, header }) => [version, header.length > 0])).toEqual([[1, true]])
    const { bursar, caller, wallet, publicKey } = shop.purse
    for (let tries = 0; tries < 3; tries += 1) await recover(bursar)
    expect(await getPayment(bursar, caller, payment!.payment_id)).toMatchObject({ status: 'captured' })
    expect(await chain.balance(stall.payTo)).toBe(UNITS)
    const { chain: holds, books } = await bothBooks(shop.purse, chain)
    expect([books, books]).toEqual([holds, 10n * UNIT - UNITS])
    expect((await bursar.store.read.one('accounts', { walletId: wallet.id }))?.held).toBe(0n)
    expect((await verifyStore(bursar, journalNoteKey(publicKey))).problems).toEqual([])
  })

  it('security: is refused where the owner has not allowed it', async () => {
    const [shop, stall] = [await makeFujiShop(['loopback', 'upfront']), await opened(SPEAKS_V1)]
    const { payment } = await buy(shop, stall.url)
    expect(payment?.refusal).toMatchObject({ code: 'protocol_not_allowed', rule: 'wallet.allows' })
    expect(stall.received).toEqual([])
  })

  it.each([
    ['speaks version 1, and asks for far more', 'max_amount'],
    ['speaks version 1 in the words of both', 'offer'],
  ] as const)('security: and %s, is refused', async (name, rule) => {
    const [shop, stall] = [await makeFujiShop(['loopback', 'v1']), await opened(UNPAID_ANSWERS[name])]
    const { payment } = await buy(shop, stall.url)
    expect([payment?.refusal?.rule, stall.received]).toEqual([rule, []])
  })
})
