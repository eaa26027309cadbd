import {
  isInitializeRequest,
  isJSONRPCResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import type { Host } from './bridge.ts'
import { Lost } from './failure.ts'

/** A stream of news that broke off is opened again, for as long as the host is there. In milliseconds. */
const RECONNECT = {
  initialReconnectionDelay: 500,
  reconnectionDelayGrowFactor: 2,
  maxReconnectionDelay: 10_000,
  maxRetries: Number.MAX_SAFE_INTEGER,
}

interface Waiting {
  done(answer: JSONRPCMessage): void
  lost(): void
}

/** The server, over Streamable HTTP; of clients up to 2025-11-25 the session, and a new one where it was lost. */
export class Remote {
  readonly #url: URL
  readonly #key: string
  readonly #host: Host
  readonly #waiting = new Map<RequestId, Waiting>()
  readonly #subscribed = new Map<string, JSONRPCRequest>()
  #transport: StreamableHTTPClientTransport | null = null
  #opening: JSONRPCRequest | null = null
  #reopening: Promise<void> | null = null
  #count = 0

  constructor(url: URL, key: string, host: Host) {
    this.#url = url
    this.#key = key
    this.#host = host
  }

  /** Resolves when the answer went to the host. @throws {@link Lost}, or what the SDK throws */
  async ask(request: JSONRPCRequest, signal: AbortSignal): Promise<void> {
    await this.#reopening?.catch(() => undefined)
    if (isInitializeRequest(request)) this.#opening = request
    else if (this.#opening && this.#transport?.sessionId === undefined) await this.reopen()
    await this.#exchange(await this.#wire(), request, { signal, isOurs: false })
    const uri = request.params?.uri
    if (request.method === 'resources/subscribe') this.#subscribed.set(String(uri), request)
    if (request.method === 'resources/unsubscribe') this.#subscribed.delete(String(uri))
  }

  /** A notification, or an answer of the host. */
  async tell(message: JSONRPCMessage, begins: boolean): Promise<void> {
    // An answer belongs to the session that asked: in another there is nobody who waits for it.
    if (begins) await this.#reopening?.catch(() => undefined)
    await (await this.#wire()).send(message)
  }

  /** Begins the session anew, as the host began it. */
  reopen(): Promise<void> {
    this.#reopening ??= this.#begunAnew().finally(() => {
      this.#reopening = null
    })
    return this.#reopening
  }

  async close(): Promise<void> {
    const transport = this.#transport
    // Best effort: the server forgets a session by itself.
    await transport?.terminateSession().catch(() => undefined)
    await transport?.close()
  }

  async #begunAnew(): Promise<void> {
    const opening = this.#opening
    const old = this.#transport
    this.#transport = null
    for (const waiting of this.#waiting.values()) waiting.lost()
    await old?.close()
    if (!opening) return
    const wire = await this.#wire()
    const exchange = (request: JSONRPCRequest) => {
      this.#count += 1
      const own = { ...request, id: `bursar-connect-${this.#count}` }
      return this.#exchange(wire, own, { signal: null, isOurs: true })
    }
    await exchange(opening)
    await wire.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
    for (const request of this.#subscribed.values()) await exchange(request)
    this.#host.log('the session began anew')
  }

  async #wire(): Promise<StreamableHTTPClientTransport> {
    if (this.#transport) return this.#transport
    const transport = new StreamableHTTPClientTransport(this.#url, {
      requestInit: { headers: { authorization: `Bearer ${this.#key}` } },
      reconnectionOptions: RECONNECT,
      fetch: async (url, init) => {
        const response = await fetch(url, init)
        // The stream of news of a session that is no more.
        if (init?.method === 'GET' && response.status === 404 && this.#transport === transport)
          this.reopen().catch(() => undefined)
        return response
      },
    })
    transport.onmessage = (message) => this.#received(message)
    transport.onerror = (error) => this.#host.log('the connection failed', { error: error.name })
    this.#transport = transport
    await transport.start()
    return transport
  }

  async #exchange(
    wire: StreamableHTTPClientTransport,
    request: JSONRPCRequest,
    { signal, isOurs }: { readonly signal: AbortSignal | null; readonly isOurs: boolean },
  ): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        const done = (answer: JSONRPCMessage): void => {
          const { result } = answer as { result?: { protocolVersion?: unknown } }
          if (isInitializeRequest(request) && typeof result?.protocolVersion === 'string')
            wire.setProtocolVersion(result.protocolVersion)
          if (isOurs) resolve()
          else this.#host.toHost(answer).then(resolve, reject)
        }
        const lost = (): void => reject(new Lost())
        this.#waiting.set(request.id, { done, lost })
        signal?.addEventListener('abort', lost, { once: true })
        const options = { onRequestStreamEnd: lost, ...(signal && { requestSignal: signal }) }
        wire.send(request, options).catch(reject)
      })
    } finally {
      this.#waiting.delete(request.id)
    }
  }

  #received(message: JSONRPCMessage): void {
    const waiting = isJSONRPCResponse(message) && message.id !== undefined ? this.#waiting.get(message.id) : undefined
    if (waiting) waiting.done(message)
    else if ('method' in message) this.#host.toHost(message).catch(() => undefined)
  }
}
