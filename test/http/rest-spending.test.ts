import { describe, expect, it, onTestFinished } from 'vitest'
import { refund } from '../../src/actions/owner/refund.ts'
import { spendingOf } from '../../src/actions/owner/spending.ts'
import { daysUpTo } from '../../src/core/calendar.ts'
import { openConnection } from '../../src/store/sqlite/connection.ts'
import { byAnotherAgent, DAY, HOUR, OPEN_CARD, openPurse, quickPurse, withWallet } from '../purse/desk.ts'
import { buy, makeCard } from '../support/purse.ts'

describe('spending', () => {
  it("is exact, by the days of the wallet's time zone, and without what was given back or never moved", async () => {
    const purse = await withWallet(await quickPurse(), { name: 'kolkata', timeZone: 'Asia/Kolkata', currency: 'EUR' })
    const card = await makeCard(purse, { ...OPEN_CARD, currency: 'EUR' })
    const at = (iso: string) => (purse.time.now = Date.parse(iso))
    const paid = async (amount: string, more: object = {}) => (await buy(purse, card, amount, more)).payment_id
    at('2026-03-10T18:29:59.999Z')
    await paid('0.10')
    at('2026-03-10T18:30:00.000Z')
    await paid('0.20')
    const back = await paid('70.00', { payee: { name: 'Other' } })
    at('2026-03-12T18:29:00.000Z')
    await paid('1000000.01')
    await paid('5', { payee: { name: 'Bursar Test: Decline invalid_card' } })
    await paid('93.14', { payee: { name: 'Bursar Test: Never Captured' } })
    await refund(purse.bursar, purse.authority, back, '69.99')
    expect(await spendingOf(purse.bursar, purse.walletId, 4)).toEqual({
      ...{ wallet_id: purse.walletId, currency: 'EUR', days: 4 },
      by_day: [
        { day: '2026-03-09', amount: '0.00', count: 0 },
        { day: '2026-03-10', amount: '0.10', count: 1 },
        { day: '2026-03-11', amount: '0.21', count: 2 },
        { day: '2026-03-12', amount: '0.00', count: 0 },
      ],
      by_agent: [{ id: purse.caller.agentId, name: 'default', amount: '0.31', count: 3 }],
      by_payee: [
        { name: 'Acme Software', amount: '0.30', count: 2 },
        { name: 'Other', amount: '0.01', count: 1 },
      ],
      by_protocol: [{ name: 'card', amount: '0.31', count: 3 }],
    })
  })

  it('tells agents and wallets apart, and counts nothing before its days', async () => {
    const purse = await openPurse()
    const other = await byAnotherAgent(purse)
    const mine = await makeCard(purse, OPEN_CARD)
    const theirs = await makeCard(other, OPEN_CARD)
    await buy(purse, mine, '1.00')
    purse.time.now += 2 * DAY
    await buy(purse, mine, '2.00')
    await buy(other, theirs, '3.00')
    const { by_agent, by_day } = await spendingOf(purse.bursar, purse.walletId, 2)
    expect(by_agent.map(({ name, amount }) => [name, amount])).toEqual([
      ['other', '3.00'],
      ['default', '2.00'],
    ])
    expect(by_day.map(({ amount }) => amount)).toEqual(['0.00', '5.00'])
    expect((await spendingOf(purse.bursar, purse.walletId, 3)).by_day[0]?.amount).toBe('1.00')
    const empty = await withWallet(purse, { name: 'empty' })
    expect(await spendingOf(purse.bursar, empty.walletId, 1)).toMatchObject({
      by_day: [{ amount: '0.00' }],
      by_agent: [],
    })
    await expect(async () => spendingOf(purse.bursar, 'wal_none', 1)).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    )
  })

  it('has days of 23 and 25 hours where clocks change', () => {
    const days = (now: string, zone: string) => {
      const all = daysUpTo(Date.parse(now), zone, 3)
      return all.map(({ day, startMs }, i) => [day, ((all[i + 1]?.startMs ?? 0) - startMs) / HOUR]).slice(0, 2)
    }
    expect(days('2026-03-30T12:00:00Z', 'Europe/Paris')).toEqual([
      ['2026-03-28', 24],
      ['2026-03-29', 23],
    ])
    expect(days('2026-10-26T12:00:00Z', 'Europe/Paris')).toEqual([
      ['2026-10-24', 24],
      ['2026-10-25', 25],
    ])
    expect(daysUpTo(Date.parse('2026-03-01T02:00:00Z'), 'America/New_York', 2).map(({ day }) => day)).toEqual([
      '2026-02-27',
      '2026-02-28',
    ])
  })

  it('is read by an index, whatever else was paid', async () => {
    const purse = await quickPurse()
    const connection = openConnection(purse.path)
    onTestFinished(() => void connection.close())
    const where = "FROM payments WHERE wallet_id = 'x' AND captured > 0 AND authorized_at >= 1 GROUP BY agent_id"
    const plan = connection.prepare(`EXPLAIN QUERY PLAN SELECT sum(captured) ${where}`).all() as { detail: string }[]
    expect(plan[0]?.detail).toContain('USING INDEX payments_spent (wallet_id=? AND authorized_at>?)')
  })
})
