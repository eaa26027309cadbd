import type pg from 'pg'
import type { Changed, Lead, Nodes } from '../../ports.ts'
import { DutyLead } from './lead.ts'
import { endOf, type Pool } from './pool.ts'

const CHANNEL = 'bursar_changed'
/** What is told within so long is told at once, and as often a lost connection is made again, in milliseconds. */
const GATHER_MS = 20
const AGAIN_MS = 2_000
/** A notice has less than 8,000 bytes; a pair of ids less than 200. */
const AT_ONCE = 30

/**
 * What the nodes on one database tell each other. By NOTIFY, in statements of their own after the commits that they tell of:
 * within a step it would make all commits of the server wait for each other. Nobody relies on it: where LISTEN does not work,
 * as behind a PgBouncer, whoever hears nothing looks by itself.
 */
export class PostgresNodes implements Nodes {
  private readonly pool: Pool
  private readonly leads = new Set<Lead>()
  private readonly listeners = new Set<(changed: Changed) => void>()
  private untold = new Map<string, Changed>()
  private telling: Promise<void> | null = null
  private ear: pg.Client | null = null
  private listening: Promise<void> | null = null
  private timer: NodeJS.Timeout | undefined
  private isClosed = false
  /** Own notices come back, too. */
  private readonly self = `${process.pid}.${Math.random().toString(36).slice(2)}`

  constructor(pool: Pool) {
    this.pool = pool
  }

  lead(duty: string): Lead {
    const lead = new DutyLead(this.pool, duty)
    this.leads.add(lead)
    return lead
  }

  tell(changed: Changed): void {
    if (this.isClosed) return
    this.untold.set(`${changed.subjectId} ${changed.walletId}`, changed)
    this.telling ??= this.tellSoon().finally(() => {
      this.telling = null
    })
  }

  heard(listener: (changed: Changed) => void): () => void {
    this.listeners.add(listener)
    this.listen()
    return () => void this.listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.isClosed = true
    clearTimeout(this.timer)
    await Promise.all(Array.from(this.leads, (lead) => lead.release()))
    await this.telling
    await this.listening
    if (this.ear) await endOf(this.ear)
  }

  private async tellSoon(): Promise<void> {
    while (this.untold.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
      const all = [...this.untold.values()]
      this.untold = new Map()
      for (let i = 0; i < all.length; i += AT_ONCE) await this.notify(all.slice(i, i + AT_ONCE))
    }
  }

  /** What cannot be told is not told. */
  private async notify(changes: readonly Changed[]): Promise<void> {
    const payload = JSON.stringify([this.self, changes.map(({ subjectId, walletId }) => [subjectId, walletId])])
    const session = await this.pool.session().catch(() => null)
    if (!session) return
    try {
      await session.texts('SELECT pg_notify($1, $2)::text', [CHANNEL, payload], AGAIN_MS)
      session.release(false)
    } catch {
      session.release(true)
    }
  }

  private listen(): void {
    if (this.isClosed || this.ear || this.listening) return
    this.listening = this.openEar().finally(() => {
      this.listening = null
    })
  }

  private async openEar(): Promise<void> {
    let ear: pg.Client | null = null
    try {
      ear = await this.pool.direct()
      ear.on('notification', ({ payload }) => this.hear(payload))
      ear.once('end', () => this.lost())
      await ear.query({ text: `LISTEN ${CHANNEL}`, query_timeout: AGAIN_MS } as pg.QueryConfig)
      this.ear = ear
    } catch {
      if (ear) await endOf(ear)
      this.lost()
    }
  }

  private lost(): void {
    this.ear = null
    if (this.isClosed) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.listen(), AGAIN_MS)
    this.timer.unref()
  }

  private hear(payload: string | undefined): void {
    for (const changed of changesIn(payload, this.self)) for (const listener of this.listeners) listener(changed)
  }
}

/** Anybody who may connect may notify: what is no notice of a node is nothing. */
export function changesIn(payload: string | undefined, self: string): readonly Changed[] {
  try {
    const [from, changes] = JSON.parse(payload ?? '') as [unknown, unknown[]]
    if (from === self) return []
    return changes.flatMap((change) => {
      const [subjectId, walletId] = change as [unknown, unknown]
      const isOne = typeof subjectId === 'string' && (walletId === null || typeof walletId === 'string')
      return isOne ? [{ subjectId, walletId }] : []
    })
  } catch {
    return []
  }
}
