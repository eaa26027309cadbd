import { setTimeout as sleep } from 'node:timers/promises'
import {
  isInitializedNotification,
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  type RequestId,
} from '@modelcontextprotocol/client'
import { failureOf, isRepeatable, lostAnswer, refusedAnswer, unreachedAnswer } from './failure.ts'
import { Remote } from './remote.ts'

/** How long a server that restarts is waited for, and between two tries, in milliseconds. */
const RETRY_WITHIN_MS = 20_000
const RETRY_FIRST_MS = 100
const RETRY_MAX_MS = 2_000

export interface Host {
  toHost(message: JSONRPCMessage): Promise<void>
  log(message: string, fields?: object): void
}

/** A request that has no answer yet. */
interface Asking {
  readonly isModern: boolean
  readonly cancel: AbortController
  isCanceled: boolean
}

/**
 * Carries messages as they are, whichever era they are of. What the server has not got is sent again when it is back; what it may
 * have got is sent again only where that changes nothing.
 */
export class Bridge {
  readonly #host: Host
  readonly #remote: Remote
  readonly #asking = new Map<RequestId, Asking>()
  readonly #closed = new AbortController()
  /** Notifications keep their place before what comes after them. */
  #before: Promise<unknown> = Promise.resolve()

  constructor(url: URL, key: string, host: Host) {
    this.#host = host
    this.#remote = new Remote(url, key, host)
  }

  async fromHost(message: JSONRPCMessage): Promise<void> {
    const before = this.#before
    if (!isJSONRPCRequest(message)) {
      this.#before = before.then(() => this.#told(message)).catch(() => undefined)
      return
    }
    await before
    const answer = await this.#asked(message)
    // A host that has left is noticed by its pipe.
    if (answer) await this.#host.toHost(answer).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#closed.abort()
    await this.#remote.close()
  }

  /** Null: the server's own answer went to the host, or the host wants none any more. */
  async #asked(request: JSONRPCRequest): Promise<JSONRPCMessage | null> {
    const asking = { isModern: isModern(request), cancel: new AbortController(), isCanceled: false }
    this.#asking.set(request.id, asking)
    let until = 0
    let pause = RETRY_FIRST_MS
    try {
      for (;;) {
        const began = performance.now()
        try {
          await this.#remote.ask(request, asking.cancel.signal)
          return null
        } catch (error) {
          if (asking.isCanceled || this.#closed.signal.aborted) return null
          const failure = failureOf(error)
          if (failure.kind === 'refused') return refusedAnswer(request, failure)
          if (failure.kind === 'lost' && !isRepeatable(request)) return lostAnswer(request)
          const now = performance.now()
          // It was there for a while, or fails for the first time: from now on it is waited for.
          if (until === 0 || now - began > RETRY_MAX_MS) [until, pause] = [now + RETRY_WITHIN_MS, RETRY_FIRST_MS]
          if (now + pause > until) return unreachedAnswer(request)
          this.#host.log('the server is tried again', { method: request.method, failure: failure.kind })
          if (failure.kind === 'session') await this.#remote.reopen().catch(() => undefined)
          else await sleep(pause, undefined, { signal: this.#closed.signal }).catch(() => undefined)
          pause = Math.min(2 * pause, RETRY_MAX_MS)
        }
      }
    } finally {
      this.#asking.delete(request.id)
    }
  }

  async #told(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled') {
      const asking = this.#asking.get(message.params?.requestId as RequestId)
      if (asking) asking.isCanceled = true
      // Of 2026-07-28 over HTTP, who does not want an answer any more hangs up.
      if (asking?.isModern) return asking.cancel.abort()
    }
    try {
      await this.#remote.tell(message, isInitializedNotification(message))
    } catch (error) {
      this.#host.log('a message was not taken', { failure: failureOf(error).kind })
    }
  }
}

/** Whether it is of 2026-07-28, or later: then it says so itself. */
function isModern({ params }: JSONRPCRequest): boolean {
  return (params?._meta as Record<string, unknown> | undefined)?.[PROTOCOL_VERSION_META_KEY] !== undefined
}
