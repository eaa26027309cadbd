import type pg from 'pg'
import type { Lead } from '../../ports.ts'
import { endOf, type Pool } from './pool.ts'

/** How often the duty is asked for while another node has it, and how often its holder says that it is there. */
const TRY_EVERY_MS = 2_000
const ALIVE_EVERY_MS = 2_000
/** The server takes the duty from a holder that it has not heard for so long; the holder thinks so a little sooner. */
const SILENT_MS = 10_000
const SURE_MS = 7_000

/**
 * A lock of an open transaction on a connection of its own: the server frees it when the connection ends, or when it hears
 * nothing for a while. Neither needs anything of a session, so that it works behind a PgBouncer, too.
 */
export class DutyLead implements Lead {
  private readonly pool: Pool
  private readonly duty: string
  private held: pg.Client | null = null
  private trying: Promise<void> | null = null
  private tried = Number.NEGATIVE_INFINITY
  /** When the server was last known to know of the holder: when what it answered was sent. */
  private heard = Number.NEGATIVE_INFINITY
  private timer: NodeJS.Timeout | undefined
  private isReleased = false
  private saying = false

  constructor(pool: Pool, duty: string) {
    this.pool = pool
    this.duty = duty
  }

  /** Never waits: where it is not had, it is asked for, and the next to ask here may find that it is. */
  isHeld(): boolean {
    if (this.held) return performance.now() - this.heard < SURE_MS
    if (!this.isReleased && !this.trying && performance.now() - this.tried >= TRY_EVERY_MS) {
      this.tried = performance.now()
      this.trying = this.take().finally(() => {
        this.trying = null
      })
    }
    return false
  }

  async release(): Promise<void> {
    this.isReleased = true
    await this.trying
    await this.drop()
  }

  private async take(): Promise<void> {
    let client: pg.Client | null = null
    try {
      client = await this.pool.direct()
      const sent = performance.now()
      if (!this.isReleased && (await took(client, this.duty))) this.hold(client, sent)
      else await endOf(client)
    } catch {
      if (client) await endOf(client)
    }
  }

  private hold(client: pg.Client, sent: number): void {
    this.held = client
    this.heard = sent
    client.once('error', () => void this.drop())
    client.once('end', () => void this.drop())
    this.timer = setInterval(() => void this.sayAlive(client), ALIVE_EVERY_MS)
    this.timer.unref()
  }

  private async sayAlive(client: pg.Client): Promise<void> {
    if (this.saying) return
    this.saying = true
    const sent = performance.now()
    try {
      await client.query(within('SELECT 1'))
      if (this.held === client) this.heard = sent
    } catch {
      if (this.held === client) await this.drop()
    } finally {
      this.saying = false
    }
  }

  private async drop(): Promise<void> {
    clearInterval(this.timer)
    const client = this.held
    this.held = null
    if (client) await endOf(client)
  }
}

async function took(client: pg.Client, duty: string): Promise<boolean> {
  await client.query(within(`BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${SILENT_MS}`))
  const lock = within('SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS taken')
  const { rows } = await client.query<{ taken: boolean }>({ ...lock, values: [`duty:${duty}`] })
  return rows[0]?.taken === true
}

/** A statement to which the server answers soon, or not at all. */
function within(text: string): pg.QueryConfig {
  return { text, query_timeout: SURE_MS } as pg.QueryConfig
}
