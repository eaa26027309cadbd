import { describe, expect, it } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { freezeAll, freezeInstrument, freezeWallet, unfreezeWallet } from '../../src/actions/owner/freeze.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { recover } from '../../src/actions/recover.ts'
import { openNote } from '../../src/core/note.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { asking } from '../purse/asking.ts'
import {
  approvePayment,
  approveRequest,
  ask,
  DAY,
  eventsOf,
  HOUR,
  limit,
  MINUTE,
  no,
  OPEN_CARD,
  openPurse,
  quickPurse,
} from '../purse/desk.ts'
import { buy, makeCard, type Purse } from '../support/purse.ts'
import { verified } from './receiver.ts'
import { CONSOLE, telling } from './telling.ts'

describe('an owner is told', () => {
  it('what waits for an answer, from when the channel was added on', async () => {
    const { purse, card } = await asking()
    await ask(purse, { amount: '10.00' })
    const { told, hook } = await telling(purse)
    expect(await told()).toEqual([])
    const request = await ask(purse, { amount: '20.00' })
    const payment = await buy(purse, card, '60.00', { purpose: 'words of the agent' })
    expect(await told()).toEqual([
      ['bursar.ask', 'A request for a card of 20.00 USD waits for an answer'],
      ['bursar.ask', 'A payment of 60.00 USD waits for an answer'],
    ])
    const [first, second] = hook.got.map(verified)
    expect(first?.data.link).toBe(`${CONSOLE}/inbox/${request.request_id}`)
    expect(second?.data).toMatchObject({
      facts: [
        ['Wallet', '"sandbox", not real money'],
        ['Agent', '"default"'],
        ['Pays', '"Acme Software"'],
        ['Answer before', '2026-03-10T12:15:00.000Z'],
      ],
      ids: { payment_id: payment.payment_id, wallet_id: purse.walletId },
      link: `${CONSOLE}/inbox/${payment.payment_id}`,
    })
    const key = journalNoteKey(purse.journalKey.publicKey)
    expect(openNote(second!.data.checkpoint, [key]).signers).toEqual([key])
    expect(await told()).toHaveLength(2)
    expect(new Set(hook.got.map(({ headers }) => headers['webhook-id'])).size).toBe(2)
  })

  it('what was denied, and what was approved and then stopped', async () => {
    const { purse, card } = await asking()
    const { told } = await telling(purse)
    const [request, first] = [await ask(purse), await buy(purse, card, '60.00')]
    await no(purse, request.request_id, 'words of the owner')
    await no(purse, first.payment_id)
    const second = await buy(purse, card, '61.00')
    await limit(purse, { scope: 'payee', window: 'month', max_amount: '1.00', over: 'deny' })
    await approvePayment(purse, second.payment_id)
    expect(await told()).toEqual([
      ['bursar.denied', 'A request was denied'],
      ['bursar.denied', 'A payment was denied'],
      ['bursar.denied', 'A payment was approved, and then stopped by a rule'],
    ])
  })

  it('once an hour that an agent runs into a limit, and when a card is used up', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse, { ...OPEN_CARD, usage_limit: 1 })
    const other = await makeCard(purse, { ...OPEN_CARD, amount: '8000.00' })
    await limit(purse, { scope: 'payee', window: 'month', max_amount: '50.00', over: 'deny' })
    await limit(purse, { scope: 'wallet', window: 'hour', max_amount: '70.00', over: 'deny' })
    const { told, notices } = await telling(purse)
    for (let i = 0; i < 5; i++) await buy(purse, other, '51.00')
    await notices.now()
    for (let i = 0; i < 5; i++) await buy(purse, other, '52.00')
    await buy(purse, other, '71.00', { payee: { name: 'Other' } })
    const perHour = ['bursar.limit_reached', 'A limit stopped a payment of 51.00 USD']
    expect(await told()).toEqual([perHour, ['bursar.limit_reached', 'A limit stopped a payment of 71.00 USD']])
    purse.time.now += HOUR
    await buy(purse, other, '51.00')
    await buy(purse, card, '10.00')
    expect((await told()).slice(2)).toEqual([perHour, ['bursar.limit_reached', 'An instrument is used up']])
  })

  it('what was frozen', async () => {
    const purse = await quickPurse()
    const { bursar, authority, walletId } = purse
    const card = await makeCard(purse)
    const { told } = await telling(purse)
    await freezeInstrument(bursar, authority, card.instrument_id)
    await freezeWallet(bursar, authority, walletId, 'words of the owner')
    await unfreezeWallet(bursar, authority, walletId)
    await freezeAll(bursar, authority)
    expect((await told()).toSorted()).toEqual([
      ['bursar.frozen', 'A wallet was frozen'],
      ['bursar.frozen', 'All spending was frozen'],
      ['bursar.frozen', 'An instrument was frozen'],
    ])
  })

  it('that more was taken than was approved', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse, OPEN_CARD)
    const { told, hook } = await telling(purse)
    await buy(purse, card, '100.00', { payee: { name: 'Bursar Test: Restaurant Tip' } })
    purse.time.now += MINUTE
    await recover(purse.bursar)
    expect(await told()).toEqual([
      ['bursar.over_capture', 'More was taken than was approved; the instrument was frozen'],
    ])
    expect(verified(hook.got[0]!).data.facts).toContainEqual(['Taken beyond it', '20.00 USD'])
  })

  it('once that a payment is in doubt for an hour', async () => {
    const { purse, card, rail } = await doubting()
    const { told } = await telling(purse)
    rail.isDown = true
    const { payment_id, status } = await buy(purse, card, '10.00')
    expect(status).toBe('in_doubt')
    purse.time.now += HOUR - 1
    await expect(recover(purse.bursar)).rejects.toThrow()
    expect(await told()).toEqual([])
    purse.time.now += 1
    for (let i = 0; i < 3; i++) {
      await expect(recover(purse.bursar)).rejects.toThrow()
      purse.time.now += HOUR
    }
    expect(await told()).toEqual([
      ['bursar.in_doubt', 'It is unknown for an hour whether a payment of 10.00 USD was made'],
    ])
    expect((await eventsOf(purse, payment_id)).filter((type) => type === 'payment.stuck')).toHaveLength(1)
    rail.isDown = false
    await recover(purse.bursar)
    expect((await verifyStore(purse.bursar, journalNoteKey(purse.journalKey.publicKey))).problems).toEqual([])
  })

  it('nothing of a question that was decided, taken back or over before it could be told', async () => {
    const purse = await quickPurse()
    const { told } = await telling(purse)
    const [first, second] = [await ask(purse, { amount: '10.00' }), await ask(purse, { amount: '20.00' })]
    await ask(purse, { amount: '30.00' })
    await approveRequest(purse, first.request_id)
    await cancel(purse.bursar, purse.caller, second.request_id)
    purse.time.now += DAY
    await recover(purse.bursar)
    expect(await told()).toEqual([])
  })

  it('by a link only of what waits, where there is a console only then', async () => {
    const { purse, card } = await asking()
    const { told, hook } = await telling(purse, { linked: 'asks' })
    const { payment_id } = await buy(purse, card, '60.00')
    await told()
    await no(purse, payment_id)
    await told()
    expect(hook.got.map(verified).map(({ data }) => data.link)).toEqual([`${CONSOLE}/inbox/${payment_id}`, null])
  })

  it('nothing of what nobody has to answer, and of what was paid', async () => {
    const purse = await quickPurse()
    await setApprovals(purse.bursar, purse.authority, purse.walletId, [{ up_to: null, assurance: 'none' }])
    const { told } = await telling(purse)
    const request = await ask(purse)
    expect((await buy(purse, request.instrument!, '49.00')).status).toBe('captured')
    expect(await told()).toEqual([])
  })
})

describe('security: a notice', () => {
  it('holds none of the agent’s or the owner’s words, no secret, and no way to approve', async () => {
    const { purse, card } = await asking()
    const { told, hook } = await telling(purse)
    const payment = await buy(purse, card, '60.00', { purpose: 'Say yes at once', task_id: 'task-words' })
    await no(purse, payment.payment_id, 'words of the owner')
    await ask(purse, { purpose: 'Say yes at once' })
    await told()
    const all = hook.got.map(({ body }) => body.toString()).join()
    for (const word of ['Say yes', 'task-words', 'words of the owner', 'whsec', 'approve', 'token', 'digest'])
      expect(all).not.toContain(word)
  })

  it('quotes, cuts and unlinks names that agents choose', async () => {
    const { purse, card } = await asking()
    const { told, hook } = await telling(purse)
    const name = `https://evil.example/yes @channel "ok"\n\u202Ewallet: 0.01 ${'x'.repeat(80)}`
    await buy(purse, card, '60.00', { payee: { name } })
    await told()
    const { facts } = verified(hook.got[0]!).data
    expect(Object.fromEntries(facts).Pays).toMatchInlineSnapshot(
      `""https[:]//evil[.]example/yes [at]channel \\"ok\\" wallet: 0[.]01 xxxxxxx…""`,
    )
  })
})

/** A purse whose card network can be silent. */
async function doubting() {
  const rail = { isDown: false }
  const purse: Purse = await openPurse()
  const card = await makeCard(purse, OPEN_CARD)
  const real = purse.bursar.rails.virtual_card!
  const silent = <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => (rail.isDown ? Promise.reject(new Error('silent')) : work(...args))
  }
  const virtual_card = {
    ...{ serves: real.serves, provision: real.provision, setStatus: real.setStatus, refund: real.refund },
    ...{ pay: silent(real.pay), find: silent(real.find), changes: silent(real.changes) },
    ...{ accounts: real.accounts, authorizations: real.authorizations },
  }
  return { rail, card, purse: { ...purse, bursar: { ...purse.bursar, rails: { virtual_card } } } }
}
