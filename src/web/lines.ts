import { buildConnector, Client } from 'undici'

/** One connection to one address of one origin, made when it is first used. */
export interface Line {
  readonly origin: string
  readonly address: string
  /** Carries one request at a time, so that none waits behind another, or is lost with it. */
  readonly client: Client
  /** Ends it with all that is under way, also while it is only being made. */
  end(): Promise<void>
}

/** Lines that are open. Whoever has one is the only one, until it comes back. */
export interface Lines {
  /** One that is idle; null where there is none. */
  idle(origin: string, address: string): Line | null
  /** @throws Error after `close` */
  open(origin: string, address: string): Line
  /** Takes back a line whose last answer was read to its end. */
  keep(line: Line): void
  drop(line: Line): void
  /** Ends them all. */
  close(): Promise<void>
}

const IDLE_MAX = 16
/** Common servers wait for 5 seconds and more before they hang up. A request that crosses a hang-up has no answer. */
const IDLE_MS = 2_000
const HEADER_BYTES_MAX = 16 * 1024

export function linesOf(): Lines {
  const all = new Set<Line>()
  /** The longest idle first. */
  const resting = new Set<Line>()
  let closed = false

  function idle(origin: string, address: string): Line | null {
    const line = Array.from(resting).findLast((one) => one.origin === origin && one.address === address) ?? null
    if (line) resting.delete(line)
    return line
  }

  function open(origin: string, address: string): Line {
    if (closed) throw new Error('The web was closed.')
    const line = lineOf(origin, address)
    all.add(line)
    // undici would connect again, and write again what it believes was not received. A line ends with its connection.
    line.client.on('disconnect', () => drop(line))
    return line
  }

  function keep(line: Line): void {
    if (!all.has(line)) return
    resting.add(line)
    const [longest] = resting
    if (longest && resting.size > IDLE_MAX) drop(longest)
  }

  function drop(line: Line): void {
    resting.delete(line)
    if (all.delete(line)) void line.end()
  }

  async function close(): Promise<void> {
    closed = true
    await Promise.all(Array.from(all, (line) => line.end()))
  }

  return { idle, open, keep, drop, close }
}

/**
 * @param origin names the server: in TLS, whose certificate must be for that name, and in the header `host`
 * @param address where it is reached. Nothing is looked up
 */
function lineOf(origin: string, address: string): Line {
  const ending = new AbortController()
  // Said aloud, since NODE_TLS_REJECT_UNAUTHORIZED would have the say otherwise. The time is kept by whoever asks.
  const dial = buildConnector({ rejectUnauthorized: true, signal: ending.signal, timeout: 0 })
  const client = new Client(origin, {
    connect: (options, done) => dial({ ...options, hostname: address }, done),
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
  })

  async function end(): Promise<void> {
    const destroyed = client.destroy()
    ending.abort()
    await destroyed
  }

  return { origin, address, client, end }
}
