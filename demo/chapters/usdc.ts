import { setTimeout as sleep } from 'node:timers/promises'
import type { InstrumentView, PaymentView } from '../../src/actions/wire.ts'
import type { Chain } from '../../test/support/chain.ts'
import type { Agent } from '../agent.ts'
import { works } from '../house.ts'
import type { Play } from '../play.ts'
import { inHost, Left, pay, refused, settled } from '../play.ts'
import { exact, fundedWallet, type Ground, short, startGround } from './usdc-ground.ts'
import { booksAgree, frozenByTheft } from './usdc-ledger.ts'

const SHOP = '0xa94f0b3e6c10d2bfd2dd1d2b81c3fbb0ba7b51e3'
/** As it is often shown, it is the same: 0xa94f…51e3. */
const LOOK_ALIKE = `${SHOP.slice(0, 6)}0d15ea5e0d15ea5e0d15ea5e0d15ea5e${SHOP.slice(-4)}`
const ANYONE = '0x00000000000000000000000000000000c0ffee00'

const AMOUNT = 25_500_000n
const LITTLE = 5_000_000n
const TO_SHOP = 100_000_000n
const TO_ANYONE = 50_000_000n

/** How long a bursar that has started may take to look after what it sent before. */
const RECOVERED_MS = 15_000
const LOOK_MS = 50

/**
 * Money on a chain, on a real node. Told with processes of its own, in the same home.
 *
 * @param then is told on the same chain and wallet, which is frozen; not without a node, nor after a no
 */
export async function payInUsdc(play: Play, then: (ground: Ground) => Promise<void>): Promise<void> {
  const { stage } = play
  await stage.chapter('USDC, on a chain that starts here and now.')
  const chain = await startGround(stage)
  if (chain === null) return
  try {
    const ground = await fundedWallet(play, chain)
    const paid = await inHost(play, play.human, (agent) => payFromHost(play, ground, agent))
    if (paid === null) {
      stage.note('The rest of this chapter needs that instrument. Run it again and approve, to see it.')
      return
    }
    await takeBack(play, ground)
    const { instrument_id } = paid.anywhere
    // A host that asks nobody: what waits for a human keeps waiting.
    await inHost(play, null, async (agent) => {
      await sentAgain(play, ground, agent, paid)
      await lookAlike(play, agent, paid.anywhere)
      await frozenByTheft(play, ground, agent, { instrument_id, payee: { address: SHOP } })
    })
    await booksAgree(play, ground)
    await then(ground)
  } finally {
    await chain.stop()
  }
}

interface Paid {
  readonly paymentId: string
  readonly txHash: string
  /** An instrument that may pay any address. */
  readonly anywhere: InstrumentView
}

/** The agent gets two instruments and pays once. Null where the human says no to one of them. */
async function payFromHost(play: Play, ground: Ground, agent: Agent): Promise<Paid | null> {
  const { stage } = play
  const { chain } = ground
  const here = await askForUsdc(play, agent, TO_SHOP, `to ${SHOP}`, { addresses: [SHOP] })
  if (here === null) return null
  const { instrument_id } = here
  const purchase = { instrument_id, amount: exact(AMOUNT), payee: { address: SHOP }, purpose: 'A month of market data' }
  await stage.act('agent', `pay_with_instrument: ${short(AMOUNT)} USDC to ${SHOP}`)
  const { payment_id } = (await pay(play, agent, purchase)).view
  // On a machine with much to do the answer comes before the block.
  const { view } = await settled(agent, payment_id)
  const txHash = view.receipt?.rail_ref ?? ''
  stage.check(
    `captured: ${short(AMOUNT)} USDC`,
    [view.status, view.captured_amount],
    ['captured', exact(AMOUNT)],
    txHash,
  )
  stage.check(
    'the chain has that transaction, and the shop has the money',
    [await succeeded(chain, txHash), await chain.balance(SHOP)],
    [true, AMOUNT],
    `the shop: ${short(await chain.balance(SHOP))} USDC`,
  )
  await stage.act('agent', 'pay_with_instrument: the very same call again')
  const again = await pay(play, agent, purchase)
  stage.check(
    'the same payment, not a second one; the chain shows one transfer',
    [again.view.payment_id, again.view.replayed, again.view.receipt?.rail_ref, (await transfersOf(ground)).length],
    [view.payment_id, true, txHash, 1],
    view.payment_id,
  )
  await stage.act('agent', `pay_with_instrument: ${short(LITTLE)} USDC to ${ANYONE}`)
  const elsewhere = { instrument_id, amount: exact(LITTLE), payee: { address: ANYONE }, purpose: 'Something else' }
  await refused(play, agent, elsewhere, 'address_not_allowed', 'instrument.constraints.addresses')
  const on = { networks: [chain.network] }
  const anywhere = await askForUsdc(play, agent, TO_ANYONE, `to any address on ${chain.network}`, on)
  return anywhere && { paymentId: view.payment_id, txHash, anywhere }
}

/** The agent asks, the human decides. Null for a no. */
export async function askForUsdc(
  { stage }: Play,
  agent: Agent,
  units: bigint,
  words: string,
  constraints: object,
): Promise<InstrumentView | null> {
  const amount = exact(units)
  await stage.act('agent', `request_instrument: ${short(units)} USDC, ${words}, for 30d`)
  const { view } = await agent.request({
    ...{ type: 'usdc', currency: 'USDC', amount, expires_in: '30d', constraints },
    purpose: 'Data for the report on Friday',
  })
  if (view.status === 'pending') throw new Left()
  const { instrument } = view
  if (instrument === undefined) {
    stage.check('denied by you: there is no such instrument', view.status, 'denied', view.refusal?.code)
    return null
  }
  const { status, remaining_amount, constraints: kept } = instrument
  stage.check(
    `approved by you: ${short(units)} USDC, out of the account ${instrument.display}`,
    [view.status, status, remaining_amount, Object.keys(kept)],
    ['approved', 'active', amount, Object.keys(constraints)],
    `until ${instrument.expires_at}`,
  )
  return instrument
}

/** No bursar of this agent runs: nobody sees it happen. */
async function takeBack({ stage }: Play, ground: Ground): Promise<void> {
  const { chain } = ground
  await stage.act('chain', "the agent's host is closed; the chain reorganizes, and drops the block with the payment")
  // Nothing that is sent meanwhile gets into a block before both were looked at.
  await chain.automine(false)
  await chain.reorg(1)
  stage.check(
    'the chain shows no transfer, and the shop has nothing',
    [(await transfersOf(ground)).length, await chain.balance(SHOP)],
    [0, 0n],
  )
  await chain.automine()
}

async function sentAgain({ stage }: Play, ground: Ground, agent: Agent, { paymentId, txHash }: Paid): Promise<void> {
  const { chain } = ground
  await stage.act('agent', 'its host starts again, and bursar looks after what it sent')
  for (const end = Date.now() + RECOVERED_MS; (await transfersOf(ground)).length === 0 && Date.now() < end; )
    await sleep(LOOK_MS)
  const hashes = await transfersOf(ground)
  stage.check(
    'it has sent the same bytes again: one transfer, the same transaction, paid once',
    [hashes, await chain.balance(SHOP)],
    [[txHash], AMOUNT],
    `the shop: ${short(await chain.balance(SHOP))} USDC`,
  )
  await chain.mine(3)
  const { view } = await agent.call<{ status: string; captured_amount: string }>('get_payment', {
    payment_id: paymentId,
  })
  stage.check('the payment is what it was: captured', [view.status, view.captured_amount], ['captured', exact(AMOUNT)])
}

async function lookAlike(play: Play, agent: Agent, { instrument_id }: InstrumentView): Promise<void> {
  const { stage, house } = play
  await stage.act('agent', `pay_with_instrument: ${short(LITTLE)} USDC to ${LOOK_ALIKE}, which a web page named`)
  const poisoned = { instrument_id, amount: exact(LITTLE), payee: { address: LOOK_ALIKE }, purpose: 'The same shop' }
  const { view } = await pay(play, agent, poisoned)
  stage.check(
    'waits for you: it begins and ends like the address that was paid, and is another',
    [view.status, view.captured_amount, view.approval?.asked],
    ['awaiting_approval', exact(0n), 'no_channel'],
  )
  await stage.act('you', 'bursar payment show pay_…')
  const home = { BURSAR_HOME: house.home }
  const shown = await works(['payment', 'show', view.payment_id, '--json'], home)
  const { events } = JSON.parse(shown) as { events: readonly { type: string; rule?: string }[] }
  const rule = events.find(({ type }) => type === 'payment.awaiting_approval')?.rule
  stage.check('the rule: payee.look_alike', rule, 'payee.look_alike')
  await stage.act('you', 'bursar request deny pay_…')
  const denied = JSON.parse(await works(['request', 'deny', view.payment_id, '--json'], home)) as PaymentView
  stage.check('denied: nothing moved', [denied.status, denied.refusal?.code], ['denied', 'approval_denied'])
}

/** Whether a block has that transaction, and it moved what it says. */
export async function succeeded({ publicClient }: Chain, hash: string): Promise<boolean> {
  return (await publicClient.getTransactionReceipt({ hash: hash as `0x${string}` })).status === 'success'
}

/** The transactions that took money out of the wallet's account, to one address or any, as the token's own logs show them. */
export async function transfersOf({ chain, account }: Ground, to?: `0x${string}`): Promise<readonly string[]> {
  const { token: address, abi, publicClient } = chain
  const logs = await publicClient.getContractEvents({
    ...{ address, abi, eventName: 'Transfer', args: { from: account, ...(to && { to }) }, fromBlock: 0n },
  })
  return logs.map(({ transactionHash }) => transactionHash)
}
