import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { move, type Point, takeBack } from '../../src/store/move/index.ts'
import { bundled, Child } from '../support/children.ts'
import { buy, makeCard, makePurse, type Purse } from '../support/purse.ts'
import { emptyDatabase, isLive, keyOf, newFile, problemsOf, purseOn, rowsIn, side } from './move-purse.ts'

let script = ''
beforeAll(async () => {
  script = await bundled('test/postgres/mover.ts')
})
afterAll(() => rmSync(dirname(script), { recursive: true, force: true }))

/** Runs the move and kills it at this point, which it reached. */
async function killedAt(purse: Purse, from: string, to: string, point: Point): Promise<void> {
  const child = new Child(script, [from, to, purse.journalKey.publicKey.toString('base64'), point])
  await child.ended
  expect([child.process.signalCode, child.lines.at(-1)]).toEqual(['SIGKILL', point])
}

const hasPurse = async (where: string): Promise<boolean> => (await rowsIn(where)).instance?.length === 1

async function paying(): Promise<Purse> {
  const purse = await makePurse()
  const card = await makeCard(purse)
  await buy(purse, card, '20.00')
  await buy(purse, card, '30.00')
  return purse
}

/** Where the purse is, and a database that it is moved to. */
type Route = (purse: Purse) => Promise<{ from: string; to: string }>
const INTO: Route = async ({ path }) => ({ from: path, to: await emptyDatabase() })
const BACK: Route = async (purse) => {
  const from = await emptyDatabase()
  await move({ source: await side(purse.path), target: await side(from), key: keyOf(purse) })
  return { from, to: newFile() }
}
const CASES: readonly [string, Point, Route][] = [
  ...(['marked', 'copied payments', 'proved', 'committed'] as const).map((point): [string, Point, Route] => [
    'into PostgreSQL',
    point,
    INTO,
  ]),
  ...(['marked', 'proved'] as const).map((point): [string, Point, Route] => ['back to a file', point, BACK]),
]

describe('a move that is killed', () => {
  it.each(CASES)('%s, at `%s`, leaves no two purses, and goes on', async (_way, point, route) => {
    const purse = await paying()
    const { from, to } = await route(purse)
    const before = await rowsIn(from)
    await killedAt(purse, from, to, point)
    expect(await isLive((await purseOn(purse, from)).bursar)).toBe(false)
    expect(await hasPurse(to)).toBe(point === 'committed')
    const moved = await move({ source: await side(from), target: await side(to), key: keyOf(purse) })
    expect(moved.before).toBe(point === 'committed')
    expect(await rowsIn(to)).toEqual(before)
    const there = await purseOn(purse, to)
    expect(await problemsOf(there)).toEqual([])
    expect([await isLive((await purseOn(purse, from)).bursar), await isLive(there.bursar)]).toEqual([false, true])
  })

  it('before the mark leaves the purse as it was', async () => {
    const purse = await paying()
    const to = await emptyDatabase()
    await killedAt(purse, purse.path, to, 'verified')
    expect([await isLive(purse.bursar), await hasPurse(to)]).toEqual([true, false])
  })

  it.each(['marked', 'proved'] as const)('at `%s` can be undone: the purse pays on where it was', async (point) => {
    const purse = await paying()
    const to = await emptyDatabase()
    await killedAt(purse, purse.path, to, point)
    await takeBack({ source: await side(purse.path), target: await side(to) })
    expect([await isLive(purse.bursar), await hasPurse(to)]).toEqual([true, false])
    expect(await problemsOf(purse)).toEqual([])
  })

  it('after the commit cannot be undone', async () => {
    const purse = await paying()
    const to = await emptyDatabase()
    await killedAt(purse, purse.path, to, 'committed')
    const undone = takeBack({ source: await side(purse.path), target: await side(to) })
    await expect(undone).rejects.toMatchObject({ code: 'wrong_state' })
    expect([await isLive(purse.bursar), await hasPurse(to)]).toEqual([false, true])
  })

  it('goes on to the database that it began with, and to no other', async () => {
    const purse = await paying()
    const to = await emptyDatabase()
    await killedAt(purse, purse.path, to, 'copied payments')
    const other = await side(await emptyDatabase())
    const source = await side(purse.path)
    await expect(move({ source, target: other, key: keyOf(purse) })).rejects.toMatchObject({ code: 'config_invalid' })
    await expect(takeBack({ source, target: other })).rejects.toMatchObject({ code: 'config_invalid' })
    expect(await isLive(purse.bursar)).toBe(false)
  })
})
