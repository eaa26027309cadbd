import { describe, expect, it } from 'vitest'
import { type Answered, keptAnswers } from '../../src/http/shared/idempotency.ts'
import type { Kept, Room } from '../../src/ports.ts'
import { keptStore } from '../store/kept-store.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const JSON_TYPE = { 'content-type': 'application/json' }
const PROBLEM = { 'content-type': 'application/problem+json' }

type Work = () => Promise<Answered>
interface More {
  readonly asked?: string
  readonly caller?: string
  readonly secret?: boolean
  readonly work?: Work
  /** The same, at another process. */
  readonly elsewhere?: boolean
}

/** Kept answers of two processes on one store whose clock a test moves, and how often work was done. */
async function made(room?: Room, wrap = (kept: Kept): Kept => kept) {
  const { time, kept, another, column } = await keptStore()
  const failures: unknown[] = []
  const once = (of: Kept) =>
    keptAnswers({
      ...{ kept: wrap(of), clock: { now: () => time.now }, failed: (error: unknown) => void failures.push(error) },
      ...(room && { room }),
    })
  const [here, there] = [once(kept), once((await another()).kept)]
  let done = 0
  const answer = (body: string): Answered => ({ status: 200, headers: JSON_TYPE, body })
  const ask = (key: string, { work, elsewhere, asked = 'x', ...more }: More = {}) =>
    (elsewhere ? there : here)({ caller: 'a', secret: false, key, ...more, asked: asked.repeat(64) }, () => {
      done += 1
      return work?.() ?? Promise.resolve(answer(`"${done}"`))
    })
  return { time, ask, done: () => done, failures, column }
}

const problem = (code: string, status = 409): Answered => ({ status, headers: PROBLEM, body: JSON.stringify({ code }) })

describe('kept answers', () => {
  it('are given again for a day, by every process', async () => {
    const { time, ask, done } = await made()
    const said = { status: 201, headers: { ...JSON_TYPE, location: '/a' }, body: '{"a":"\\u0000é"}' }
    await ask('k', { work: () => Promise.resolve(said) })
    expect(await ask('k')).toEqual({ ...said, replayed: true })
    time.now += DAY - 1
    expect(await ask('k', { elsewhere: true })).toEqual({ ...said, replayed: true })
    time.now += 1
    expect(await ask('k', { elsewhere: true })).toMatchObject({ body: '"2"', replayed: false })
    expect(done()).toBe(2)
  })

  it('security: that hold a key are in no database: their own process gives them again, for ten minutes', async () => {
    const { time, ask, done, column } = await made()
    const secret = true
    const work = () => Promise.resolve({ status: 201, headers: JSON_TYPE, body: '{"key":"bak_secret"}' })
    await ask('s', { secret, work })
    const refused = { code: 'wrong_state', message: expect.stringMatching(/was done.*held a key.*Revoke/) }
    await expect(ask('s', { secret, elsewhere: true })).rejects.toMatchObject(refused)
    await expect(ask('s', { secret, asked: 'y' })).rejects.toMatchObject({ code: 'idempotency_conflict' })
    time.now += 10 * MINUTE - 1
    expect(await ask('s', { secret })).toMatchObject({ body: '{"key":"bak_secret"}', replayed: true })
    time.now += 1
    await expect(ask('s', { secret })).rejects.toMatchObject(refused)
    expect(await column('SELECT answer FROM kept_calls')).toEqual([''])
    // A no holds none.
    await ask('n', { secret, work: () => Promise.resolve(problem('already_exists')) })
    expect(await ask('n', { secret, elsewhere: true })).toMatchObject({ status: 409, replayed: true })
    expect(done()).toBe(2)
  })

  it('security: are of who asked, and for what was asked', async () => {
    const { ask, done } = await made()
    await ask('k')
    expect(await ask('k', { caller: 'b' })).toMatchObject({ body: '"2"', replayed: false })
    for (const elsewhere of [false, true])
      await expect(ask('k', { asked: 'y', elsewhere })).rejects.toMatchObject({ code: 'idempotency_conflict' })
    expect(done()).toBe(2)
  })

  it('security: a call that is worked on is not done a second time, however long it takes', async () => {
    const { time, ask, done } = await made()
    let finish = (_: Answered): void => undefined
    const began = new Promise<void>((resolve) => {
      const work = () => {
        resolve()
        return new Promise<Answered>((end) => (finish = end))
      }
      void ask('k', { work }).then(({ replayed }) => expect(replayed).toBe(false))
    })
    await began
    for (const elsewhere of [false, true]) {
      await expect(ask('k', { elsewhere })).rejects.toMatchObject({ code: 'busy' })
      await expect(ask('k', { elsewhere, asked: 'y' })).rejects.toMatchObject({ code: 'idempotency_conflict' })
    }
    time.now += 5 * MINUTE - 1
    await expect(ask('k', { elsewhere: true })).rejects.toMatchObject({ code: 'busy' })
    time.now += 1
    await expect(ask('k', { elsewhere: true })).rejects.toMatchObject({
      ...{ code: 'outcome_unknown', message: expect.stringMatching(/is gone.*Look at.*another key/) },
    })
    time.now += DAY - 5 * MINUTE - 1
    await expect(ask('k')).rejects.toMatchObject({ code: 'outcome_unknown' })
    finish({ status: 200, headers: JSON_TYPE, body: '1' })
    await expect
      .poll(() => ask('k', { elsewhere: true }).catch(() => null))
      .toMatchObject({ body: '1', replayed: true })
    expect(done()).toBe(1)
  })

  it.each([
    ['busy', 409, false],
    ['rail_unavailable', 502, false],
    ['outcome_unknown', 503, true],
    ['already_exists', 409, true],
    ['unauthenticated', 401, false],
  ])('%s (%i): is it kept? %s', async (code, status, isKept) => {
    const { ask, done } = await made()
    const work = () => Promise.resolve(problem(code, status))
    await ask('k', { work })
    expect((await ask('k', { work, elsewhere: true })).replayed).toBe(isKept)
    expect(done()).toBe(isKept ? 1 : 2)
  })

  it('a bug may have done something: it is not done again; what threw before it began is', async () => {
    const { ask, done } = await made()
    const bug = () => Promise.resolve({ status: 500, headers: PROBLEM, body: '{}' })
    await ask('k', { work: bug })
    expect(await ask('k', { work: bug })).toMatchObject({ status: 500, replayed: true })
    await expect(ask('t', { work: () => Promise.reject(new Error('x')) })).rejects.toThrow('x')
    expect(await ask('t')).toMatchObject({ replayed: false })
    expect(done()).toBe(3)
  })

  it('security: take no more room than there is, and one caller takes none of what another has', async () => {
    const { ask, time } = await made({ keys: 3, bytes: 250, allBytes: 1_000 })
    const big = (length: number) => ({
      work: () => Promise.resolve({ status: 200, headers: JSON_TYPE, body: 'x'.repeat(length) }),
    })
    const next = (key: string, more: More) => {
      time.now += 1
      return ask(key, more)
    }
    for (const key of ['1', '2', '3', '4']) await next(key, big(0))
    expect([(await ask('4')).replayed, (await ask('2')).replayed]).toEqual([true, true])
    expect((await next('1', big(0))).replayed).toBe(false)
    await next('b', { caller: 'b', ...big(100) })
    // Three answers of a caller are too much, and two are not.
    for (const key of ['5', '6']) await next(key, big(30))
    expect((await ask('6')).replayed).toBe(true)
    await expect(ask('1')).rejects.toMatchObject({
      code: 'wrong_state',
      message: expect.stringMatching(/not kept any/),
    })
    expect((await ask('b', { caller: 'b' })).replayed).toBe(true)
    expect((await ask('huge', { caller: 'c', ...big(201) })).replayed).toBe(false)
    await expect(ask('huge', { caller: 'c' })).rejects.toMatchObject({ code: 'wrong_state' })
    const began = ['x', 'y', 'z'].map(
      (key) =>
        new Promise<void>((resolve) => {
          const never = () => {
            resolve()
            return new Promise<Answered>(() => undefined)
          }
          void ask(key, { caller: 'd', work: never })
        }),
    )
    await Promise.all(began)
    await expect(ask('w', { caller: 'd' })).rejects.toMatchObject({ code: 'busy' })
    expect((await ask('w', { caller: 'e' })).replayed).toBe(false)
  })
})

describe('where nothing can be remembered', () => {
  const away = () => Promise.reject(new Error('away'))

  it('security: nothing is done', async () => {
    const { ask, done } = await made(undefined, (kept) => ({
      claim: away,
      keep: kept.keep,
      drop: kept.drop,
      first: away,
    }))
    await expect(ask('k')).rejects.toThrow('away')
    expect(done()).toBe(0)
  })

  it('security: what was done is answered, and not done again', async () => {
    const { ask, done, failures, time } = await made(undefined, (kept) => ({
      ...{ claim: (claim) => kept.claim(claim), keep: away, drop: away, first: away },
    }))
    expect(await ask('k')).toMatchObject({ body: '"1"', replayed: false })
    await expect(ask('k')).rejects.toMatchObject({ code: 'busy' })
    time.now += 5 * MINUTE
    await expect(ask('k', { elsewhere: true })).rejects.toMatchObject({ code: 'outcome_unknown' })
    expect(await ask('n', { work: () => Promise.resolve(problem('busy')) })).toMatchObject({ status: 409 })
    await expect(ask('t', { work: () => Promise.reject(new Error('x')) })).rejects.toThrow('x')
    expect([done(), failures.length]).toEqual([3, 3])
  })
})
