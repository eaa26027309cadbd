import { describe, expect, it } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { freezeAll } from '../../src/actions/owner/freeze.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { testDatabase } from '../support/postgres.ts'
import { makePurse, SHOP } from '../support/purse.ts'
import { availableOf, cent, centFact, makeCardOf, makePostgresPurse, makeWallet, problemsOf } from './store-purse.ts'

describe('a step that needs more locks', () => {
  it('is decided again under them, and what it decides then counts', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const seen: boolean[] = []
    await purse.store.update({}, ({ instance }) => {
      seen.push(instance.frozen)
      const details = { instance_id: instance.id }
      return {
        facts: [{ type: 'spending.frozen', actor: { role: 'human', id: purse.authority.ownerId }, details }],
        result: null,
      }
    })
    expect(seen).toEqual([false, false])
    expect((await purse.store.read.one('instance', {}))?.frozen).toBe(true)
  })

  it('never lets a payment through that began beside a stop', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const other = await purse.node()
    const card = await makeCardOf(purse, purse.caller, { usage_limit: undefined })
    const input = { instrument_id: card.instrument_id, amount: '1.00', payee: SHOP }
    const paying = Array.from({ length: 12 }, (_, i) =>
      pay({ ...purse.bursar, store: i % 2 === 0 ? purse.store : other }, purse.caller, { ...input, purpose: `${i}` }),
    )
    await freezeAll({ ...purse.bursar, store: other }, purse.authority, undefined)
    const after = await pay(purse.bursar, purse.caller, { ...input, purpose: 'after' })
    expect(after.status).toBe('refused')
    await Promise.all(paying)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('begins a journal once, whoever begins it', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const nodes = [purse.store, await purse.node(), await purse.node()]
    await Promise.all(
      nodes.map((store, i) =>
        createWallet({ ...purse.bursar, store }, purse.authority, { name: `w${i}`, mode: 'sandbox', currency: 'USD' }),
      ),
    )
    expect(await purse.store.read.list('wallets', {})).toHaveLength(4)
    expect(await problemsOf(purse)).toEqual([])
  })
})

describe('steps that share a commit', () => {
  it('fail each by itself: what throws, what is refused, what is tampered with', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const before = await availableOf(purse)
    const { walletId } = purse
    const base = { actor: { role: 'human', id: purse.authority.ownerId } as const, wallet_id: walletId }
    const results = await Promise.allSettled([
      cent(purse.store, purse),
      purse.store.update({ walletId }, () => {
        throw new RangeError('mine')
      }),
      cent(purse.store, purse),
      purse.store.update({ walletId }, () => ({
        facts: [{ ...base, type: 'limit.removed', details: { limit_id: 'lim_none' } }],
        result: null,
      })),
      cent(purse.store, purse),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'])
    expect(String((results[1] as PromiseRejectedResult).reason)).toBe('RangeError: mine')
    expect(String((results[3] as PromiseRejectedResult).reason)).toContain('changes a row of limits that is not there')
    expect(await availableOf(purse)).toBe(before + 3n)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('are one commit, each seeing what those before it did', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const { walletId } = purse
    const seen: bigint[] = []
    const size = (await purse.store.read.head(walletId))!.size
    await Promise.all(
      Array.from({ length: 5 }, () =>
        purse.store.update({ walletId }, ({ accounts }) => {
          seen.push(accounts!.available)
          return { facts: [centFact(purse)], result: null }
        }),
      ),
    )
    expect(seen.map((units) => units - seen[0]!)).toEqual([0n, 1n, 2n, 3n, 4n])
    expect((await purse.store.read.head(walletId))?.size).toBe(size + 5)
  })
})

describe('two nodes', () => {
  it('never pay more than the card has, between them', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const nodes = [purse.store, await purse.node()]
    const other = await makeWallet(purse, 'racer')
    const card = await makeCardOf(purse, other.caller, { amount: '90.00', usage_limit: undefined })
    const input = { instrument_id: card.instrument_id, amount: '20.00', payee: SHOP }
    const views = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        pay({ ...purse.bursar, store: nodes[i % 2]! }, other.caller, { ...input, purpose: `race ${i}` }),
      ),
    )
    expect(views.filter(({ status }) => status === 'captured')).toHaveLength(4)
    expect((await purse.store.read.one('instruments', { id: card.instrument_id }))?.remaining).toBe(1000n)
    expect(await problemsOf(purse)).toEqual([])
  })

  it('make one purchase of one, whoever is asked', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const nodes = [purse.store, await purse.node()]
    const card = await makeCardOf(purse, purse.caller)
    const input = { instrument_id: card.instrument_id, amount: '5.00', payee: SHOP, purpose: 'x', idempotency_key: 'k' }
    const views = await Promise.all(
      Array.from({ length: 6 }, (_, i) => pay({ ...purse.bursar, store: nodes[i % 2]! }, purse.caller, input)),
    )
    expect(new Set(views.map(({ payment_id }) => payment_id)).size).toBe(1)
  })
})

describe('texts that a database may not hold', () => {
  it.each(['half \ud800', 'nul \0'])('fail alike on both stores: %j', async (text) => {
    const { url } = await testDatabase()
    const errors = []
    for (const purse of [await makePurse(), await makePostgresPurse(url)]) {
      const { walletId } = purse
      const details = { reason: text }
      const fact = {
        type: 'wallet.frozen',
        actor: { role: 'human', id: 'own_x' },
        wallet_id: walletId,
        details,
      } as const
      const kept = { digest: '0'.repeat(64), salt: 'x', text }
      const { store } = purse.bursar
      const found = await store.update({ codeHash: text, walletId }, ({ invitation }) => ({
        facts: [],
        result: invitation,
      }))
      const prior = await store.read.prior({ agentId: text, fingerprint: text, idempotencyKey: text, withinMs: 1 }, 1)
      errors.push([
        found,
        prior,
        await store.read.one('payments', { id: text }),
        await store.read.text(text),
        await store.update({ walletId }, () => ({ facts: [fact], result: null })).catch(String),
        await store.update({ walletId }, () => ({ facts: [], texts: [kept], result: null })).catch(String),
      ])
    }
    expect(errors[0]).toEqual(errors[1])
    expect(String(errors[0])).toMatch(/TypeError.*TypeError/)
  })
})

describe('the role that nodes have', () => {
  it('pays, refuses, and verifies', async () => {
    const { url } = await testDatabase()
    const purse = await makePostgresPurse(url)
    const card = await makeCardOf(purse, purse.caller)
    const input = { instrument_id: card.instrument_id, amount: '20.00', payee: SHOP, purpose: 'one' }
    expect((await pay(purse.bursar, purse.caller, input)).status).toBe('captured')
    expect((await pay(purse.bursar, purse.caller, input)).replayed).toBe(true)
    const refused = await pay(purse.bursar, purse.caller, { ...input, amount: '2000.00', purpose: 'two' })
    expect(refused.status).toBe('refused')
    expect(await problemsOf(purse)).toEqual([])
  })
})
