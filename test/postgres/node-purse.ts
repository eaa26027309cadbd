import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'vitest'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Caller, RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { journalNoteKey } from '../../src/store/shared/journals.ts'
import { Audit } from '../support/audit.ts'
import { asked } from '../support/postgres.ts'
import type { Books } from '../support/store.ts'
import type { Node } from './node-open.ts'

let audits = 0

/** What is wrong with the books, the journals and the card network's, seen from outside. Nothing is the right answer. */
export async function problemsOf(node: Node, adminUrl: string, folder: string): Promise<readonly unknown[]> {
  audits += 1
  const issuer = join(folder, `issuer-${audits}.db`)
  await copyIssuer(adminUrl, issuer)
  const audit = new Audit(node.bursar.store.read, node.publicKey, booksAt(adminUrl), issuer)
  try {
    const { problems } = await verifyStore(node.bursar, journalNoteKey(node.publicKey))
    return [...(await audit.problems(true)), ...problems]
  } finally {
    await audit.close()
  }
}

/** Recovery leaves nothing held, and nothing is wrong. */
export async function expectWhole(node: Node, adminUrl: string, folder: string): Promise<void> {
  await recover(node.bursar)
  const held = await node.bursar.store.read.list('payments', { status: ['authorized', 'in_doubt'] })
  expect(held.map(({ id }) => id)).toEqual([])
  expect(await problemsOf(node, adminUrl, folder)).toEqual([])
}

function booksAt(url: string): Books {
  return {
    column: (sql) =>
      asked(url, async (client) => {
        await client.query('SET search_path = bursar')
        const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' })
        return rows.map(([value]) => value)
      }),
    close: async () => undefined,
  }
}

/** The audit reads the card network's books from a file. */
const COPIED = {
  cards: ['id', 'instrument_id'],
  authorizations: [...['payment_id', 'card_id', 'status', 'authorized', 'captured', 'forced', 'released', 'refunded']],
} as const

async function copyIssuer(url: string, path: string): Promise<void> {
  const copy = new Database(path)
  try {
    for (const [table, columns] of Object.entries(COPIED)) {
      copy.exec(`CREATE TABLE ${table} (${columns.map((one, n) => `${one} ${n > 2 ? 'INTEGER' : 'TEXT'}`).join()})`)
      const { rows } = await asked(url, (client) =>
        client.query<string[]>({ text: `SELECT ${columns.join()} FROM sandbox_cards.${table}`, rowMode: 'array' }),
      )
      const insert = copy.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => '?').join()})`)
      copy.transaction(() => rows.forEach((row) => void insert.run(...row)))()
    }
  } finally {
    copy.close()
  }
}

/** A card of the wallet with this currency, approved. */
export async function cardFrom(node: Node, currency: string, amount: string, by?: Caller): Promise<string> {
  const { bursar, agentId, authority } = node
  const caller = by ?? { agentId, sessionId: 'parent', credentialId: null }
  const terms = { type: 'virtual_card', amount, currency, expires_in: '1d', purpose: 'nodes' }
  const { request_id } = await requestInstrument(bursar, caller, terms)
  const proof = hostProof(authority.ownerId, (await question(bursar, request_id)).digest, 'test')
  const { instrument } = (await approve(bursar, request_id, proof, {})) as RequestView
  if (!instrument) throw new Error('An approved request has an instrument.')
  return instrument.instrument_id
}
