// First: what is sealed and opened here is what other processes open and seal.
import '../support/light-work.cjs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bursar, newHome, OWNER, owner } from '../cli/fixture.ts'
import { emptyDatabase } from './move-purse.ts'

const failed = async (home: string, args: readonly string[], more: Record<string, string> = {}) => {
  const { code, stderr } = await bursar(home, [...args, '--json'], { ...OWNER, ...more })
  return [code, (JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string } }).error.code]
}

describe('bursar migrate-store', () => {
  it('moves the purse of a home into PostgreSQL, and back to a file', async () => {
    const home = await newHome()
    const url = await emptyDatabase()
    await owner(home, 'wallet', 'fund', 'sandbox', '25.00')
    const before = await owner(home, 'wallet', 'list')
    const move = ['migrate-store', '--to', url]

    expect(await failed(home, move, { BURSAR_OWNER_PASSPHRASE: 'wrong' })).toEqual([1, 'passphrase_wrong'])
    expect(await failed(home, ['migrate-store', '--to', 'nowhere'])).toEqual([1, 'argument_invalid'])
    expect(await failed(home, [...move, '--undo'])).toEqual([1, 'wrong_state'])
    const report = await owner(home, ...move)
    expect(report).toMatchObject({ moved: true, before: false, rows: { instance: 1, owners: 1 } })
    expect(report.wallets).toEqual([expect.objectContaining({ available_units: '102500', held_units: '0' })])

    // Here it is closed: it can be read, and nothing can be written.
    expect(await owner(home, 'wallet', 'list')).toEqual(before)
    expect(await failed(home, ['wallet', 'fund', 'sandbox', '1.00'])).toEqual([2, 'config_invalid'])
    expect(await owner(home, ...move)).toMatchObject({ moved: true, before: true })
    expect(await failed(home, [...move, '--undo'])).toEqual([1, 'wrong_state'])

    const there = { ...OWNER, BURSAR_DATABASE_URL: url }
    const { journals } = report as { journals: { checkpoint: string }[] }
    expect(journals).toHaveLength(2)
    expect(await bursar(home, ['wallet', 'fund', 'sandbox', '1.00', '--json'], there)).toMatchObject({ code: 0 })
    const file = join(home, 'back.db')
    const back = await bursar(home, ['migrate-store', '--to', `file:${file}`, '--json'], there)
    expect(back).toMatchObject({ code: 0, stderr: '' })
    expect(await failed(home, ['wallet', 'fund', 'sandbox', '1.00'], there)).toEqual([2, 'config_invalid'])
    const again = { ...OWNER, BURSAR_DATABASE_URL: `file:${file}` }
    expect(await bursar(home, ['wallet', 'fund', 'sandbox', '1.00'], again)).toMatchObject({ code: 0 })
    expect(await bursar(home, ['journal', 'verify'], again)).toMatchObject({ code: 0 })
  }, 240_000)
})
