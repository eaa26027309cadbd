import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { bursar, emptyHome, newHome, owner } from './fixture.ts'

describe('journal', () => {
  it('verifies, and verifies its export where there is no bursar', async () => {
    const home = await newHome()
    expect(await owner(home, 'journal', 'verify')).toMatchObject({ ok: true, problems: [] })
    const out = join(home, 'journal.jsonl')
    const { vkey } = await owner(home, 'journal', 'export', '--out', out)
    const { stdout } = await bursar(home, ['journal', 'export'])
    expect(stdout).toBe(readFileSync(out, 'utf8'))
    expect(await owner(emptyHome(), 'journal', 'verify', out, '--vkey', vkey)).toMatchObject({ ok: true })
  })

  it('security: exits 3 and says where an export was changed', async () => {
    const home = await newHome()
    const out = join(home, 'journal.jsonl')
    await owner(home, 'journal', 'export', '--out', out)
    writeFileSync(out, readFileSync(out, 'utf8').replace('1000.00', '9000.00'))
    const { code, stdout, stderr } = await bursar(home, ['journal', 'verify', out, '--json'])
    expect(code).toBe(3)
    const report = JSON.parse(stdout)
    expect(report.ok).toBe(false)
    expect(report.problems[0]).toEqual({
      journal: expect.stringMatching(/^wal_/),
      seq: expect.any(Number),
      why: 'The event is not the one that was hashed.',
    })
    expect(stderr).toMatch(/^The journal does not hold: wal_/)
  })

  it('security: exits 3 where the database was changed behind its back', async () => {
    const home = await newHome()
    const database = new Database(join(home, 'bursar.db'))
    database.exec('UPDATE accounts SET available = available + 1, external = external - 1')
    database.close()
    expect((await bursar(home, ['journal', 'verify'])).code).toBe(3)
  })

  it('lists the end of one journal, of all, or of what is about a payment', async () => {
    const home = await newHome()
    const [last] = await owner(home, 'journal', 'list', '--wallet', 'sandbox', '--limit', '1')
    expect(last.type).toBe('wallet.funded')
    const all = await owner(home, 'journal', 'list')
    expect(new Set(all.map(({ journal }: { journal: string }) => journal)).size).toBe(2)
    expect(await owner(home, 'journal', 'list', '--payment', 'pay_1')).toEqual([])
  })
})

describe('backup', () => {
  it('is a whole bursar once it is put in place with the keys', async () => {
    const home = await newHome()
    const path = join(emptyHome(), 'copy.db')
    const made = await owner(home, 'backup', path, '--with-keys')
    expect(made).toEqual({ backup: path, keys: `${path}.keys` })
    const { code } = await bursar(made.keys, ['journal', 'verify'], { BURSAR_DATABASE_URL: `file:${path}` })
    expect(code).toBe(0)
  })

  it('security: leaves the keys where they are unless told, and overwrites nothing', async () => {
    const home = await newHome()
    const path = join(emptyHome(), 'copy.db')
    expect(await owner(home, 'backup', path)).toEqual({ backup: path, keys: null })
    expect(existsSync(`${path}.keys`)).toBe(false)
    const again = await bursar(home, ['backup', path, '--json'])
    expect(JSON.parse(again.stderr).error.code).toBe('already_exists')
  })
})

describe('doctor', () => {
  const problems = async (home: string, more = {}) => {
    const { code, stdout } = await bursar(home, ['doctor', '--json'], more)
    const wrong = JSON.parse(stdout).filter(({ ok }: { ok: boolean }) => !ok)
    for (const { mend } of wrong) expect(mend).toMatch(/\w/)
    return { code, checks: wrong.map(({ check }: { check: string }) => check) }
  }

  it('finds nothing wrong with a new home', async () => {
    expect(await problems(await newHome())).toEqual({ code: 0, checks: [] })
  })

  it('says what is wrong and how to mend it, exit 4', async () => {
    expect(await problems(join(emptyHome(), 'nowhere'))).toEqual({ code: 4, checks: ['home'] })
    expect(await problems(emptyHome(), { BURSAR_LOG: 'shout' })).toEqual({ code: 4, checks: ['configuration'] })
    const keyless = await newHome()
    rmSync(join(keyless, 'owner.key'))
    expect(await problems(keyless)).toEqual({ code: 4, checks: ['key file'] })
  })

  it.skipIf(process.platform === 'win32')('sees what others can reach', async () => {
    const home = await newHome()
    chmodSync(join(home, 'owner.key'), 0o644)
    expect(await problems(home)).toEqual({ code: 4, checks: ['key file'] })
  })

  it('sees a file that is no database, and one of a newer bursar', async () => {
    const broken = await newHome()
    writeFileSync(join(broken, 'bursar.db'), 'not a database, but longer than the header of one would be'.repeat(20))
    expect(await problems(broken)).toEqual({ code: 4, checks: ['database'] })
    const newer = await newHome()
    const database = new Database(join(newer, 'bursar.db'))
    database.pragma('user_version = 1000')
    database.close()
    expect((await problems(newer)).checks).toEqual(['database'])
    expect((await bursar(newer, ['wallet', 'list'])).code).toBe(2)
  })

  it('sees a wallet that cannot pay', async () => {
    const home = await newHome()
    for (const { limit_id, over, window } of await owner(home, 'limit', 'list'))
      if (over === 'deny' && window === 'day') await owner(home, 'limit', 'remove', limit_id)
    expect(await problems(home)).toEqual({ code: 4, checks: ['wallet'] })
  })
})
