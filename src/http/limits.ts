import { createHash, randomBytes } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { Refused } from './shared/problem.ts'

/** How much of what is done for whom, so that one does not hold up others. */
export interface Limits {
  /** Requests of one agent, whatever it came with, in a minute. */
  readonly agentPerMinute: number
  /** Requests of one agent that are worked on at a time. Streams that only wait for news are counted apart. */
  readonly agentAtOnce: number
  /** Requests of one owner in a minute. */
  readonly ownerPerMinute: number
  /** Requests of one address that come without a credential, in a minute. */
  readonly addressPerMinute: number
  /** Credentials that do not hold, of one address in a minute: then nothing is looked at that is not known to be good. */
  readonly failuresPerMinute: number
  /** Wrong passphrases of one address, in a quarter of an hour; all addresses together get ten times that. */
  readonly passphrasesPerQuarter: number
  /** Bytes of one request's body. */
  readonly bodyBytes: number
  /** Bytes that wait for a client that does not read what it asked for. */
  readonly unreadBytes: number
}

export const LIMITS: Limits = {
  agentPerMinute: 1_800,
  agentAtOnce: 48,
  ownerPerMinute: 1_200,
  addressPerMinute: 600,
  failuresPerMinute: 30,
  passphrasesPerQuarter: 10,
  bodyBytes: 1_000_000,
  unreadBytes: 1_000_000,
}

const MINUTE = 60
const QUARTER = 15 * MINUTE
const EVERYONE = 'everyone'

export type Meters = ReturnType<typeof metersOf>

/** Counts in the memory of this process. @throws each: `rate_limited`, with `Retry-After` */
export function metersOf(limits: Limits) {
  const agents = meter(limits.agentPerMinute, MINUTE)
  const owners = meter(limits.ownerPerMinute, MINUTE)
  const addresses = meter(limits.addressPerMinute, MINUTE)
  const pages = meter(limits.ownerPerMinute, MINUTE)
  const failures = meter(limits.failuresPerMinute, MINUTE)
  const passphrases = meter(limits.passphrasesPerQuarter, QUARTER)
  const allPassphrases = meter(limits.passphrasesPerQuarter * 10, QUARTER)
  return {
    agent: (id: string) => agents.count(id),
    owner: (id: string) => owners.count(id),
    /** What the console asks for one who is signed in. */
    page: (ownerId: string) => pages.count(ownerId),
    stranger: (address: string) => addresses.count(bucketOf(address)),
    /** Before something is looked at that takes work to check and is not known to be good. */
    mayTry: (address: string) => failures.check(bucketOf(address)),
    failed: (address: string) => failures.count(bucketOf(address)),
    async mayTryPassphrase(address: string) {
      await passphrases.check(bucketOf(address))
      await allPassphrases.check(EVERYONE)
    },
    async passphraseFailed(address: string) {
      await passphrases.count(bucketOf(address))
      await allPassphrases.count(EVERYONE)
    },
  }
}

function meter(points: number, duration: number) {
  const limiter = new RateLimiterMemory({ points, duration })
  return {
    async count(key: string): Promise<void> {
      try {
        await limiter.consume(key)
      } catch (error) {
        throw error instanceof RateLimiterRes ? tooMany(error.msBeforeNext) : error
      }
    },
    async check(key: string): Promise<void> {
      const known = await limiter.get(key)
      if (known !== null && known.consumedPoints >= points) throw tooMany(known.msBeforeNext)
    },
  }
}

function tooMany(ms: number): Refused {
  const seconds = Math.max(1, Math.ceil(ms / 1000))
  return new Refused('rate_limited', 'There were too many requests.', { 'retry-after': String(seconds) })
}

const SALT = randomBytes(16)

/** Addresses share a bounded number of counters, so that whoever has many of them cannot fill the memory. */
function bucketOf(address: string): string {
  return createHash('sha256').update(SALT).update(netOf(address)).digest('base64url').slice(0, 3)
}

/** Whoever has one address of IPv6 has the 2⁶⁴ beside it. */
export function netOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length
  return [...groups(head), ...Array<string>(Math.max(0, missing)).fill('0'), ...groups(tail ?? '')]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

/** How many requests of each are worked on at a time. */
export function atOnceOf(max: number) {
  const open = new Map<string, number>()
  return {
    /** Returns the way to give the place back. @throws `rate_limited` */
    enter(key: string): () => void {
      const count = open.get(key) ?? 0
      if (count >= max)
        throw new Refused('rate_limited', `There are ${max} requests at once already.`, { 'retry-after': '1' })
      open.set(key, count + 1)
      let left = false
      return () => {
        if (left) return
        left = true
        const now = (open.get(key) ?? 1) - 1
        if (now === 0) open.delete(key)
        else open.set(key, now)
      }
    },
  }
}
