import type { Clock } from '../../ports.ts'
import { netOf } from '../limits.ts'
import { Refused } from '../shared/problem.ts'

/** So many failures in a row, and the address has to wait: longer with each further one. */
const FAILURES_MAX = 5
const WAIT_MS = 30_000
const WAIT_MAX_MS = 15 * 60 * 1000
/** After so long without a failure all is forgotten. */
const FORGET_MS = 60 * 60 * 1000
const NETS_MAX = 2_000
/** Of all addresses together, so many failures in an hour are on record: nobody fills the journal with theirs. */
const RECORDED_MAX = 100

interface Failures {
  readonly count: number
  readonly last: number
  readonly until: number
}

/**
 * Slows down whoever fails to sign in, or to enrol. Who has a good passkey, or the right code, is let in whatever others fail with:
 * else an agent on the same machine could lock its owner out. Neither can be guessed; a code has 80 bits, for ten minutes.
 */
export class Lock {
  private readonly clock: Clock
  private readonly nets = new Map<string, Failures>()
  private recorded = { count: 0, since: 0 }

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** @throws `rate_limited` */
  assertOpen(address: string): void {
    const ms = (this.nets.get(netOf(address))?.until ?? 0) - this.clock.now()
    if (ms <= 0) return
    const seconds = String(Math.ceil(ms / 1000))
    throw new Refused('rate_limited', 'There were too many failures.', { 'retry-after': seconds })
  }

  /** @returns as what it is to be on record; null: there is enough on record */
  failed(address: string): 'failed' | 'locked' | null {
    const now = this.clock.now()
    const net = netOf(address)
    const before = this.nets.get(net)
    const count = before && now - before.last < FORGET_MS ? before.count + 1 : 1
    const over = count - FAILURES_MAX
    const wait = over < 0 ? 0 : Math.min(WAIT_MS * 2 ** Math.min(over, 10), WAIT_MAX_MS)
    // The net that failed last is the last to be forgotten.
    this.nets.delete(net)
    this.nets.set(net, { count, last: now, until: now + wait })
    const [oldest] = this.nets.keys()
    if (this.nets.size > NETS_MAX && oldest !== undefined) this.nets.delete(oldest)
    return this.mayRecord(now) ? (wait > 0 ? 'locked' : 'failed') : null
  }

  succeeded(address: string): void {
    this.nets.delete(netOf(address))
  }

  private mayRecord(now: number): boolean {
    if (now - this.recorded.since >= FORGET_MS) this.recorded = { count: 0, since: now }
    this.recorded.count += 1
    return this.recorded.count <= RECORDED_MAX
  }
}
