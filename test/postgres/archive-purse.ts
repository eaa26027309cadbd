import { join } from 'node:path'
import { fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { type Archived, archiveJournals } from '../../src/actions/owner/archive.ts'
import { ArchiveFolder } from '../../src/actions/owner/archive-files.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import type { InstrumentView, PaymentView } from '../../src/actions/wire.ts'
import type { NoteKey } from '../../src/core/note.ts'
import type { Report } from '../../src/core/verify/index.ts'
import { journalNoteKey } from '../../src/store/shared/journals.ts'
import { makeKeyPair, signerOf } from '../../src/vault/keys.ts'
import { collected } from '../support/collected.ts'
import { asked, type TestDatabase, testDatabase } from '../support/postgres.ts'
import { buy, type Purse, temporaryFolder } from '../support/purse.ts'
import { makeCardOf, makePostgresPurse, type PostgresPurse } from './store-purse.ts'

export interface OldPurse extends PostgresPurse {
  readonly database: TestDatabase
  readonly key: NoteKey
  /** The one of the journals. */
  readonly pair: ReturnType<typeof makeKeyPair>
  /** Where the archive goes. */
  readonly out: string
  /** One payment of each month, from March to June of 2026. */
  readonly paid: readonly PaymentView[]
  archive(before?: string, portion?: number): Promise<Archived>
  /** @param folder of the archive; null: none */
  verify(folder?: string | null): Promise<Report>
}

/** 2026-03-10, 2026-04-10 …, at noon. */
export const month = (n: number): number => Date.UTC(2026, 2 + n, 10, 12)

/** A purse that is four months old, opened by who owns its tables; its clock says June. */
export async function makeOldPurse(): Promise<OldPurse> {
  const database = await testDatabase()
  const pair = makeKeyPair()
  const journalKey = { publicKey: Buffer.from(pair.publicKey, 'base64'), sign: signerOf(pair) }
  const purse = await makePostgresPurse(database.ownerUrl, { journalKey })
  const key = journalNoteKey(journalKey.publicKey)
  const out = join(temporaryFolder(), 'archive')
  const paid: PaymentView[] = []
  for (let n = 0; n < 4; n++) {
    purse.time.now = month(n)
    paid.push(await payOnce(purse))
  }
  return {
    ...purse,
    ...{ database, key, pair, journalKey, out, paid },
    archive: (before = '2026-05', portion) =>
      archiveJournals(purse.bursar, purse.authority, key, {
        ...{ before, folder: out },
        ...(portion !== undefined && { portion }),
      }),
    verify: async (folder = null) =>
      verifyStore(purse.bursar, key, [], folder === null ? null : await ArchiveFolder.open(folder, key)),
  }
}

/** A card for one payment, and the payment: both are over then. */
export async function payOnce(purse: PostgresPurse, more: object = {}): Promise<PaymentView> {
  const card = await makeCardOf(purse, purse.caller, { usage_limit: 1, expires_in: '7d', amount: '25.00' })
  return buy(purse as unknown as Purse, card, '20.00', more)
}

/** Refused: over what the card has; by no card; and something on the web that cannot be asked for. Their ids. */
export async function refuseThree(purse: PostgresPurse, card: InstrumentView): Promise<readonly string[]> {
  const over = await buy(purse as unknown as Purse, card, '4000.00')
  const cardless = await buy(purse as unknown as Purse, { ...card, instrument_id: 'inst_none' }, '4.00')
  const { payment: unbought } = await fetchWithPayment(purse.bursar, purse.caller, {
    ...{ instrument_id: card.instrument_id, url: 'https://shop.example/a', headers: { cookie: 'a=b' } },
    ...{ max_amount: '1.00', purpose: 'A page' },
  })
  const all = [over, cardless, unbought!]
  if (all.some(({ status }) => status !== 'refused')) throw new Error('One of them was not refused.')
  return all.map(({ payment_id }) => payment_id)
}

/** Those of these payments that have a row. */
export async function rowsOf({ store: { read } }: PostgresPurse, ids: readonly string[]): Promise<readonly string[]> {
  const rows = await Promise.all(ids.map((id) => read.one('payments', { id })))
  return rows.flatMap((row) => row?.id ?? [])
}

/** The events of all journals that have no body in the database. */
export async function bodiless({ bursar: { store } }: OldPurse): Promise<number> {
  const journals = await store.read.journals()
  const events = (await Promise.all(journals.map((journal) => collected(store.read.events(journal))))).flat()
  return events.filter(({ body }) => body === null).length
}

/** Whoever gets past every wall. */
export const forced = ({ database }: OldPurse, sql: string): Promise<unknown> =>
  asked(database.adminUrl, (client) =>
    client.query(
      `ALTER TABLE bursar.events DISABLE TRIGGER ALL; ${sql};
       ALTER TABLE bursar.events ENABLE ALWAYS TRIGGER events_append, ENABLE ALWAYS TRIGGER events_are_whole,
         ENABLE ALWAYS TRIGGER events_stay, ENABLE ALWAYS TRIGGER events_remain`,
    ),
  )

/** As `forced`, in every table, and without foreign keys. All walls stand again afterwards. */
export const tampered = ({ database }: OldPurse, sql: string): Promise<unknown> =>
  asked(database.adminUrl, async (client) => {
    const walls = (state: string) => `DO $$ DECLARE wall record; BEGIN
      FOR wall IN SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'bursar'::regnamespace AND NOT t.tgisinternal
      LOOP EXECUTE format('ALTER TABLE bursar.%I ${state} TRIGGER %I', wall.relname, wall.tgname); END LOOP; END $$`
    await client.query(`SET session_replication_role = replica; ${walls('DISABLE')}; ${sql}; ${walls('ENABLE ALWAYS')}`)
  })
