import { EventEmitter, once } from 'node:events'
import { type Served, startServe } from '../support/served.ts'

/** A server that is killed and started again on the same home and port, as those see it who use it meanwhile. */
export class Standing extends EventEmitter<{ up: []; down: []; counted: [] }> {
  #served: Served | null
  readonly #main: string
  readonly #home: string
  readonly origin: string
  readonly #port: number
  #count = 0

  private constructor(main: string, home: string, served: Served) {
    super()
    this.setMaxListeners(0)
    this.#main = main
    this.#home = home
    this.#served = served
    this.#port = served.port
    this.origin = served.origin
  }

  static async start(main: string, home: string): Promise<Standing> {
    return new Standing(main, home, await startServe(main, home))
  }

  /** Resolves when it has ended, with the exit code. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const served = this.#served
    if (!served) return null
    this.#served = null
    served.process.kill(signal)
    await served.ended
    this.emit('down')
    return served.process.exitCode
  }

  async restart(): Promise<void> {
    this.#served = await startServe(this.#main, this.#home, this.#port)
    this.emit('up')
  }

  /** Resolves while it stands. */
  async up(): Promise<void> {
    if (this.#served === null) await once(this, 'up')
  }

  /** The answer, or an error when the server ends before it comes: some clients would wait for it for a minute. */
  async whileUp<T>(answer: Promise<T>): Promise<T> {
    const ended = new AbortController()
    const down = once(this, 'down', { signal: ended.signal }).then(() => Promise.reject(new Error('It is down.')))
    try {
      return await Promise.race([answer, down])
    } finally {
      ended.abort()
      down.catch(() => undefined)
    }
  }

  /** Something was done that {@link counted} waits for. */
  count(): void {
    this.#count += 1
    this.emit('counted')
  }

  async counted(number: number): Promise<void> {
    while (this.#count < number) await once(this, 'counted')
  }
}
