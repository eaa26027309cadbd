import { Hono } from 'hono'
import type { JournalEvent } from '../../core/event.ts'
import type { HttpDeps } from '../deps.ts'
import { Refused } from '../shared/problem.ts'
import type { Desk } from './desk.ts'

/** Agents' hosts write in processes of their own: the journals are what is followed. */
const LOOK_MS = 1_000
/** A burst of commits in this process is looked at once, so long after its first, in milliseconds. */
const BURST_MS = 20
const PING_MS = 20_000
const STREAMS_MAX = 20
/** Of one look: whoever was told that much reads everything anew anyway. */
const NEWS_MAX = 200

interface News {
  readonly subject_id: string
  readonly wallet_id: string | null
}
type Listener = (news: readonly News[]) => void

/** Tells pages what has changed, as server-sent events (HTML Standard, §9.2). */
export function eventRoutes(desk: Desk): Hono {
  const follower = new Follower(desk.deps)
  const app = new Hono()
  app.get('/events', async (c) => {
    // One without its body would be followed by nobody, and not end.
    if (c.req.method === 'HEAD') return c.body(null, 405, { allow: 'GET' })
    const session = await desk.listening(c.req.raw)
    if (follower.size >= STREAMS_MAX)
      throw new Refused('rate_limited', 'There are too many pages open.', { 'retry-after': '30' })
    const body = streamOf(follower, session.ended.signal, async () => !(await desk.sessions.isOpen(session)))
    return c.body(body, 200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
  })
  return app
}

/** @param isOver asked from time to time: a session may end while nobody asks for anything */
function streamOf(follower: Follower, ended: AbortSignal, isOver: () => Promise<boolean>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let stop = (): void => undefined
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (event: string, data: object): void => {
        controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
      }
      const end = (): void => {
        stop()
        controller.close()
      }
      let left = false
      const leave = follower.follow((news) => {
        for (const one of news) send('changed', one)
      })
      const ping = async (): Promise<void> => {
        const over = await isOver().catch(() => true)
        if (left) return
        if (over) end()
        else send('ping', {})
      }
      const pings = setInterval(() => void ping(), PING_MS).unref()
      stop = () => {
        left = true
        leave()
        clearInterval(pings)
        ended.removeEventListener('abort', end)
      }
      ended.addEventListener('abort', end, { once: true })
      send('ping', {})
    },
    cancel: () => stop(),
  })
}

/** Reads what is new in the journals, for all pages at once, while there are any. */
class Follower {
  private readonly deps: HttpDeps
  private readonly listeners = new Set<Listener>()
  /** Null until it is known where the journals end: what comes after that is told. */
  private positions: Map<string, number> | null = null
  /** One look at a time: two at once would tell the same twice. */
  private looking = Promise.resolve()
  private stop: (() => void) | null = null

  constructor(deps: HttpDeps) {
    this.deps = deps
  }

  get size(): number {
    return this.listeners.size
  }

  follow(listener: Listener): () => void {
    this.listeners.add(listener)
    this.stop ??= this.begin()
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size > 0) return
      this.stop?.()
      this.stop = null
    }
  }

  private begin(): () => void {
    this.positions = null
    let soon: NodeJS.Timeout | null = null
    const look = (): void => {
      soon = null
      this.looking = this.looking.then(() => this.look())
    }
    look()
    const timer = setInterval(look, LOOK_MS).unref()
    const leave = this.deps.changes(() => {
      soon ??= setTimeout(look, BURST_MS).unref()
    })
    return () => {
      clearInterval(timer)
      if (soon) clearTimeout(soon)
      leave()
    }
  }

  private async look(): Promise<void> {
    try {
      const news = await this.news()
      if (news.length > 0) for (const listener of this.listeners) listener(news)
    } catch (error) {
      this.deps.log('warn', 'The journals could not be followed.', { error: String(error) })
    }
  }

  private async news(): Promise<readonly News[]> {
    const { read } = this.deps.bursar.store
    const heads = await read.heads()
    const before = this.positions
    this.positions = new Map(heads.map(({ journal, size }) => [journal, size]))
    if (!before) return []
    const news = new Map<string, News>()
    for (const { journal, size } of heads) {
      const from = before.get(journal) ?? 0
      if (size <= from) continue
      for await (const { body } of read.events(journal, Math.max(from, size - NEWS_MAX))) {
        if (body === null) continue
        const one = newsOf(JSON.parse(body) as JournalEvent)
        news.set(`${one.subject_id} ${one.wallet_id}`, one)
      }
    }
    return [...news.values()].slice(-NEWS_MAX)
  }
}

function newsOf({ request_id, payment_id, instrument_id, agent_id, wallet_id, journal }: JournalEvent): News {
  const subject_id = payment_id ?? request_id ?? instrument_id ?? wallet_id ?? agent_id ?? journal
  return { subject_id, wallet_id: wallet_id ?? null }
}
