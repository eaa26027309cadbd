import { expect } from 'vitest'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import type { Payment } from '../../src/core/types.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { balances, type Purse } from '../support/purse.ts'
import { sandboxOf } from './desk.ts'

/**
 * What must be true after anything that happened, once a recovery has read the issuer's books: bursar's ledger says of
 * each payment what the issuer says, balances and allowances are what payments and entries add up to, and the journal
 * rebuilds it all.
 */
export async function expectBooksToAgree(purse: Purse): Promise<void> {
  const { read } = purse.bursar.store
  const payments = (await read.list('payments', { walletId: purse.walletId })) as readonly Payment[]
  const { issuer } = await sandboxOf(purse)
  for (const payment of payments) {
    const record = await issuer.retrieveAuthorization(payment.id)
    const held = payment.status === 'authorized' || payment.status === 'in_doubt'
    const { id, captured, refunded } = payment
    expect({ id, captured, refunded }).toEqual({
      id,
      captured: record?.captured ?? 0n,
      refunded: held ? refunded : (record?.refunded ?? 0n),
    })
    if (record && record.status !== 'pending') expect([id, held]).toEqual([id, false])
    if (payment.captured > 0n && !held) expect(payment.status).toMatch(/captured|refunded/)
  }
  await expectBalances(purse, payments)
  await expectAllowances(purse, payments)
  const report = await verifyStore(purse.bursar, journalNoteKey(purse.journalKey.publicKey))
  expect(report.problems).toEqual([])
}

async function expectBalances(purse: Purse, payments: readonly Payment[]): Promise<void> {
  const { walletId: _, ...kept } = await balances(purse)
  const summed = { available: 0n, held: 0n, external: 0n, overdrawn: 0n }
  let funded = 0n
  for (const { debit, credit, amount, kind } of await purse.bursar.store.read.list('entries', {
    walletId: purse.walletId,
  })) {
    summed[debit] -= amount
    summed[credit] += amount
    if (kind === 'fund') funded += amount
  }
  expect(kept).toEqual(summed)
  expect(kept.available + kept.held + kept.external + kept.overdrawn).toBe(0n)
  expect(kept.held).toBe(total(payments, ({ held }) => held))
  expect(-kept.external).toBe(funded - total(payments, ({ captured, refunded }) => captured - refunded))
}

async function expectAllowances(purse: Purse, payments: readonly Payment[]): Promise<void> {
  for (const { id, amount, remaining, usageConsumed } of await purse.bursar.store.read.list('instruments', {})) {
    const mine = payments.filter(({ instrumentId }) => instrumentId === id)
    if (mine.length === 0) continue
    const taken = mine.filter(({ held, captured, forced }) => held + captured - forced > 0n)
    expect(amount - remaining).toBe(total(taken, ({ held, captured, forced }) => held + captured - forced))
    expect(usageConsumed).toBe(taken.length)
  }
}

function total(payments: readonly Payment[], of: (payment: Payment) => bigint): bigint {
  return payments.reduce((sum, payment) => sum + of(payment), 0n)
}
