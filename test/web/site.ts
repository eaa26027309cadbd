import { once } from 'node:events'
import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import tls from 'node:tls'
import { onTestFinished, vi } from 'vitest'
import type { Visit, WebBounds, WebRequest, WebResponse, WebRules } from '../../src/ports/web.ts'
import { CERTIFICATE, KEY } from './certificate.ts'

export const BOUNDS: WebBounds = { withinMs: 20_000, redirects: 0 }
/** Enough for anything here that answers at all is {@link BOUNDS}. This is for what never does. */
export const SOON: WebBounds = { withinMs: 300, redirects: 0 }
export const PUBLIC: WebRules = { loopback: false, mayContact: async () => {} }
export const LOCAL: WebRules = { loopback: true, mayContact: async () => {} }

export function get(url: string, more: Partial<WebRequest> = {}): WebRequest {
  return { url, method: 'GET', headers: {}, body: null, ...more }
}

export interface Site {
  readonly port: number
  /** http, on 127.0.0.1. */
  readonly url: string
  /** Every request so far. */
  readonly seen: readonly IncomingMessage[]
  /** Every connection so far. */
  readonly sockets: readonly Socket[]
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** A server of Node's own. It ends with the test. */
export async function siteOf(answer: Handler, secure = false): Promise<Site> {
  const seen: IncomingMessage[] = []
  const listener: RequestListener = (request, response) => {
    seen.push(request)
    void answer(request, response)
  }
  const server = secure ? createHttps({ cert: CERTIFICATE, key: KEY }, listener) : createHttp(listener)
  return { seen, ...(await listening(server, secure ? 'secureConnection' : 'connection')) }
}

/** A server that does with a connection what it likes. */
export async function rawSiteOf(serve: (socket: Socket) => void): Promise<Omit<Site, 'seen'>> {
  return listening(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {})
      serve(socket)
    }),
    'connection',
  )
}

/** A server that answers the head of every request, which it is given with the number of its connection, with some bytes. */
export async function tellingSiteOf(answer: (socket: Socket, head: string) => void): Promise<Omit<Site, 'seen'>> {
  return rawSiteOf((socket) => {
    let unread = ''
    socket.on('data', (chunk) => {
      unread += chunk.toString('latin1')
      for (let end = unread.indexOf('\r\n\r\n'); end !== -1; end = unread.indexOf('\r\n\r\n')) {
        const head = unread.slice(0, end)
        unread = unread.slice(end + 4)
        answer(socket, head)
      }
    })
  })
}

async function listening(server: Server, event: string): Promise<Omit<Site, 'seen'>> {
  const sockets: Socket[] = []
  server.on(event, (socket: Socket) => {
    sockets.push(socket)
    CLOSED.set(socket, new Promise((resolve) => socket.once('close', () => resolve())))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}`, sockets }
}

/** Of every connection. `socket.closed` is true before it is so. */
const CLOSED = new WeakMap<Socket, Promise<void>>()

/** When a connection is no more. */
export async function closed(socket: Socket | undefined): Promise<void> {
  if (socket) await CLOSED.get(socket)
}

/** Hangs up on everybody, and comes back when that is done. */
export async function cut(
  { sockets }: Omit<Site, 'seen'>,
  how: 'destroy' | 'resetAndDestroy' = 'destroy',
): Promise<void> {
  for (const socket of sockets) if (!socket.destroyed) socket[how]()
  await Promise.all(sockets.map(closed))
}

/** How a TLS connection was meant. */
export interface Call {
  readonly host?: string
  readonly port?: number | string
  readonly servername?: string
}

/**
 * Stands in for the internet: who calls anybody by TLS gets to this port, where the certificate of these tests is trusted.
 * Nothing of a test leaves the machine, and what was meant is in the answer.
 */
export function internet(port: number): readonly Call[] {
  const calls: Call[] = []
  const connect = tls.connect as (options: tls.ConnectionOptions) => tls.TLSSocket
  const spy = vi.spyOn(tls, 'connect').mockImplementation(((options: tls.ConnectionOptions) => {
    const { host, port: meant, servername } = options
    calls.push({ host, port: meant, servername } as Call)
    return connect({ ...options, host: '127.0.0.1', port, ca: CERTIFICATE })
  }) as typeof tls.connect)
  onTestFinished(() => spy.mockRestore())
  return calls
}

/** What became of it, in a word: its status, or the code of its error. */
export async function outcome(asked: Promise<WebResponse>): Promise<unknown> {
  return asked.then(
    ({ status }) => status,
    (error) => error.code ?? error,
  )
}

export async function text(visit: Visit, url: string, more: Partial<WebRequest> = {}): Promise<string> {
  return (await visit.ask(get(url, more), BOUNDS)).body.toString()
}
