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
  let following: Promise<void> | null = null
  server.setRequestHandler('resources/subscribe', async ({ params }) => {
    if (subscribed.size >= SUBSCRIPTIONS_MAX)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There are too many subscriptions.')
    subscribed.add(params.uri)
    following ??= follow(host, (uri) => subscribed.has(uri))
    await following
    return {}
  })
  server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    subscribed.delete(params.uri)
    return {}
  })
}

/** As {@link watch}, for a server of one connection: it ends with that. Resolves once what comes is told. */
export function follow(host: Host, wanted: (uri: string) => boolean): Promise<void> {
  const { server } = host.mcp
  const { stop, ready } = watch(host, (uri) => {
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
  return ready
}

/** Whose resources, and how often they are looked at. */
type Watched = Pick<Host, 'deps' | 'timing'>

interface Watch {
  readonly stop: () => void
  /** Resolves when it is known where the journals end: what comes after that is told. */
  readonly ready: Promise<void>
}

/**
 * Reads what is new in the journals and tells which resources changed. The journals, and not this process's own changes, are
 * what is followed: a human decides in another process.
 */
export function watch(watched: Watched, changed: (uri: string) => void): Watch {
  const { deps, timing } = watched
  const failed = (error: unknown): void =>
    deps.log('warn', 'The journals could not be followed.', { error: stackOf(error) })
  let positions: Map<string, number> | null = null
  const next = async (): Promise<void> => {
    if (positions) for (const uri of await news(watched, positions)) changed(uri)
    else positions = new Map((await deps.bursar.store.read.heads()).map(({ journal, size }) => [journal, size]))
  }
  // One look at a time: two at once would tell the same twice.
  let looking = next().catch(failed)
  const ready = looking
  let soon: NodeJS.Timeout | null = null
  const look = (): void => {
    soon = null
    looking = looking.then(next).catch(failed)
  }
  const timer = setInterval(look, timing.followMs).unref()
  const unsubscribe = deps.changes(() => {
    soon ??= setTimeout(look, BURST_MS).unref()
  })
  const stop = (): void => {
    clearInterval(timer)
    if (soon) clearTimeout(soon)
    unsubscribe()
  }
  return { stop, ready }
}

async function news(watched: Watched, positions: Map<string, number>): Promise<Set<string>> {
  const { read } = watched.deps.bursar.store
  const uris = new Set<string>()
  for (const journal of await journalsOf(watched.deps)) {
    const from = positions.get(journal) ?? 0
    const size = (await read.head(journal))?.size ?? 0
    if (size <= from) continue
    positions.set(journal, size)
    for await (const event of read.events(journal, from)) {
      const body = bodyOf(event)
      if (body) for (const uri of await urisOf(watched, body)) uris.add(uri)
    }
  }
  return uris
}

/** What an event changes. What another agent does in a shared wallet shows in the wallet alone. */
async function urisOf({ deps }: Watched, body: EventBody): Promise<readonly string[]> {
  if (!(await isOwn(deps, body))) return [WALLETS]
  const instrument = body.instrument_id === undefined ? [] : [instrumentUri(body.instrument_id)]
  const payment = body.payment_id === undefined ? [] : [paymentUri(body.payment_id)]
  return [WALLETS, JOURNAL, ...instrument, ...payment]
}
