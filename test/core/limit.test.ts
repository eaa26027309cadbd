import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counterKey, defaultRules, inOrder, isOver, limitUse, missingWindows, valuesOf } from '../../src/core/limit.ts'
import { type Limit, SCOPES, WINDOWS } from '../../src/core/types.ts'

const SPENDER = {
  ...{ walletId: 'wal', agentId: 'agt', instrumentId: 'inst', sessionId: 'ses' },
  ...{ payeeKey: 'name:acme', origin: null, category: null, protocol: 'card' },
}

function limit(rule: Partial<Limit>): Limit {
  const base = {
    id: 'lim',
    walletId: 'wal',
    scope: 'wallet',
    scopeValue: null,
    window: 'day',
    maxAmount: null,
  } as const
  return { ...base, maxCount: null, over: 'deny', createdAt: 0, removedAt: null, ...rule }
}

const anyUse = fc
  .record({
    id: fc.string(),
    scope: fc.constantFrom(...SCOPES),
    window: fc.constantFrom(...WINDOWS),
  })
  .map((rule) => ({ limit: limit(rule), key: null, used: { amount: 0n, count: 0 } }))

describe('a limit', () => {
  it('is over when one more payment would not fit, and not before', () => {
    const units = fc.bigInt({ min: 0n, max: 10n ** 15n })
    fc.assert(
      fc.property(units, units, units, (maxAmount, used, amount) => {
        const use = { limit: limit({ maxAmount }), key: null, used: { amount: used, count: 0 } }
        expect(isOver(use, amount)).toBe(used + amount > maxAmount)
      }),
    )
    for (const [count, over] of [
      [1, false],
      [2, true],
      [3, true],
    ] as const)
      expect(isOver({ limit: limit({ maxCount: 2 }), key: null, used: { amount: 0n, count } }, 1n)).toBe(over)
  })

  it('counts what was forced with what was let through', () => {
    const counter = { limitId: 'lim', scopeValue: 'wal', windowKey: 'x', amount: 5n, count: 2, forced: 7n }
    expect(limitUse(limit({}), counter, counter).used).toEqual({ amount: 12n, count: 2 })
    expect(limitUse(limit({}), null, undefined).used).toEqual({ amount: 0n, count: 0 })
  })

  it('of one payment has no counter, any other has one per value and window', () => {
    expect(counterKey(limit({ window: 'payment' }), 'wal', 'ses', 0, 'UTC')).toBe(null)
    expect(SCOPES.flatMap((scope) => valuesOf(limit({ scope, window: 'day' }), SPENDER))).toEqual([
      'wal',
      'agt',
      'inst',
      'ses',
      'name:acme',
      'none',
      'card',
    ])
    const day = counterKey(limit({ window: 'day' }), 'wal', 'ses', 0, 'UTC')
    expect(day).toMatchObject({ scopeValue: 'wal', windowKey: '1970-01-01T00:00:00Z' })
  })

  it('on a value looks at that value alone', () => {
    for (const scope of SCOPES) {
      const values = valuesOf(limit({ scope }), SPENDER)
      expect(values).toHaveLength(1)
      expect(valuesOf(limit({ scope, scopeValue: values[0]! }), SPENDER)).toEqual(values)
      expect(valuesOf(limit({ scope, scopeValue: 'another' }), SPENDER)).toEqual([])
    }
  })
})

describe('many limits', () => {
  it('have one order, in whatever order they are read', () => {
    const many = fc.uniqueArray(anyUse, { selector: (use) => use.limit.id, maxLength: 12 })
    fc.assert(
      fc.property(many, fc.infiniteStream(fc.nat()), (uses, chance) => {
        const shuffled = uses
          .map((use) => [chance.next().value as number, use] as const)
          .toSorted((a, b) => a[0] - b[0])
        expect(inOrder(shuffled.map(([, use]) => use))).toEqual(inOrder(uses))
      }),
    )
  })

  it('that every wallet is born with leave no window open', () => {
    const born = defaultRules(2).map((rule, n) => limit({ ...rule, id: `lim_${n}` }))
    expect(missingWindows(born)).toEqual([])
    for (const [n, { window, over }] of born.entries())
      expect(missingWindows(born.toSpliced(n, 1))).toEqual(over === 'deny' ? [window] : [])
    expect(missingWindows([])).toEqual(['payment', 'session', 'day'])
  })
})
