import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** How an answer of PostgreSQL ends: ReadyForQuery, and a byte that says whether a transaction is open. */
const READY = Buffer.from('Z\0\0\0\x05', 'latin1')
const READY_BYTES = READY.length + 1

/** To the server, or back from it. */
export type Way = 'there' | 'back'

/** Stands in front of a server and passes every byte at once. */
export async function byteProxy(target: string): Promise<ByteProxy> {
  const proxy = new ByteProxy(target)
  await proxy.listen()
  return proxy
}

/**
 * A network as bad as a test wants it, in front of one TCP server. Texts are looked for in what the client sends as it goes
 * over the wire, so only where it is not encrypted.
 */
export class ByteProxy {
  /** How many connections were made through it. */
  connections = 0
  /** How many bytes were lost on the way to the server, and back. */
  readonly bytesLost: Record<Way, number> = { there: 0, back: 0 }
  private readonly server = createServer({ allowHalfOpen: true }, (client) => this.serve(client))
  private readonly lines = new Set<Line>()
  private readonly traps: Trap[] = []
  private readonly lost = new Set<Way>()
  private target: URL
  private isDown = false
  private isHeld = false
  private wait = 0

  /** @param target A URL with the server's host and port; the rest of it does not matter. */
  constructor(target: string) {
    this.target = new URL(target)
  }

  async listen(): Promise<void> {
    this.server.listen(0, '127.0.0.1').unref()
    await once(this.server, 'listening')
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** The URL of the server, or of something on it, through this proxy. */
  through(url: string): string {
    const through = new URL(url)
    through.host = `127.0.0.1:${this.port}`
    return through.href
  }

  /** New connections are to this server, as when an address moves to another machine. */
  to(target: string): void {
    this.target = new URL(target)
  }

  /** Every connection is cut with RST, at both ends. New ones are taken. */
  cut(): void {
    for (const line of this.lines) line.cut()
  }

  /** Every connection is cut, and each new one as soon as it is made. */
  down(): void {
    this.isDown = true
    this.cut()
  }

  /** What comes is lost without a word, and that a side has closed as well: the other waits. Connections stay open. */
  drop(ways: readonly Way[] = ['there', 'back']): void {
    for (const way of ways) this.lost.add(way)
  }

  /** What comes is kept and goes on, in order, when the proxy is honest again: a network that was away for a while. */
  hold(): void {
    this.isHeld = true
    for (const line of this.lines) line.hold(true)
  }

  /** What comes goes on this much later, in order. */
  delay(milliseconds: number): void {
    this.wait = milliseconds
  }

  /**
   * The next message with this text gets to the server, and nothing that the server says after that gets back. The
   * connection stays open.
   *
   * @returns Resolves with the connection when the server, a PostgreSQL, has answered to the end, or has closed it.
   */
  swallowAnswer(text: string): Promise<Line> {
    return this.trap(text, 'answer')
  }

  /** The next message with this text does not get to the server, and nothing of its connection after it. It stays open. */
  swallow(text: string): Promise<Line> {
    return this.trap(text, 'message')
  }

  /** Honest again, for new connections and for those of which nothing was lost. Those are silent to their end. */
  pass(): void {
    this.isDown = false
    this.isHeld = false
    this.wait = 0
    this.lost.clear()
    this.traps.splice(0)
    for (const line of this.lines) line.hold(false)
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    this.cut()
    await closed
  }

  private trap(text: string, what: Trap['what']): Promise<Line> {
    // What was sent before does not count.
    for (const line of this.lines) line.forget()
    return new Promise((resolve) => this.traps.push({ bytes: Buffer.from(text), what, sprung: resolve }))
  }

  private serve(client: Socket): void {
    this.connections += 1
    if (this.isDown) {
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const server = connect({ host: this.target.hostname, port: Number(this.target.port), allowHalfOpen: true })
    const [isLost, wait] = [(way: Way) => this.lost.has(way), () => this.wait]
    const network = { isLost, wait, traps: this.traps, bytesLost: this.bytesLost }
    const line = new Line(client, server, network)
    this.lines.add(line)
    line.hold(this.isHeld)
    void line.closed.then(() => this.lines.delete(line))
  }
}

interface Trap {
  readonly bytes: Buffer
  readonly what: 'answer' | 'message'
  sprung(line: Line): void
}

interface Network {
  isLost(way: Way): boolean
  wait(): number
  readonly traps: Trap[]
  readonly bytesLost: Record<Way, number>
}

/** One connection through the proxy. */
export class Line {
  readonly closed: Promise<unknown>
  private readonly client: Socket
  private readonly server: Socket
  private readonly network: Network
  /** Of these ways something was lost: what comes after it would make no sense to whoever gets it. */
  private readonly silent = new Set<Way>()
  private readonly last: Record<Way, Promise<void>> = { there: Promise.resolve(), back: Promise.resolve() }
  /** What the client sent last, which may be the beginning of a text. */
  private tail: Buffer = Buffer.alloc(0)
  /** The last bytes of an answer that is swallowed. */
  private heard: Buffer = Buffer.alloc(0)
  private answered: (() => void) | undefined

  constructor(client: Socket, server: Socket, network: Network) {
    this.client = client
    this.server = server
    this.network = network
    this.closed = Promise.all([client, server].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    server.once('close', () => this.answered?.())
    this.carry('there', client, server)
    this.carry('back', server, client)
  }

  /** RST at both ends. */
  cut(): void {
    this.client.resetAndDestroy()
    this.server.resetAndDestroy()
  }

  hold(on: boolean): void {
    for (const socket of [this.client, this.server]) on ? socket.pause() : socket.resume()
  }

  forget(): void {
    this.tail = Buffer.alloc(0)
  }

  private carry(way: Way, from: Socket, to: Socket): void {
    from.setNoDelay(true)
    from.on('data', (chunk) => {
      if (way === 'there') this.look(chunk)
      else if (this.answered) this.listen(chunk, this.answered)
      this.send(way, () => to.write(chunk), chunk.length)
    })
    from.on('end', () => this.send(way, () => to.end()))
    // A side that was cut off cuts the other off.
    from.on('error', () => this.send(way, () => to.resetAndDestroy()))
  }

  /** In order, and each as late as the network is slow, unless it is lost. */
  private send(way: Way, act: () => void, bytes = 0): void {
    if (this.network.isLost(way)) this.silent.add(way)
    if (this.silent.has(way)) {
      this.network.bytesLost[way] += bytes
      return
    }
    const due = performance.now() + this.network.wait()
    this.last[way] = this.last[way].then(async () => {
      const left = due - performance.now()
      if (left > 0) await sleep(left)
      act()
    })
  }

  private listen(chunk: Buffer, answered: () => void): void {
    this.heard = Buffer.concat([this.heard, chunk]).subarray(-READY_BYTES)
    if (this.heard.length === READY_BYTES && this.heard.subarray(0, READY.length).equals(READY)) answered()
  }

  private look(chunk: Buffer): void {
    const { traps } = this.network
    const seen = Buffer.concat([this.tail, chunk])
    const at = traps.findIndex(({ bytes }) => seen.includes(bytes))
    const longest = Math.max(0, ...traps.map(({ bytes }) => bytes.length - 1))
    this.tail = at < 0 && longest > 0 ? seen.subarray(-longest) : Buffer.alloc(0)
    const [trap] = at < 0 ? [] : traps.splice(at, 1)
    if (!trap) return
    if (trap.what === 'message') {
      this.silent.add('there').add('back')
      trap.sprung(this)
    } else {
      this.silent.add('back')
      this.answered = () => trap.sprung(this)
    }
  }
}
