import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Report } from '../../src/core/verify/index.ts'
import { bursar, type Ran, works } from '../house.ts'
import type { Play } from '../play.ts'
import { NotAsTold } from '../stage.ts'

/** Somebody with the file changes a copy of it. First as a program would, then with the rules of the database taken away. */
export async function tamper(play: Play): Promise<void> {
  const { stage, house } = play
  await stage.chapter('Somebody with the database file rewrites history, in a copy.')
  await stage.act('you', 'bursar backup copy.db --with-keys')
  const backup = join(house.folder, 'copy.db')
  await works(['backup', backup, '--with-keys'], { BURSAR_HOME: house.home })
  const whole = await verified(homeOf(play, backup, 'untouched'))
  stage.check('the copy holds', [whole.code, whole.report.ok], [0, true])
  await changeEvent(play, homeOf(play, backup, 'event'))
  await changeBalance(play, homeOf(play, backup, 'balance'))
  stage.note(
    'Whoever holds journal.key as well could sign another history. A checkpoint that was kept elsewhere shows that too.',
  )
}

/** A home of its own around one more copy of the backup. */
function homeOf({ house }: Play, backup: string, name: string): string {
  const home = join(house.folder, name)
  mkdirSync(home, { mode: 0o700 })
  copyFileSync(backup, join(home, 'bursar.db'))
  for (const key of ['journal.key', 'owner.key']) copyFileSync(join(`${backup}.keys`, key), join(home, key))
  return home
}

interface EventRow {
  readonly journal: string
  readonly seq: number
  readonly body: string
}

async function changeEvent({ stage }: Play, home: string): Promise<void> {
  const database = new Database(join(home, 'bursar.db'))
  const row = database
    .prepare(`SELECT journal, seq, body FROM events WHERE type = 'payment.captured' ORDER BY journal, seq LIMIT 1`)
    .get() as EventRow
  const change = () =>
    database
      .prepare('UPDATE events SET body = ? WHERE journal = ? AND seq = ?')
      .run(row.body.replace('"amount":"49.00"', '"amount":"48.00"'), row.journal, row.seq)
  await stage.act('thief', `UPDATE events SET body = … "48.00" … WHERE seq = ${row.seq}`)
  const refusal = 'bursar: an event is never changed'
  stage.check('the database refuses it', messageOf(change), refusal, refusal)
  await stage.act('thief', 'DROP TRIGGER events_stay, and the same again')
  database.exec('DROP TRIGGER events_stay')
  stage.check('one digit is changed', change().changes, 1)
  database.close()
  await stage.act('you', 'bursar journal verify')
  const { code, report, stderr } = await verified(home)
  const [first] = report.problems
  stage.check(
    `exit 3, and it names the event: ${row.seq}`,
    [code, report.ok, first?.journal, first?.seq],
    [3, false, row.journal, row.seq],
    stderr.trim(),
  )
}

async function changeBalance({ stage }: Play, home: string): Promise<void> {
  const database = new Database(join(home, 'bursar.db'))
  const update = 'UPDATE accounts SET available = available + 10000, external = external - 10000 WHERE wallet_id = '
  await stage.act('thief', `${update}'wal_…'`)
  const { changes } = database.prepare(`${update}(SELECT id FROM wallets WHERE name = 'sandbox')`).run()
  stage.check('the sums are right, so the database takes it: 100.00 USD from nowhere', changes, 1)
  database.close()
  await stage.act('you', 'bursar journal verify')
  const { code, report, stderr } = await verified(home)
  const why = report.problems[0]?.why ?? ''
  stage.check(
    'exit 3: no event says so',
    [code, report.ok, /^accounts wal_/.test(why)],
    [3, false, true],
    stderr.trim(),
  )
}

async function verified(home: string): Promise<Ran & { readonly report: Report }> {
  const ran = await bursar(['journal', 'verify', '--json'], { BURSAR_HOME: home })
  if (ran.stdout === '')
    throw new NotAsTold(`\`bursar journal verify\` ended with ${ran.code} and no report.\n${ran.stderr}`)
  return { ...ran, report: JSON.parse(ran.stdout) as Report }
}

function messageOf(work: () => unknown): string {
  try {
    work()
    return ''
  } catch (error) {
    return (error as Error).message
  }
}
