import { describe, expect, it } from 'vitest'
import { type Kept, keptAnswers, type Room } from '../../src/http/shared/idempotency.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const JSON_TYPE = { 'content-type': 'application/json' }
const PROBLEM = { 'content-type': 'application/problem+json' }

/** Kept answers whose clock a test moves, and how often work was done. */
function made(room?: Room) {
  const time = { now: 0 }
  const once = keptAnswers(() => time.now, room)
  let done = 0
  const answer = (body: string): Kept => ({ status: 200, headers: JSON_TYPE, body })
  const ask = (
    key: string,
    more: { asked?: string; caller?: string; secret?: boolean; work?: () => Promise<Kept> } = {},
  ) =>
    once({ caller: 'a', asked: 'x', secret: false, key, ...more }, () => {
      done += 1
      return more.work?.() ?? Promise.resolve(answer(`"${done}"`))
    })
  return { time, ask, done: () => done }
}

const problem = (code: string, status = 409): Kept => ({ status, headers: PROBLEM, body: JSON.stringify({ code }) })

describe('kept answers', () => {
  it('are given again for a day, or ten minutes where they hold a key', async () => {
    const { time, ask, done } = made()
    await ask('k')
    await ask('s', { secret: true })
    time.now = 10 * MINUTE - 1
    expect(await ask('s', { secret: true })).toMatchObject({ body: '"2"', replayed: true })
    time.now = 10 * MINUTE
    expect(await ask('s', { secret: true })).toMatchObject({ body: '"3"', replayed: false })
    time.now = DAY - 1
    expect(await ask('k')).toMatchObject({ body: '"1"', replayed: true })
    time.now = DAY
    expect(await ask('k')).toMatchObject({ body: '"4"', replayed: false })
    expect(done()).toBe(4)
  })

  it('security: are of who asked, and for what was asked', async () => {
    const { ask, done } = made()
    await ask('k')
    expect(await ask('k', { caller: 'b' })).toMatchObject({ body: '"2"', replayed: false })
    await expect(ask('k', { asked: 'y' })).rejects.toMatchObject({ code: 'idempotency_conflict' })
    expect(done()).toBe(2)
  })

  it('security: a call that is worked on is not done a second time, however long it takes', async () => {
    const { time, ask, done } = made()
    let finish = (_: Kept): void => undefined
    const first = ask('k', { work: () => new Promise((resolve) => (finish = resolve)) })
    time.now = 2 * DAY
    await expect(ask('k')).rejects.toMatchObject({ code: 'busy' })
    await expect(ask('k', { asked: 'y' })).rejects.toMatchObject({ code: 'idempotency_conflict' })
    finish({ status: 200, headers: JSON_TYPE, body: '1' })
    expect(await first).toMatchObject({ body: '1', replayed: false })
    expect(done()).toBe(1)
  })

  it.each([
    ['busy', 409, false],
    ['rail_unavailable', 502, false],
    ['outcome_unknown', 503, true],
    ['already_exists', 409, true],
    ['unauthenticated', 401, false],
  ])('%s (%i): is it kept? %s', async (code, status, isKept) => {
    const { ask, done } = made()
    const work = () => Promise.resolve(problem(code, status))
    await ask('k', { work })
    expect((await ask('k', { work })).replayed).toBe(isKept)
    expect(done()).toBe(isKept ? 1 : 2)
  })

  it('a bug may have done something: it is not done again; what threw before it began is', async () => {
    const { ask, done } = made()
    const bug = () => Promise.resolve({ status: 500, headers: PROBLEM, body: '{}' })
    await ask('k', { work: bug })
    expect(await ask('k', { work: bug })).toMatchObject({ status: 500, replayed: true })
    await expect(ask('t', { work: () => Promise.reject(new Error('x')) })).rejects.toThrow('x')
    expect(await ask('t')).toMatchObject({ replayed: false })
    expect(done()).toBe(3)
  })

  it('security: take no more room than there is, and one caller takes none of what another has', async () => {
    const { ask } = made({ keys: 3, bytes: 100, allBytes: 150 })
    const big = (length: number) => ({
      work: () => Promise.resolve({ status: 200, headers: JSON_TYPE, body: 'x'.repeat(length) }),
    })
    for (const key of ['1', '2', '3', '4']) await ask(key)
    expect([(await ask('4')).replayed, (await ask('2')).replayed]).toEqual([true, true])
    expect((await ask('1')).replayed).toBe(false)
    await ask('b', { caller: 'b', ...big(80) })
    for (const key of ['5', '6', '7']) await ask(key, big(60))
    expect((await ask('7', big(60))).replayed).toBe(true)
    expect((await ask('6', big(60))).replayed).toBe(false)
    expect((await ask('huge', { caller: 'c', ...big(101) })).replayed).toBe(false)
    expect((await ask('huge', { caller: 'c', ...big(101) })).replayed).toBe(false)
    const never = () => new Promise<Kept>(() => undefined)
    for (const key of ['x', 'y', 'z']) ask(key, { caller: 'd', work: never }).catch(() => undefined)
    await expect(ask('w', { caller: 'd' })).rejects.toMatchObject({ code: 'busy' })
    expect((await ask('w', { caller: 'e' })).replayed).toBe(false)
  })
})
