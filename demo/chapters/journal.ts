import type { Report } from '../../src/core/verify/index.ts'
import { bursar, works } from '../house.ts'
import type { Play } from '../play.ts'
import { dollars } from '../play.ts'

interface Wallet {
  readonly available_amount: string
  readonly held_amount: string
}

/** The owner's side of the story: what is left, and that all of it is on record. */
export async function verifyJournal(play: Play): Promise<void> {
  const { stage, house } = play
  const env = { BURSAR_HOME: house.home }
  await stage.chapter('Everything is in the journal, and anyone can check it.')
  const wallet = JSON.parse(await works(['wallet', 'show', 'sandbox', '--json'], env)) as Wallet
  const left = dollars(100_000 - play.spent)
  await stage.act('you', 'bursar wallet show sandbox')
  stage.check(
    `${left} USD of 1000.00 are left, nothing is held; ${dollars(play.spent)} went out`,
    [wallet.available_amount, wallet.held_amount],
    [left, '0.00'],
  )
  await stage.act('you', 'bursar journal verify')
  const report = JSON.parse(await works(['journal', 'verify', '--json'], env)) as Report
  stage.check(
    `holds: ${report.events} events in ${report.journals.length} journals, signed, and the tables are what they say`,
    [report.ok, report.problems],
    [true, []],
  )
  const listed = JSON.parse(await works(['journal', 'list', '--limit', '100000', '--json'], env)) as object[]
  const attempted = new Set(
    (listed as { type: string; payment_id?: string }[])
      .filter(({ type }) => type === 'payment.attempted')
      .map((one) => one.payment_id),
  )
  const missing = [...play.attempts].filter((id) => !attempted.has(id))
  stage.check(
    `all ${play.attempts.size} attempts to pay are in it, refused ones too`,
    [missing, attempted.size],
    [[], play.attempts.size],
  )
  await verifyElsewhere(play)
}

/** An export, checked where there is no bursar at all. */
async function verifyElsewhere({ stage, house }: Play): Promise<void> {
  const file = `${house.folder}/journal.jsonl`
  await stage.act('you', 'bursar journal export --out journal.jsonl')
  const exported = await works(['journal', 'export', '--out', file, '--json'], { BURSAR_HOME: house.home })
  const { vkey } = JSON.parse(exported) as { vkey: string }
  await stage.act('you', `bursar journal verify journal.jsonl --vkey ${vkey.slice(0, 24)}…   (on another machine)`)
  const elsewhere = { BURSAR_HOME: `${house.folder}/elsewhere` }
  const { code } = await bursar(['journal', 'verify', file, '--vkey', vkey], elsewhere)
  stage.check('holds there too', code, 0)
}
