import { join } from 'node:path'
import type { Statement } from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freezeAll } from '../../src/actions/owner/freeze.ts'
import { verifyStore } from '../../src/actions/owner/journal.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Store } from '../../src/ports.ts'
import { type Connection, openConnection, openReader } from '../../src/store/sqlite/connection.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { StepQueue } from '../../src/store/sqlite/queue.ts'
import { SqliteReader } from '../../src/store/sqlite/reader.ts'
import { SnapshotReader, statementsOf } from '../../src/store/sqlite/snapshot.ts'
import { Writer } from '../../src/store/sqlite/writer.ts'
import { buy, makeCard, makePurse, type Purse } from '../support/purse.ts'

type Fault = (commit: () => void) => void

/** It was written, and the answer was lost: what a failed fsync or a full disk may do. */
const LOST: Fault = (commit) => {
  commit()
  throw new Error('disk I/O error')
}
const FAILED: Fault = () => {
  throw new Error('disk I/O error')
}

/** A purse whose next COMMITs go wrong, one fault each. */
async function faultyPurse(): Promise<{ purse: Purse; faults: Fault[]; connection: Connection }> {
  const purse = await makePurse()
  const connection = openConnection(join(purse.folder, 'bursar.db'))
  connection.pragma('busy_timeout = 0')
  const open = () => openReader(join(purse.folder, 'bursar.db'))
  const reading = open()
  const faults: Fault[] = []
  const prepare = connection.prepare.bind(connection) as (sql: string) => Statement
  connection.prepare = ((sql: string) => (sql === 'COMMIT' ? faulty(prepare(sql), faults) : prepare(sql))) as never
  const tables = statementsOf(connection)
  const signer = { key: journalNoteKey(purse.journalKey.publicKey), sign: purse.journalKey.sign }
  const writer = new Writer(connection, tables, signer)
  const queue = new StepQueue(connection, new SnapshotReader(connection, tables), writer, purse.bursar.clock)
  const store: Store = {
    ...purse.bursar.store,
    update: (key, decide) => queue.run(key, decide),
    read: new SqliteReader(reading, statementsOf(reading), open),
  }
  onTestFinished(() => {
    reading.close()
    connection.close()
  })
  return { purse: { ...purse, bursar: { ...purse.bursar, store } }, faults, connection }
}

function faulty(statement: Statement, faults: Fault[]): Pick<Statement, 'run'> {
  return {
    run() {
      const commit = () => statement.run()
      ;(faults.shift() ?? commit)(commit)
      return { changes: 0, lastInsertRowid: 0 }
    },
  }
}

const code = (action: Promise<unknown>) =>
  action.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )

async function whole(purse: Purse): Promise<void> {
  expect((await verifyStore(purse.bursar, journalNoteKey(purse.journalKey.publicKey))).problems).toEqual([])
}

const payments = (purse: Purse) => purse.bursar.store.read.list('payments', {})

describe('an error from COMMIT', () => {
  test('means looking it up: what was written is answered as if nothing had happened, and is there once', async () => {
    const { purse, faults } = await faultyPurse()
    const card = await makeCard(purse)
    faults.push(LOST, LOST)
    expect(await buy(purse, card, '49.00')).toMatchObject({ status: 'captured' })
    expect(faults).toEqual([])
    expect(await payments(purse)).toHaveLength(1)
    await whole(purse)
  })

  test('changes nothing when nothing was written, says so, and the same call then passes', async () => {
    const { purse, faults } = await faultyPurse()
    const card = await makeCard(purse)
    const terms = { purpose: 'once', idempotency_key: 'order-1' }
    faults.push(FAILED)
    expect(await code(buy(purse, card, '49.00', terms))).toBe('busy')
    expect(await payments(purse)).toEqual([])
    expect(await buy(purse, card, '49.00', terms)).toMatchObject({ status: 'captured' })
    await whole(purse)
  })

  test('after the rail paid leaves the payment held, says so, and settling again finds it paid', async () => {
    const { purse, faults } = await faultyPurse()
    const card = await makeCard(purse)
    const terms = { purpose: 'once', idempotency_key: 'order-1' }
    faults.push((commit) => commit(), FAILED)
    expect(await buy(purse, card, '49.00', terms)).toMatchObject({ status: 'authorized' })
    expect(await payments(purse)).toMatchObject([{ status: 'authorized', held: 4900n }])
    await recover(purse.bursar)
    expect(await buy(purse, card, '49.00', terms)).toMatchObject({ status: 'captured', replayed: true })
    await whole(purse)
  })

  test('is one answer for all steps that shared the commit', async () => {
    const { purse, faults } = await faultyPurse()
    const card = await makeCard(purse, { usage_limit: 20 })
    faults.push(LOST)
    const kept = await Promise.all(Array.from({ length: 5 }, () => buy(purse, card, '1.00')))
    expect(kept.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'captured'))
    faults.push(FAILED)
    const lost = await Promise.all(Array.from({ length: 5 }, () => code(buy(purse, card, '1.00'))))
    expect(lost).toEqual(Array.from({ length: 5 }, () => 'busy'))
    expect(await payments(purse)).toHaveLength(5)
    await whole(purse)
  })

  test('security: is no answer for a step that only saw what another in the same commit would have written', async () => {
    const { purse, faults } = await faultyPurse()
    const card = await makeCard(purse)
    const same = { purpose: 'once', idempotency_key: 'order-1' }
    faults.push(FAILED)
    const twice = [buy(purse, card, '49.00', same), buy(purse, card, '49.00', same)]
    expect(await Promise.all(twice.map(code))).toEqual(['busy', 'busy'])
    faults.push(FAILED)
    const frozen = [freezeAll(purse.bursar, purse.authority), freezeAll(purse.bursar, purse.authority)]
    expect(await Promise.all(frozen.map(code))).toEqual(['busy', 'busy'])
    expect(await purse.bursar.store.read.list('instance', {})).toMatchObject([{ frozen: false }])
    await whole(purse)
  })

  test('is an unknown outcome when the database does not answer any more either, and nobody waits for ever', async () => {
    const { purse, faults, connection } = await faultyPurse()
    const card = await makeCard(purse)
    faults.push(() => {
      connection.close()
      throw new Error('disk I/O error')
    })
    expect(await code(buy(purse, card, '49.00'))).toBe('outcome_unknown')
  })

  test('is an unknown outcome when the transaction cannot be ended: what it wrote is visible to itself alone', async () => {
    const { purse, faults, connection } = await faultyPurse()
    const card = await makeCard(purse)
    const exec = connection.exec.bind(connection)
    connection.exec = (sql) => {
      if (sql === 'ROLLBACK') throw new Error('disk I/O error')
      return exec(sql)
    }
    faults.push(FAILED)
    expect(await code(buy(purse, card, '49.00'))).toBe('outcome_unknown')
    expect(await payments(purse)).toEqual([])
  })
})

describe('a full disk', () => {
  test('security: changes nothing and sends nothing, and the same call passes once there is room', async () => {
    const { purse, connection } = await faultyPurse()
    const card = await makeCard(purse)
    const pages = connection.pragma('page_count', { simple: true })
    connection.pragma(`max_page_count = ${pages}`)
    const refused: unknown[] = []
    // Some pages have room left: it fails at one of these.
    for (let n = 0; n < 60 && refused.length === 0; n++)
      await buy(purse, card, '9999.00').catch((error) => refused.push(error))
    expect(refused).toHaveLength(1)
    await whole(purse)
    const before = (await payments(purse)).length
    connection.pragma('max_page_count = 1000000')
    expect(await buy(purse, card, '49.00')).toMatchObject({ status: 'captured' })
    expect(await payments(purse)).toHaveLength(before + 1)
    await whole(purse)
  })
})
