import type { Clock } from '../../ports.ts'

/** Where a request comes from, as the server found it: never from what the request says of itself. */
export interface Client {
  /** The IP address of who asks: behind a proxy, the one that the proxy saw. */
  readonly address: string
  /** Nobody on the way can read it: it came over TLS, or did not leave this machine. */
  readonly secure: boolean
  /** `https://pay.example.com`: the address that the request was sent to, checked to be one of ours. */
  readonly origin: string
}

/** A request and its answer, while they last. */
interface Exchange {
  readonly client: Client
  readonly done: (() => void)[]
  endsAt: number | null
}

const exchanges = new WeakMap<Request, Exchange>()

export function begin(request: Request, client: Client): void {
  exchanges.set(request, { client, done: [], endsAt: null })
}

/** @throws TypeError for a request that did not come through the app */
export function clientOf(request: Request): Client {
  return exchangeOf(request).client
}

/** Runs once the answer was sent whole, or nobody is there for it any more: a stream may take long. */
export function afterwards(request: Request, work: () => void): void {
  exchangeOf(request).done.push(work)
}

/** A stream that answers the request ends then, in milliseconds since the epoch. */
export function endAt(request: Request, time: number | null): void {
  exchangeOf(request).endsAt = time
}

export function endOf(request: Request): number | null {
  return exchangeOf(request).endsAt
}

/** Runs what is to be done {@link afterwards}. */
export function finish(request: Request): void {
  for (const work of exchangeOf(request).done.splice(0)) work()
}

/** More milliseconds than a timer counts. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** How long a timer has to wait for a time, in milliseconds. */
export function msUntil(time: number, { now }: Clock): number {
  return Math.min(TIMER_MAX_MS, Math.max(0, time - now()))
}

function exchangeOf(request: Request): Exchange {
  const exchange = exchanges.get(request)
  if (!exchange) throw new TypeError('This request did not come through the app.')
  return exchange
}
