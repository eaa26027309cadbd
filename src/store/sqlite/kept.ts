import { randomUUID } from 'node:crypto'
import { BursarError } from '../../core/errors.ts'
import type { Claim, Claimed, Clock, Kept } from '../../ports.ts'
import { claimedOf, type KeptRow, SWEPT, writtenOf } from '../shared/kept.ts'
import type { Connection } from './connection.ts'
import { takeLock } from './lock.ts'

/**
 * What is remembered, on a connection of its own: its commits are short, and no step waits in the same transaction. Opened with
 * the first call.
 */
export class SqliteKept implements Kept {
  private readonly open: () => Connection
  private readonly clock: Clock
  private opened: ReturnType<typeof workOf> | null = null
  /** One transaction at a time: a connection has no more. */
  private last: Promise<unknown> = Promise.resolve()
  private isClosed = false

  constructor(open: () => Connection, clock: Clock) {
    this.open = open
    this.clock = clock
  }

  first(name: string, untilMs: number): Promise<boolean> {
    return this.next((work, now) => work.first(name, untilMs, now))
  }

  claim(claim: Claim): Promise<Claimed> {
    return this.next((work, now) => work.claim(claim, now))
  }

  keep(claim: Claim, answer: string | null): Promise<void> {
    return this.next((work) => work.keep(claim, writtenOf(answer)))
  }

  drop(claim: Claim): Promise<void> {
    return this.next((work) => work.drop(claim))
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.last
    this.opened?.connection.close()
  }

  private next<R>(work: (tables: ReturnType<typeof workOf>, now: number) => R): Promise<R> {
    if (this.isClosed) return Promise.reject(new BursarError('rail_unavailable', 'bursar is shutting down.'))
    const done = this.last.then(() => this.committed(work))
    this.last = done.catch(() => undefined)
    return done
  }

  private async committed<R>(work: (tables: ReturnType<typeof workOf>, now: number) => R): Promise<R> {
    this.opened ??= workOf(this.open())
    const { connection, begin, commit } = this.opened
    await takeLock(begin)
    try {
      const result = work(this.opened, this.clock.now())
      commit.run()
      return result
    } finally {
      if (connection.inTransaction) connection.exec('ROLLBACK')
    }
  }
}

const CLAIM = `
  INSERT INTO kept_calls (caller, key, asked, holder, busy_until, expires_at, bytes)
  VALUES (@caller, @key, @asked, @holder, @busyUntil, @expiresAt, 0) ON CONFLICT DO NOTHING`
/** The oldest first; each with what all that came after it and it itself take. */
const TAKEN = `
  SELECT caller, key, bytes FROM (
    SELECT caller, key, bytes, sum(bytes) OVER (ORDER BY expires_at DESC, key DESC) AS taken
    FROM kept_calls WHERE caller = ?)
  WHERE bytes > 0 AND taken > ?`
const OLDEST = `
  DELETE FROM kept_calls WHERE caller = @caller AND key IN (
    SELECT key FROM kept_calls WHERE caller = @caller AND answer IS NOT NULL ORDER BY expires_at, key LIMIT @over)
  RETURNING bytes`
const ENDED_CALLS = `
  DELETE FROM kept_calls WHERE (caller, key) IN (
    SELECT caller, key FROM kept_calls WHERE expires_at <= ? ORDER BY expires_at LIMIT ${SWEPT}) RETURNING bytes`
const ENDED_NAMES = `
  DELETE FROM kept_names WHERE name IN (
    SELECT name FROM kept_names WHERE expires_at <= ? ORDER BY expires_at LIMIT ${SWEPT})`

interface Answered {
  readonly caller: string
  readonly key: string
  readonly bytes: bigint
}

/** Each of it within a transaction. */
function workOf(connection: Connection) {
  connection.pragma('busy_timeout = 0')
  const sql = statementsOf(connection)
  const count = (more: bigint): void => void (more !== 0n && sql.count.run(more))
  const sum = (bytes: readonly unknown[]): bigint => (bytes as bigint[]).reduce((all, one) => all + one, 0n)
  const empty = ({ caller, key, bytes }: Answered): void => {
    sql.answer.run('', 0, caller, key)
    count(-bytes)
  }

  /** Whether this caller has no more keys than it may have, once the oldest that were done are gone. */
  function hasRoom({ caller, key, room }: Claim): boolean {
    const over = Number(sql.held.get(caller, room.keys + SWEPT)) - room.keys
    if (over <= 0) return true
    const gone = sql.oldest.all({ caller, over })
    count(-sum(gone))
    if (gone.length < over) sql.remove.all(caller, key)
    return gone.length >= over
  }

  function makeRoom({ caller, room }: Claim): void {
    for (const one of sql.taken.all(caller, room.bytes)) empty(one as Answered)
    while (Number(sql.all.get() ?? 0n) > room.allBytes) {
      const one = sql.longest.get() as Answered | undefined
      if (!one) return
      empty(one)
    }
  }

  return {
    connection,
    ...{ begin: sql.begin, commit: sql.commit },
    first(name: string, untilMs: number, now: number): boolean {
      sql.endedNames.run(now)
      sql.endedName.run(name, now)
      return sql.first.run(name, randomUUID(), untilMs).changes > 0
    },
    claim(claim: Claim, now: number): Claimed {
      count(-sum([...sql.endedCalls.all(now), ...sql.endedCall.all(claim.caller, claim.key, now)]))
      const { room: _, ...row } = claim
      if (sql.claim.run(row).changes > 0) return { state: hasRoom(claim) ? 'mine' : 'full' }
      const there = sql.call.get(claim.caller, claim.key) as KeptRow
      return claimedOf({ ...there, busyUntil: Number(there.busyUntil) }, now)
    },
    keep(claim: Claim, answer: string): void {
      const bytes = Buffer.byteLength(answer)
      if (sql.done.run(answer, bytes, claim.caller, claim.key, claim.holder).changes === 0) return
      count(BigInt(bytes))
      if (bytes > 0) makeRoom(claim)
    },
    drop: ({ caller, key, holder }: Claim): void => void sql.drop.run(caller, key, holder),
  }
}

function statementsOf(connection: Connection) {
  const [one, plucked] = [
    (text: string) => connection.prepare(text),
    (text: string) => connection.prepare(text).pluck(),
  ]
  const mine = 'caller = ? AND key = ?'
  return {
    begin: one('BEGIN IMMEDIATE'),
    commit: one('COMMIT'),
    claim: one(CLAIM),
    call: one(`SELECT asked, holder, busy_until AS busyUntil, answer FROM kept_calls WHERE ${mine}`),
    done: one(`UPDATE kept_calls SET answer = ?, bytes = ? WHERE ${mine} AND holder = ? AND answer IS NULL`),
    answer: one(`UPDATE kept_calls SET answer = ?, bytes = ? WHERE ${mine}`),
    drop: one(`DELETE FROM kept_calls WHERE ${mine} AND holder = ? AND answer IS NULL`),
    remove: plucked(`DELETE FROM kept_calls WHERE ${mine} RETURNING bytes`),
    endedCall: plucked(`DELETE FROM kept_calls WHERE ${mine} AND expires_at <= ? RETURNING bytes`),
    endedCalls: plucked(ENDED_CALLS),
    held: plucked('SELECT count(*) FROM (SELECT 1 FROM kept_calls WHERE caller = ? LIMIT ?)'),
    oldest: plucked(OLDEST),
    taken: one(TAKEN),
    longest: one('SELECT caller, key, bytes FROM kept_calls WHERE bytes > 0 ORDER BY expires_at, bytes LIMIT 1'),
    all: plucked('SELECT sum(bytes) FROM kept_room'),
    count: one('INSERT INTO kept_room VALUES (0, ?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes'),
    first: one('INSERT INTO kept_names VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    endedName: one('DELETE FROM kept_names WHERE name = ? AND expires_at <= ?'),
    endedNames: one(ENDED_NAMES),
  }
}
