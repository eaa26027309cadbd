import type { Duplex } from 'node:stream'
import pg from 'pg'
import { hostUrls } from './hosts.ts'
import { Session } from './session.ts'

/** How long a connection may take to be made, and how long one that nobody uses is kept, in milliseconds. */
const CONNECT_MS = 5_000
const IDLE_MS = 30_000
/** How long a server may take to hear that a connection is over, in milliseconds. */
const GOODBYE_MS = 1_000

/** What has been written to a standby alone is not there: it is looked for where writing goes on. */
class Standby extends Error {}

/**
 * Connections to the primary among the hosts of a URL. The host that was it last is tried first; a host that does not
 * answer, or is a standby, is left for the next one.
 */
export class Pool {
  private readonly urls: readonly string[]
  private readonly pools: readonly pg.Pool[]
  /** The host that was the primary when it was last asked. */
  private current = 0

  constructor(url: string, max: number) {
    this.urls = hostUrls(url)
    this.pools = this.urls.map((connectionString) => poolOf(connectionString, max))
  }

  /** @throws the error of the last host when none of them is a primary that can be reached */
  async session(): Promise<Session> {
    let failure: unknown
    for (let tried = 0; tried < this.pools.length; tried++) {
      const host = this.current
      try {
        return new Session(await (this.pools[host] as pg.Pool).connect(), host)
      } catch (error) {
        failure = error
        this.leave(host)
      }
    }
    throw failure
  }

  /** A connection of its own, for as long as it is wanted. It is the caller's to end. */
  async direct(): Promise<pg.Client> {
    let failure: unknown
    for (let tried = 0; tried < this.urls.length; tried++) {
      const host = this.current
      const client = new pg.Client(optionsOf(this.urls[host] as string))
      // Told to whoever asks next; an error that nobody listens to would end the process.
      client.on('error', () => undefined)
      try {
        await client.connect()
        await assertPrimary(client)
        return client
      } catch (error) {
        failure = error
        this.leave(host)
        await endOf(client)
      }
    }
    throw failure
  }

  /** A host that is not the primary, or says nothing: where it was taken for the primary, the next one is asked first. */
  leave(host: number): void {
    if (host === this.current) this.current = (host + 1) % this.urls.length
  }

  get isEnded(): boolean {
    return this.pools.some((pool) => pool.ending)
  }

  async end(): Promise<void> {
    await Promise.all(this.pools.map((pool) => pool.end()))
  }
}

/** Nothing of it is set at the start of a connection that a PgBouncer in between would not let through. */
function optionsOf(connectionString: string): pg.ClientConfig {
  return { connectionString, connectionTimeoutMillis: CONNECT_MS, keepAlive: true, keepAliveInitialDelayMillis: 5_000 }
}

function poolOf(connectionString: string, max: number): pg.Pool {
  const pool = new pg.Pool({
    ...optionsOf(connectionString),
    ...{ max, idleTimeoutMillis: IDLE_MS, allowExitOnIdle: false },
    verify: (client: pg.PoolClient, done: (error?: Error) => void) => {
      assertPrimary(client).then(() => done(), done)
    },
  } as pg.PoolConfig)
  // A connection that is lost while nobody uses it: the pool makes another one.
  pool.on('error', () => undefined)
  return pool
}

/** @throws {@link Standby} */
async function assertPrimary(client: pg.ClientBase): Promise<void> {
  const text = 'SELECT pg_catalog.pg_is_in_recovery() AS standby'
  const asked = { text, query_timeout: CONNECT_MS } as pg.QueryConfig
  const { rows } = await client.query<{ standby: boolean }>(asked)
  if (rows[0]?.standby !== false) throw new Standby('The host is a standby.')
}

/** Ends a connection. Where nothing gets through, nobody waits for the other side to hear of it. Never rejects. */
export async function endOf(client: pg.Client): Promise<void> {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Duplex } }).connection
  const timer = setTimeout(() => stream.destroy(), GOODBYE_MS)
  await client.end().catch(() => undefined)
  clearTimeout(timer)
}
