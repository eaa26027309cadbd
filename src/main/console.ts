import { randomInt } from 'node:crypto'
import { BursarError } from '../core/errors.ts'
import type { Bursar } from '../ports.ts'
import { errorFields, type Log } from '../telemetry.ts'
import type { Served } from './console-server.ts'
import type { Running } from './open.ts'

/** The ports that nobody has a claim to (RFC 6335, §6). */
const PORTS = { first: 49_152, end: 65_536 } as const
const TRIES = 5
const LOOK_MS = 60_000
/** How long the console stays after the last question was decided. */
const LINGER_MS = 10 * 60_000

interface Program {
  readonly version: string
  /** Where the package is. */
  readonly root: string
}

/** The console beside an agent's own process: there while something waits that its owner could decide with a passkey. */
export class LocalConsole {
  private readonly running: Running
  private readonly log: Log
  private readonly program: Program
  private port = freshPort()
  private served: Promise<Served | null> | null = null
  private timer: NodeJS.Timeout | null = null
  private waitedAt = 0
  private closed = false

  constructor(running: Running, log: Log, program: Program) {
    this.running = running
    this.log = log
    this.program = program
  }

  /** The same bursar, which tells where its owner can decide. Whoever is told has a question that waits: the console opens. */
  get bursar(): Bursar {
    return { ...this.running.bursar, consoleUrl: () => this.url() }
  }

  /** Whether it answers, once it has begun to. */
  async ready(): Promise<boolean> {
    return (await this.served) !== null
  }

  /** Ends at once whatever its pages still do. */
  async close(): Promise<void> {
    this.closed = true
    await this.shut()
  }

  private async url(): Promise<string | null> {
    if (this.closed || !(await this.isUsable())) return null
    this.waitedAt = performance.now()
    this.served ??= this.open()
    return `http://localhost:${this.port}/console`
  }

  /** Where nobody has a passkey, or a code for one, nobody gets in: the command line decides. */
  private async isUsable(): Promise<boolean> {
    const { store, clock } = this.running.bursar
    if ((await store.read.list('passkeys', { revokedAt: null }, { limit: 1 })).length > 0) return true
    const now = clock.now()
    return (await store.read.list('invitations', { usedAt: null })).some(({ expiresAt }) => now < expiresAt)
  }

  /** Loads only now: a host that never asks waits for none of it. Not there in the end: the command line decides. */
  private async open(): Promise<Served | null> {
    // The answer that tells of it comes first.
    await new Promise(setImmediate)
    const { serveConsole } = await import('./console-server.ts')
    for (let tries = 0; !this.closed && tries < TRIES; tries++) {
      try {
        const served = await serveConsole(this.running, this.bursar, this.port, this.log, this.program)
        this.timer ??= setInterval(() => void this.look(), LOOK_MS).unref()
        return served
      } catch (error) {
        if (!(error instanceof BursarError)) this.log.error('the console did not open', errorFields(error))
        this.port = freshPort()
      }
    }
    return null
  }

  private async look(): Promise<void> {
    const { read } = this.running.bursar.store
    const waiting = await read.list('approvals', { status: 'waiting' }, { limit: 1 }).catch(() => [])
    if (waiting.length > 0) this.waitedAt = performance.now()
    else if (performance.now() - this.waitedAt >= LINGER_MS) void this.shut()
  }

  private async shut(): Promise<void> {
    if (this.timer) clearInterval(this.timer)
    this.timer = null
    const served = this.served
    this.served = null
    this.port = freshPort()
    await (await served?.catch(() => null))?.close()
  }
}

function freshPort(): number {
  return randomInt(PORTS.first, PORTS.end)
}
