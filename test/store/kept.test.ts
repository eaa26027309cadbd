import { describe, expect, it } from 'vitest'
import { DAY, done, found, keptStore, MINUTE } from './kept-store.ts'

const name = (letter: string) => letter.repeat(64)

describe('a name that may come once', () => {
  it('is first once, at any process, until its time is over', async () => {
    const { kept, another, time } = await keptStore()
    const other = (await another()).kept
    expect(await kept.first(name('a'), time.now + MINUTE)).toBe(true)
    expect([await kept.first(name('a'), time.now + MINUTE), await other.first(name('a'), time.now + DAY)]).toEqual([
      false,
      false,
    ])
    expect(await other.first(name('b'), time.now + MINUTE)).toBe(true)
    time.now += MINUTE - 1
    expect(await other.first(name('a'), time.now + MINUTE)).toBe(false)
    time.now += 1
    expect([await other.first(name('a'), time.now + 1), await kept.first(name('a'), time.now + 1)]).toEqual([
      true,
      false,
    ])
  })

  it('security: is first for one of many that show it at once', async () => {
    const { kept, another, time } = await keptStore()
    const other = (await another()).kept
    for (const letter of ['a', 'b', 'c']) {
      const said = await Promise.all(
        [kept, other, kept, other].map((one) => one.first(name(letter), time.now + MINUTE)),
      )
      expect(said.filter(Boolean)).toEqual([true])
    }
  })

  it('goes some time after its time is over, a few at a time', async () => {
    const { kept, time, column } = await keptStore()
    for (let i = 0; i < 20; i++) await kept.first(`${i}`.padStart(64, '0'), time.now + 1 + i)
    time.now += MINUTE
    const counts: unknown[] = []
    // The first is one of those that would stay a while.
    for (const again of ['19'.padStart(64, '0'), name('b'), name('c')]) {
      expect(await kept.first(again, time.now + MINUTE)).toBe(true)
      counts.push(...(await column('SELECT count(*) FROM kept_names')))
    }
    expect(counts).toEqual([12, 5, 3])
  })
})

describe('a claim of a key', () => {
  it('is of one, and tells others what became of it', async () => {
    const { kept, another, time, claim } = await keptStore()
    const other = (await another()).kept
    const mine = claim('k')
    expect(await kept.claim(mine)).toEqual({ state: 'mine' })
    const { asked, holder } = mine
    expect(await other.claim(claim('k', { asked: '0'.repeat(64) }))).toEqual({ state: 'busy', asked })
    await kept.keep(mine, '{"a":1}')
    expect(await other.claim(claim('k'))).toEqual({ state: 'done', asked, holder, answer: '{"a":1}' })
    expect(await other.claim(claim('k', { caller: 'b' }))).toEqual({ state: 'mine' })
    time.now += DAY - 1
    expect(await other.claim(claim('k'))).toMatchObject({ state: 'done' })
    time.now += 1
    expect(await other.claim(claim('k'))).toEqual({ state: 'mine' })
    expect(await kept.claim(claim('k'))).toMatchObject({ state: 'busy' })
  })

  it('security: is of one of many that claim it at once', async () => {
    const { kept, another, claim } = await keptStore()
    const other = (await another()).kept
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      const said = await Promise.all([kept, other, kept, other].map((one) => one.claim(claim(key))))
      expect(said.map(({ state }) => state).toSorted()).toEqual(['busy', 'busy', 'busy', 'mine'])
    }
  })

  it('security: is never had again when its holder is gone, until the key is over; a late answer is still one', async () => {
    const { kept, another, time, claim } = await keptStore()
    const other = (await another()).kept
    const mine = claim('k')
    await kept.claim(mine)
    time.now += 5 * MINUTE - 1
    expect(await other.claim(claim('k'))).toEqual({ state: 'busy', asked: mine.asked })
    time.now += 1
    expect(await other.claim(claim('k'))).toEqual({ state: 'unknown', asked: mine.asked })
    time.now += DAY - 5 * MINUTE - 1
    expect(await other.claim(claim('k'))).toEqual({ state: 'unknown', asked: mine.asked })
    await kept.keep(mine, '"late"')
    expect(await other.claim(claim('k'))).toMatchObject({ state: 'done', answer: '"late"' })
  })

  it('is given back by its holder alone, and not once it was done', async () => {
    const { kept, claim } = await keptStore()
    const mine = claim('k')
    await kept.claim(mine)
    await kept.drop(claim('k'))
    await kept.keep(claim('k'), '"of another"')
    expect(await kept.claim(claim('k'))).toMatchObject({ state: 'busy' })
    await kept.drop(mine)
    const next = claim('k')
    expect(await kept.claim(next)).toEqual({ state: 'mine' })
    await kept.drop(mine)
    await kept.keep(mine, '"of before"')
    await kept.keep(next, '"1"')
    await kept.keep(next, '"2"')
    await kept.drop(next)
    expect(await kept.claim(claim('k'))).toMatchObject({ state: 'done', answer: '"1"' })
  })

  it('security: keeps an answer to the byte, and what is too long as done', async () => {
    const one = await keptStore()
    const { kept, another, claim } = one
    const texts = ['', `'";\\ -- $$ \u0001\u2028 é😀`, 'a\u0000b', '\ud800', 'x'.repeat(100_000)]
    const other = (await another()).kept
    for (const [i, body] of texts.entries()) {
      const mine = claim(`k${i}`)
      const answer = JSON.stringify({ status: 201, headers: { location: body.slice(0, 9) }, body })
      await kept.claim(mine)
      await kept.keep(mine, answer)
      expect(await other.claim(claim(`k${i}`))).toMatchObject({ state: 'done', answer })
    }
    await done(one, 'as long as can be', 500_000, 'b')
    await done(one, 'longer', 500_001, 'c')
    expect([await found(one, ['as long as can be'], 'b'), await found(one, ['longer'], 'c')]).toEqual([
      [500_000],
      [null],
    ])
    const secret = claim('secret')
    await kept.claim(secret)
    await kept.keep(secret, null)
    expect(await other.claim(claim('secret'))).toMatchObject({ state: 'done', holder: secret.holder, answer: null })
  })
})

describe('what is remembered of calls', () => {
  it('security: is at most so many keys of a caller: the oldest that were done go, and none that may be worked on', async () => {
    const one = await keptStore({ keys: 3, bytes: 100, allBytes: 1_000 })
    const { kept, claim, time, column } = one
    await kept.claim(claim('worked on'))
    for (const key of ['z', 'y', 'x']) {
      time.now += 1
      await done(one, key, 5)
    }
    expect(await column("SELECT key FROM kept_calls WHERE caller = 'a' ORDER BY expires_at")).toEqual([
      'worked on',
      'y',
      'x',
    ])
    await done(one, 'z', 5, 'b')
    expect(await found(one, ['x', 'y'])).toEqual([5, 5])
    expect(await kept.claim(claim('second'))).toEqual({ state: 'mine' })
    expect(await kept.claim(claim('third'))).toEqual({ state: 'mine' })
    time.now += 5 * MINUTE
    expect(await kept.claim(claim('fourth'))).toEqual({ state: 'full' })
    expect(await kept.claim(claim('fourth', { caller: 'b' }))).toEqual({ state: 'mine' })
    expect(await found(one, ['worked on', 'second', 'third', 'z'])).toEqual(['unknown', 'unknown', 'unknown', 'full'])
    expect(await found(one, ['z'], 'b')).toEqual([5])
    expect(await column("SELECT count(*) FROM kept_calls WHERE caller = 'a'")).toEqual([3])
    expect(await column('SELECT sum(bytes) FROM kept_room')).toEqual([5])
  })

  it('security: is at most so many bytes of answers for a caller, and for all: the oldest go, and that they were done stays', async () => {
    const one = await keptStore({ keys: 100, bytes: 100, allBytes: 250 })
    const { time, column } = one
    const next = async (key: string, bytes: number, caller: string) => {
      time.now += 1
      await done(one, key, bytes, caller)
    }
    await next('z', 60, 'a')
    await next('y', 40, 'a')
    expect(await found(one, ['z', 'y'])).toEqual([60, 40])
    await next('x', 1, 'a')
    expect(await found(one, ['z', 'y', 'x'])).toEqual([null, 40, 1])
    await next('huge', 101, 'c')
    expect(await found(one, ['huge'], 'c')).toEqual([null])
    await next('k', 100, 'b')
    await next('k', 100, 'd')
    expect(await found(one, ['z', 'y', 'x'])).toEqual([null, 40, 1])
    await next('k', 49, 'e')
    expect(await found(one, ['z', 'y', 'x'])).toEqual([null, null, 1])
    await next('l', 40, 'e')
    expect([await found(one, ['x']), await found(one, ['k'], 'b'), await found(one, ['k'], 'd')]).toEqual([
      [null],
      [null],
      [100],
    ])
    expect(await column('SELECT sum(bytes) FROM kept_room')).toEqual(await column('SELECT sum(bytes) FROM kept_calls'))
  })

  it('goes some time after its time is over, a few at a time, and makes room', async () => {
    const one = await keptStore({ keys: 100, bytes: 100, allBytes: 200 })
    const { time, column } = one
    for (let i = 0; i < 20; i++) {
      time.now += 1
      await done(one, `k${i}`, 10, `c${i % 3}`)
    }
    expect(await column('SELECT sum(bytes) FROM kept_room')).toEqual([200])
    time.now += DAY
    expect(await found(one, ['k19'], 'c1')).toEqual(['mine'])
    const seen: unknown[] = []
    for (const key of ['new 0', 'new 1', 'new 2']) {
      await done(one, key, 100, 'new')
      seen.push([
        ...(await column('SELECT count(*) FROM kept_calls')),
        ...(await column('SELECT sum(bytes) FROM kept_room')),
      ])
    }
    // The look has taken nine, and each of the next takes eight of the eleven that are left.
    expect(seen).toEqual([
      [4, 130],
      [2, 100],
      [3, 100],
    ])
    expect(await column('SELECT sum(bytes) FROM kept_room')).toEqual(await column('SELECT sum(bytes) FROM kept_calls'))
  })

  it('is refused once the store is closed', async () => {
    const { another, claim, time } = await keptStore()
    const store = await another()
    await store.close()
    const refused = { code: 'rail_unavailable' }
    await expect(store.kept.claim(claim('k'))).rejects.toMatchObject(refused)
    await expect(store.kept.first(name('a'), time.now + 1)).rejects.toMatchObject(refused)
  })
})
