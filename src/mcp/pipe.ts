import { PassThrough, type Readable, type Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { JSONRPCMessage, RequestId, Transport } from '@modelcontextprotocol/server'
import { isJSONRPCNotification, isJSONRPCRequest } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'

/**
 * The SDK's stdio transport, but the end of input does not cut off what is being answered: the SDK would close at
 * once and drop the answers of payments that were made.
 */
export class Pipe implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  /** Resolves once when no more can come in, or nothing can go out. */
  readonly ended: Promise<void>
  readonly #feed = new PassThrough()
  readonly #wire: StdioServerTransport
  readonly #open = new Set<RequestId>()
  #idle: (() => void) | null = null

  constructor(input: Readable, output: Writable) {
    this.#wire = new StdioServerTransport(this.#feed, output)
    this.ended = new Promise((resolve) => {
      input.once('end', resolve).once('close', resolve).once('error', resolve)
      this.#wire.onclose = () => {
        resolve()
        this.onclose?.()
      }
    })
    this.#wire.onerror = (error) => this.onerror?.(error)
    this.#wire.onmessage = (message) => this.#received(message)
    input.pipe(this.#feed, { end: false })
  }

  start(): Promise<void> {
    return this.#wire.start()
  }

  send(message: JSONRPCMessage): Promise<void> {
    const sent = this.#wire.send(message)
    if (!('method' in message) && message.id !== undefined) this.#close(message.id)
    return sent
  }

  close(): Promise<void> {
    return this.#wire.close()
  }

  /** Resolves when every request that came in so far is answered. */
  async answered(): Promise<void> {
    do await turn()
    while (this.#feed.readableLength > 0)
    if (this.#open.size === 0) return
    await new Promise<void>((resolve) => {
      this.#idle = resolve
    })
  }

  #received(message: JSONRPCMessage): void {
    // A subscription is answered when the connection closes, a cancelled request never.
    if (isJSONRPCRequest(message) && message.method !== 'subscriptions/listen') this.#open.add(message.id)
    if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled')
      this.#close(message.params?.requestId as RequestId)
    this.onmessage?.(message)
  }

  #close(id: RequestId): void {
    this.#open.delete(id)
    if (this.#open.size === 0) this.#idle?.()
  }
}
