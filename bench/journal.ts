import { hash } from 'node:crypto'
import { verifyStore } from '../src/actions/owner/journal.ts'
import { journalNoteKey } from '../src/store/sqlite/index.ts'
import { journalKeyFile } from '../src/vault/keys.ts'
import type { Figure } from './measure.ts'
import { median, perSecondOf, progress } from './measure.ts'
import { decide, filesOf, makePurse, temporaryFolder } from './purse.ts'

const ROUNDS = 5
const DECISIONS = 30_000
const CALLERS = 64
const PROMISED = 50_000

/** Verifying all there is to verify, against hashing and parsing the same events and nothing else. */
export async function journalVerification(): Promise<Figure> {
  progress('journal verification')
  const folder = await temporaryFolder()
  const purse = await makePurse(folder)
  await perSecondOf(CALLERS, DECISIONS, () => decide(purse))
  const key = journalNoteKey(Buffer.from(journalKeyFile(filesOf(folder).journalKey).publicKey, 'base64'))
  const { read } = purse.bursar.store
  const bodies: string[] = []
  for (const { journal } of await read.heads())
    for await (const { body } of read.events(journal)) bodies.push(body ?? '')
  const rates: number[] = []
  const ratios: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const verified = await eventsPerSecond(bodies.length, async () => {
      const { ok, problems } = await verifyStore(purse.bursar, key)
      if (!ok) throw new Error(problems[0]?.why)
    })
    const parsed = await eventsPerSecond(bodies.length, () => {
      for (const body of bodies) {
        hash('sha256', body)
        JSON.parse(body)
      }
    })
    progress(
      `  ${Math.round(verified).toLocaleString('en')} events/s against ${Math.round(parsed).toLocaleString('en')}`,
    )
    rates.push(verified)
    ratios.push(verified / parsed)
  }
  await purse.close()
  const rate = median(rates)
  return {
    name: `journal verification, ${bodies.length.toLocaleString('en')} events`,
    against: `${PROMISED.toLocaleString('en')} events/s`,
    ratio: rate / PROMISED,
    target: '>= 1',
    note: `${Math.round(rate / 1000)},000 events/s; ${median(ratios).toFixed(2)} × SHA-256 and JSON.parse of the same bytes`,
  }
}

async function eventsPerSecond(events: number, work: () => Promise<void> | void): Promise<number> {
  const began = performance.now()
  await work()
  return (events * 1000) / (performance.now() - began)
}
