import { describe, expect, it } from 'vitest'
import { beginChannel, startNotices } from '../../src/actions/notices.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { ask, DAY, HOUR, limit, MINUTE, no, OPEN_CARD, openPurse, quickPurse, SECOND } from '../purse/desk.ts'
import { collected } from '../support/collected.ts'
import { buy, makeCard, type Purse } from '../support/purse.ts'
import { type Receiver, receiver, verified, webhookTo } from './receiver.ts'
import { telling, withConsole } from './telling.ts'

const idsOf = ({ got }: Receiver) => got.map(({ headers }) => headers['webhook-id'])

/** What the journal says became of the notices, by channel. */
async function outcomes({ bursar }: Purse): Promise<string[][]> {
  const events = (await collected(bursar.store.read.events('instance'))).filter(({ type }) => type === 'notice.sent')
  const details = events.map(({ body }) => JSON.parse(body!).details as { channel: string; outcome: string })
  return details.map(({ channel, outcome }) => [channel, outcome]).filter(([, outcome]) => outcome !== 'skipped')
}

describe('a receiver that does not take a notice', () => {
  it('is tried again after longer and longer waits, and gets it under the same id', async () => {
    const purse = await quickPurse()
    const { told, hook, waits, failures } = await telling(purse, {
      wait: (ms) => {
        purse.time.now += ms
        if (waits.length === 16) hook.answer = 200
      },
    })
    hook.answer = 500
    await ask(purse)
    await told()
    const seconds = waits.map((ms) => ms / SECOND)
    expect(seconds).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600, 3600])
    expect(new Set(idsOf(hook)).size).toBe(1)
    expect(hook.got).toHaveLength(17)
    expect(new Set(failures)).toEqual(new Set(['hook: It answered 500.']))
    expect(await outcomes(purse)).toEqual([['hook', 'delivered']])
    expect((await verifyStore(purse.bursar, journalNoteKey(purse.journalKey.publicKey))).problems).toEqual([])
  })

  it('holds up no other, and is given up after a day, which the journal says', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse, OPEN_CARD)
    await limit(purse, { scope: 'wallet', window: 'payment', max_amount: '50.00', over: 'deny' })
    const [dead, alive] = [await receiver(), await receiver()]
    dead.answer = 410
    const channels = [webhookTo(dead, 'dead'), webhookTo(alive, 'alive')]
    const { notices } = await telling(purse, {
      channels,
      // The first wait of the dead one: by then the others have theirs.
      wait: async (ms) => {
        while (alive.got.length === 0) await alive.next()
        purse.time.now += ms
      },
    })
    await buy(purse, card, '60.00')
    await notices.now()
    expect((await outcomes(purse)).toSorted()).toEqual([
      ['alive', 'delivered'],
      ['dead', 'given_up'],
      ['hook', 'delivered'],
    ])
    dead.answer = 200
    const before = dead.got.length
    purse.time.now += HOUR
    await buy(purse, card, '60.00')
    await notices.now()
    expect([alive.got.length, dead.got.length - before]).toEqual([2, 1])
  })

  it('is not told of a question that was answered meanwhile', async () => {
    const purse = await quickPurse()
    const { told, hook, waits } = await telling(purse, { wait: () => no(purse, request_id).then(() => undefined) })
    hook.answer = (response) => void response.writeHead(waits.length === 0 ? 500 : 200).end()
    const { request_id } = await ask(purse)
    expect(await told()).toEqual([
      ['bursar.ask', 'A request for a card of 300.00 USD waits for an answer'],
      ['bursar.denied', 'A request was denied'],
    ])
    expect([hook.got.length, waits.length]).toEqual([2, 1])
  })

  it('is left alone once its channel is removed', async () => {
    const purse = await quickPurse()
    const hook = await receiver()
    hook.answer = 500
    await beginChannel(purse.bursar, 'hook')
    let channels = [webhookTo(hook)]
    const notices = startNotices(purse.bursar, {
      ...{
        channels: () => channels,
        leads: () => true,
        linked: 'all' as const,
        afterMs: DAY,
        everyMs: DAY,
        failed: () => undefined,
      },
      sleep: async () => {
        channels = []
      },
    })
    await ask(purse)
    await notices.now()
    await notices.now()
    expect([hook.got.length, await outcomes(purse)]).toEqual([1, []])
  })
})

describe('notices that were under way', () => {
  it('when the process went are sent again under the same id, and what was taken is not', async () => {
    const purse = await quickPurse()
    const first = await telling(purse)
    await ask(purse, { amount: '10.00' })
    await first.told()
    await ask(purse, { amount: '20.00' })
    // The answer is lost along with the process: it was taken, and nobody knows.
    first.hook.answer = (response) => void response.destroy()
    const lost = first.hook.next()
    void first.notices.now()
    await lost
    await first.notices.stop()
    first.hook.answer = 200
    const again = startNotices(withConsole(purse), {
      ...{
        channels: () => [webhookTo(first.hook)],
        leads: () => true,
        linked: 'all' as const,
        afterMs: DAY,
        everyMs: DAY,
      },
      failed: () => undefined,
    })
    await again.now()
    const ids = idsOf(first.hook)
    expect(ids).toHaveLength(3)
    expect([ids[1] === ids[2], ids[0] === ids[1]]).toEqual([true, false])
  })

  it('and a limit that was told in this hour is not told again by the next process', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse, OPEN_CARD)
    await limit(purse, { scope: 'payee', window: 'month', max_amount: '50.00', over: 'deny' })
    const { told, hook } = await telling(purse)
    await buy(purse, card, '60.00')
    await told()
    for (let i = 0; i < 3; i++) await buy(purse, card, '60.00')
    const again = startNotices(purse.bursar, {
      ...{
        channels: () => [webhookTo(hook)],
        leads: () => true,
        linked: 'all' as const,
        afterMs: DAY,
        everyMs: DAY,
        failed: () => undefined,
      },
    })
    await again.now()
    expect(hook.got).toHaveLength(1)
  })

  it('are sent once by two processes that take turns, whoever saw them happen', async () => {
    const purse = await quickPurse()
    const { told, hook } = await telling(purse)
    const other = startNotices(withConsole(purse), {
      ...{
        channels: () => [webhookTo(hook)],
        leads: () => true,
        linked: 'all' as const,
        afterMs: DAY,
        everyMs: DAY,
        failed: () => undefined,
      },
    })
    for (const amount of ['10.00', '20.00', '30.00']) {
      await ask(purse, { amount })
      await (amount === '20.00' ? other.now() : told())
    }
    await Promise.all([other.now(), told()])
    expect(new Set(idsOf(hook)).size).toBe(3)
    expect(hook.got.map(verified)).toHaveLength(3)
  })

  it('wait for a wallet’s journal that is longer than is read at once', async () => {
    const purse = await openPurse()
    const card = await makeCard(purse, OPEN_CARD)
    const { told } = await telling(purse)
    for (let i = 0; i < 110; i++)
      await Promise.all(Array.from({ length: 2 }, () => buy(purse, card, '0.10', { payee: { name: 'Shop' } })))
    await ask(purse)
    purse.time.now += MINUTE
    expect(await told()).toHaveLength(1)
  })
})
