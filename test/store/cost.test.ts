import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { addAgent } from '../../src/actions/owner/agents.ts'
import type { Connection } from '../../src/store/sqlite/connection.ts'
import { openConnection } from '../../src/store/sqlite/connection.ts'
import { SnapshotReader, statementsOf } from '../../src/store/sqlite/snapshot.ts'
import { credentialOf } from '../purse/desk.ts'
import { buy, makeCard, makePurse, temporaryFolder } from '../support/purse.ts'
import { seedChain } from './seed-chain.ts'
import { wallsOf } from './wall-sqlite.ts'

/** Every statement that is prepared on a connection from now on. */
function recorded(connection: Connection): string[] {
  const texts: string[] = []
  const prepare = connection.prepare.bind(connection)
  connection.prepare = ((text: string) => {
    texts.push(text)
    return prepare(text)
  }) as typeof connection.prepare
  return texts
}

/** What SQLite reads from end to end, or sorts, for a statement. The instance is one row, and a virtual table the JSON of one. */
function walks(connection: Connection, sql: string): string[] {
  const bound = sql.replace(/\?/g, "'x'")
  const plan = connection.prepare(`EXPLAIN QUERY PLAN ${bound}`).all() as { detail: string }[]
  const details = plan.map(({ detail }) => detail)
  return details.filter(
    (detail) =>
      /^(SCAN|USE TEMP B-TREE FOR [OG])/.test(detail) && !/SCAN (instance|CONSTANT)|VIRTUAL TABLE/.test(detail),
  )
}

function opened(): Connection {
  const connection = openConnection(join(temporaryFolder(), 'bursar.db'))
  onTestFinished(() => void connection.close())
  return connection
}

describe('a decision costs the same after any history', () => {
  it('reads its snapshot by keys and indexes alone', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const paid = await buy(purse, card, '20.00')
    const connection = openConnection(purse.path)
    onTestFinished(() => void connection.close())
    const texts = recorded(connection)
    const reader = new SnapshotReader(connection, statementsOf(connection))
    const { agentId, sessionId } = purse.caller
    const spender = { agentId, sessionId, payeeKey: 'name:x', origin: null, category: null, protocol: 'card' }
    for (const idempotencyKey of ['key', null]) {
      const same = { agentId, fingerprint: 'x', idempotencyKey, withinMs: 1 }
      reader.read({ agentId, instrumentId: card.instrument_id, spender, same }, purse.time.now)
    }
    reader.read({ paymentId: paid.payment_id }, purse.time.now)
    const { instrument, ids } = await seedChain(purse)
    const seller = { ...spender, payeeKey: 'eip155:1:0x', origin: 'https://a.example', protocol: 'x402' }
    const undelivered = { withinMs: 1, began: 1 }
    const same = { agentId, fingerprint: 'x', idempotencyKey: null, withinMs: 1, undelivered }
    reader.read({ agentId, instrumentId: instrument.instrument_id, spender: seller, same }, purse.time.now)
    reader.read({ paymentId: ids.signed as string }, purse.time.now)
    const { agent_id, key } = await addAgent(purse.bursar, purse.authority, 'other')
    const identity = {
      credentialId: await credentialOf(purse.bursar, key),
      passkeyId: 'x',
      codeHash: 'x',
      minting: true,
    } as const
    const { walletId } = purse
    for (const about of [{ fingerprint: 'x' }, { walletId, payeeKey: 'name:x', amount: 1n }])
      reader.read({ ...identity, agentId: agent_id, asking: { agentId, ...about } }, purse.time.now)
    expect(texts.join()).toContain('FROM purchases WHERE payment_id = ?')
    expect(texts.length).toBeGreaterThan(8)
    expect(texts.map((text) => [text, walks(connection, text)]).filter(([, found]) => found?.length)).toEqual([])
  })

  it('passes the walls by keys and indexes alone', () => {
    const connection = opened()
    const rows = connection.prepare(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`).all()
    const slow = (rows as { name: string; sql: string }[]).flatMap(({ name, sql }) => {
      const when = /\bWHEN\b(.*)\bBEGIN SELECT RAISE/s.exec(sql)?.[1]
      if (when === undefined) return []
      const found = walks(connection, `SELECT 1 WHERE ${when.replace(/\b(NEW|OLD)\.\w+/g, '?')}`)
      return found.length > 0 ? [[name, ...found]] : []
    })
    expect(wallsOf(connection).triggers.size).toBe(rows.length)
    expect(slow).toEqual([])
  })

  it('looks for a repetition only among purchases that could be repeated', () => {
    const connection = opened()
    const texts = recorded(connection)
    new SnapshotReader(connection, statementsOf(connection))
    const prior = texts.filter((text) => /FROM payments .*(fingerprint|idempotency_key) = \?/s.test(text))
    const plans = prior.map((text) =>
      (connection.prepare(`EXPLAIN QUERY PLAN ${text.replace(/\?/g, "'x'")}`).all() as { detail: string }[]).map(
        ({ detail }) => detail,
      ),
    )
    expect(plans).toMatchInlineSnapshot(`
      [
        [
          "SEARCH payments USING INDEX payments_by_key (agent_id=? AND idempotency_key=?)",
        ],
        [
          "SEARCH payments USING INDEX payments_same (agent_id=? AND fingerprint=? AND created_at>?)",
        ],
        [
          "SEARCH payments USING INDEX payments_same_undecided (agent_id=? AND fingerprint=?)",
          "CORRELATED SCALAR SUBQUERY 1",
          "SEARCH purchases USING PRIMARY KEY (payment_id=?)",
        ],
        [
          "SEARCH payments USING INDEX payments_same (agent_id=? AND fingerprint=? AND created_at>?)",
          "CORRELATED SCALAR SUBQUERY 1",
          "SEARCH purchases USING PRIMARY KEY (payment_id=?)",
        ],
        [
          "SEARCH payments USING INDEX payments_same_undecided (agent_id=? AND fingerprint=?)",
        ],
      ]
    `)
  })

  it('takes every index that a recovery and an inbox need', () => {
    const connection = opened()
    for (const sql of [
      `SELECT * FROM payments WHERE status IN ('authorized', 'in_doubt')`,
      `SELECT * FROM approvals WHERE status = 'waiting'`,
      `SELECT * FROM instruments WHERE status = 'active'`,
    ]) {
      const [step] = connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]
      expect(step?.detail).toMatch(/ USING (COVERING )?INDEX (payments_unsettled|approvals_waiting|instruments_active)/)
    }
  })
})
