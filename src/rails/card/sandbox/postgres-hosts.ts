import pg from 'pg'

/** How long a connection may take to be made and to answer, and is kept when nobody uses it, in milliseconds. */
const CONNECT_MS = 5_000
const ANSWER_MS = 6_000
const IDLE_MS = 30_000

const INT8 = 20

/** Whole numbers as bigints, exactly. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === INT8 ? BigInt : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
}

/** Connections to one of several servers, until whoever has one says that it is not the primary or is gone. */
export interface Hosts {
  /** @throws the error of the last host when none of them can be had */
  connect(): Promise<pg.PoolClient>
  /** Gives a connection back that is not to be used again, and asks the next host first. */
  leave(client: pg.PoolClient): void
  end(): Promise<void>
}

/** @param urls one for each host, tried in order from the one that answered last */
export function hostsOf(urls: readonly string[], max: number): Hosts {
  const pools = urls.map((url) => poolOf(url, max))
  const current = { host: 0 }
  const next = (from: number) => {
    if (current.host === from) current.host = (from + 1) % pools.length
  }
  const owners = new WeakMap<pg.PoolClient, number>()
  return {
    async connect() {
      let failure: unknown
      for (const _ of pools) {
        const { host } = current
        try {
          const client = await (pools[host] as pg.Pool).connect()
          owners.set(client, host)
          return client
        } catch (error) {
          failure = error
          next(host)
        }
      }
      throw failure
    },
    leave(client) {
      next(owners.get(client) ?? current.host)
      client.release(true)
    },
    end: async () => void (await Promise.all(pools.map((pool) => pool.end()))),
  }
}

/** Nothing of it is set at the start of a connection that a PgBouncer in between would not let through. */
function poolOf(connectionString: string, max: number): pg.Pool {
  const pool = new pg.Pool({
    ...{ connectionString, max, types: TYPES, keepAlive: true },
    ...{ connectionTimeoutMillis: CONNECT_MS, query_timeout: ANSWER_MS, idleTimeoutMillis: IDLE_MS },
  })
  // What is lost while nobody uses it is replaced; what is lost in use fails the statement. Unheard it would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => void client.on('error', () => undefined))
  return pool
}
