import { describe, expect, it } from 'vitest'
import { move } from '../../src/store/move/index.ts'
import { TABLES } from '../../src/store/move/tables.ts'
import {
  emptyDatabase,
  isLive,
  keyOf,
  newFile,
  problemsOf,
  purseOn,
  rememberedIn,
  rowsIn,
  side,
  storiedPurse,
} from './move-purse.ts'

describe('a purse that is moved', () => {
  it('is the same there, and the same back again, byte for byte', async () => {
    const purse = await storiedPurse()
    const key = keyOf(purse)
    const kept = (await purse.bursar.store.read.heads()).map(({ checkpoint }) => checkpoint)
    const before = await rowsIn(purse.path)
    expect(Object.keys(before).filter((table) => before[table]?.length === 0)).toEqual([])
    // What is only remembered stays behind.
    await purse.bursar.store.kept.first('f'.repeat(64), purse.time.now + 1)
    expect(await rememberedIn(purse.path)).toEqual([0, 1])
    const url = await emptyDatabase()
    const there = await move({ source: await side(purse.path), target: await side(url), key })
    expect(await rowsIn(url)).toEqual(before)
    expect(there.rows).toEqual(Object.fromEntries(TABLES.map(({ name }) => [name, before[name]?.length])))
    expect(await rememberedIn(url)).toEqual([0, 0])
    const moved = await purseOn(purse, url)
    expect(await problemsOf(moved, kept)).toEqual([])
    const back = newFile()
    await move({ source: await side(url), target: await side(back), key })
    expect(await rowsIn(back)).toEqual(before)
    const again = await purseOn(purse, back)
    expect(await problemsOf(again, kept)).toEqual([])
    expect([await isLive(purse.bursar), await isLive(moved.bursar), await isLive(again.bursar)]).toEqual([
      false,
      false,
      true,
    ])
    expect(await problemsOf(again, kept)).toEqual([])
  }, 120_000)
})
