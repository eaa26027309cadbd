import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import type { Host } from './deps.ts'
import { bodyOf, type EventBody, isOwn, journalsOf } from './journal.ts'
import { stackOf } from './tool.ts'
import { instrumentUri, JOURNAL, paymentUri, WALLETS } from './uris.ts'

/** A client that subscribes to more than this is told no. */
const SUBSCRIPTIONS_MAX = 1000
/** A burst of commits in this process is looked at once, this many milliseconds after its first. */
const BURST_MS = 20

/**
 * Subscriptions in both eras. The SDK routes updates to `subscriptions/listen` of 2026-07-28 by itself, but leaves
 * `resources/subscribe` of earlier revisions to the server.
 */
export function followSubscriptions(host: Host): void {
  const { server } = host.mcp
  if (host.era === 'modern') return
  const subscribed = new Set<string>()
  let following = false
  server.setRequestHandler('resources/subscribe', ({ params }) => {
    if (subscribed.size >= SUBSCRIPTIONS_MAX)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There are too many subscriptions.')
    subscribed.add(params.uri)
    if (!following) follow(host, (uri) => subscribed.has(uri))
    following = true
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    subscribed.delete(params.uri)
    return {}
  })
}

/** As {@link watch}, for a server of one connection: it ends with that. */
export function follow(host: Host, wanted: (uri: string) => boolean): void {
  const { server } = host.mcp
  const stop = watch(host, (uri) => {
    // Whoever is not listening any more is noticed by the transport.
    if (wanted(uri)) server.sendResourceUpdated({ uri }).catch(() => undefined)
  })
  const closed = server.onclose
  server.onclose = () => {
    host.closing.removeEventListener('abort', stop)
    stop()
    closed?.()
  }
  host.closing.addEventListener('abort', stop, { once: true })
}

/** Whose resources, and how often they are looked at. */
type Watched = Pick<Host, 'deps' | 'timing'>

/**
 * Reads what is new in the journals and tells which resources changed. The journals, and not this process's own changes, are
 * what is followed: a human decides in another process. Returns the way to stop.
 */
export function watch(watched: Watched, changed: (uri: string) => void): () => void {
  const { deps, timing } = watched
  const positions = new Map(deps.bursar.store.read.heads().map(({ journal, size }) => [journal, size]))
  let soon: NodeJS.Timeout | null = null
  const look = (): void => {
    soon = null
    try {
      for (const uri of news(watched, positions)) changed(uri)
    } catch (error) {
      deps.log('warn', 'The journals could not be followed.', { error: stackOf(error) })
    }
  }
  const timer = setInterval(look, timing.followMs).unref()
  const unsubscribe = deps.changes(() => {
    soon ??= setTimeout(look, BURST_MS).unref()
  })
  return () => {
    clearInterval(timer)
    if (soon) clearTimeout(soon)
    unsubscribe()
  }
}

function news(watched: Watched, positions: Map<string, number>): Set<string> {
  const { read } = watched.deps.bursar.store
  const uris = new Set<string>()
  for (const journal of journalsOf(watched.deps)) {
    const from = positions.get(journal) ?? 0
    const size = read.head(journal)?.size ?? 0
    if (size <= from) continue
    positions.set(journal, size)
    for (const event of read.events(journal, from)) for (const uri of urisOf(watched, bodyOf(event))) uris.add(uri)
  }
  return uris
}

/** What an event changes. What another agent does in a shared wallet shows in the wallet alone. */
function urisOf({ deps }: Watched, body: EventBody): readonly string[] {
  if (!isOwn(deps, body)) return [WALLETS]
  const instrument = body.instrument_id === undefined ? [] : [instrumentUri(body.instrument_id)]
  const payment = body.payment_id === undefined ? [] : [paymentUri(body.payment_id)]
  return [WALLETS, JOURNAL, ...instrument, ...payment]
}
