import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, isIPv6, type Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { BursarError } from '../core/errors.ts'
import { isLoopback } from './access.ts'
import { netOf } from './limits.ts'

export interface Where {
  readonly host: string
  /** 0: one that is free. */
  readonly port: number
  readonly tls: { readonly cert: string; readonly key: string } | null
}

/** Bounds against clients that are slow, on purpose or not, in milliseconds. */
export interface Patience {
  /** Until the headers of a request are there. */
  readonly headersMs: number
  /** Until all of a request is there. */
  readonly requestMs: number
  /** Between requests of one connection. */
  readonly idleMs: number
  /** Without a byte in or out. A stream of events says now and then that it is there. */
  readonly silentMs: number
  readonly connections: number
  /** Of one address other than this machine's. */
  readonly connectionsOfOne: number
}

export const PATIENCE: Patience = {
  ...{ headersMs: 15_000, requestMs: 30_000, idleMs: 10_000, silentMs: 120_000 },
  ...{ connections: 4_000, connectionsOfOne: 400 },
}
/** Requests of one connection that wait for their answers. Clients send one after the other. */
const PIPELINED_MAX = 8
const HEADER_BYTES = 16_384
const HEADERS_MAX = 100

type Fetch = Parameters<typeof getRequestListener>[0]

export interface Listening {
  readonly port: number
  /** By which names it is reached without a proxy: `http://localhost:8787`, and what it listens on. */
  readonly origins: readonly string[]
  /** From now on requests are answered; those before were not accepted. */
  answer(fetch: Fetch): void
  /** Takes no new connection, and answers no new request but with 503. */
  refuse(): void
  /** Resolves when all requests have ended, or were cut off after so long. */
  close(withinMs: number): Promise<void>
}

/** To browsers and clients `localhost` is both: whoever had the one that we have not would be taken for this server there. */
const LOCALHOST: readonly string[] = ['127.0.0.1', '::1']
const FREE_PORT_TRIES = 10

/** Takes the address, and answers 503 until there is something to answer with. @throws `config_invalid` */
export async function listen({ host, port, tls }: Where, patience: Patience = PATIENCE): Promise<Listening> {
  const options: ServerOptions = {
    ...{ headersTimeout: patience.headersMs, requestTimeout: patience.requestMs, keepAliveTimeout: patience.idleMs },
    ...{ maxHeaderSize: HEADER_BYTES, connectionsCheckingInterval: Math.min(1_000, patience.headersMs) },
  }
  const files = tls === null ? null : filesOf(tls)
  let closed: Promise<unknown> | null = null
  let listener: ((incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>) | null = null
  const made = (): Server => {
    const server = files === null ? createServer(options) : createTlsServer({ ...options, ...files })
    server.maxConnections = patience.connections
    server.timeout = patience.silentMs
    server.on('connection', oneOfMany(patience.connectionsOfOne))
    server.maxHeadersCount = HEADERS_MAX
    return server.on('request', (incoming, outgoing) => {
      if (!mayEnter(incoming.socket, outgoing)) incoming.socket.destroy()
      else if (closed !== null || listener === null)
        outgoing.writeHead(503, { 'retry-after': '1', connection: 'close' }).end()
      // What fails there is a client's connection.
      else listener(incoming, outgoing).catch(() => outgoing.destroy())
    })
  }
  const servers = await bound(made, host, port)
  const [{ port: taken }] = servers.map((server) => server.address()) as [AddressInfo]
  const refuse = (): void => {
    closed ??= Promise.all(servers.map(shut))
    for (const server of servers) server.closeIdleConnections()
  }
  return {
    port: taken,
    origins: originsOf(host, taken, tls !== null),
    answer(fetch) {
      // The errors that come here are a client's: an address that is none, or a connection that broke. It is answered: who gets
      // no answer could hold a connection for ever.
      const errorHandler = () => new Response(null, { status: 400, headers: { connection: 'close' } })
      listener = getRequestListener(fetch, { overrideGlobalObjects: false, errorHandler })
    },
    refuse,
    async close(withinMs) {
      refuse()
      const cut = setTimeout(() => {
        for (const server of servers) server.closeAllConnections()
      }, withinMs)
      await closed
      clearTimeout(cut)
    },
  }
}

/** How many requests of a connection wait for their answers. */
const entered = new WeakMap<Socket, number>()

function mayEnter(socket: Socket, outgoing: ServerResponse): boolean {
  const count = (entered.get(socket) ?? 0) + 1
  entered.set(socket, count)
  outgoing.once('close', () => entered.set(socket, (entered.get(socket) ?? 1) - 1))
  return count <= PIPELINED_MAX
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()))
}

/** At the host, and where it is one of this machine at all that `localhost` is, by the same port. @throws `config_invalid` */
async function bound(made: () => Server, host: string, port: number): Promise<readonly Server[]> {
  const hosts = isLoopback(host) ? [...new Set([host, ...LOCALHOST])] : [host]
  for (let tries = 1; ; tries++) {
    const servers: Server[] = []
    for (const one of hosts) {
      const server = made()
      const known = servers[0]?.address() as AddressInfo | undefined
      const failed = await failure(server, one, known?.port ?? port)
      if (failed === null) servers.push(server)
      // A machine without IPv6 has no second localhost.
      else if (one === host || !NO_ADDRESS.includes(failed)) {
        await Promise.all(servers.map(shut))
        if (port === 0 && one !== host && tries < FREE_PORT_TRIES) break
        throw new BursarError('config_invalid', `Cannot listen on ${one}:${known?.port ?? port} (${failed}).`)
      }
    }
    if (servers[0]?.listening) return servers
  }
}

const NO_ADDRESS: readonly string[] = ['EADDRNOTAVAIL', 'EAFNOSUPPORT']

/** Begins to listen; why not, otherwise. */
function failure(server: Server, host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'))
    server.listen({ host, port }, () => resolve(null))
  })
}

/** Hangs up on an address that has too many connections already, so that others find a place. */
export function oneOfMany(most: number): (socket: Socket) => void {
  const open = new Map<string, number>()
  return (socket) => {
    const { remoteAddress = '' } = socket
    // The agents of this machine come from one address, and so do all where a proxy on it is in front.
    if (isLoopback(remoteAddress)) return
    const net = netOf(remoteAddress)
    const count = (open.get(net) ?? 0) + 1
    open.set(net, count)
    socket.once('close', () => {
      const left = (open.get(net) ?? 1) - 1
      if (left === 0) open.delete(net)
      else open.set(net, left)
    })
    if (count > most) socket.destroy()
  }
}

/** @throws `config_invalid` */
function filesOf({ cert, key }: { cert: string; key: string }): { cert: Buffer; key: Buffer } {
  try {
    return { cert: readFileSync(cert), key: readFileSync(key) }
  } catch {
    throw new BursarError('config_invalid', 'The files that --tls-cert and --tls-key name cannot be read.')
  }
}

/** On this machine `localhost` comes first: browsers take passkeys for names only. */
function originsOf(host: string, port: number, encrypted: boolean): readonly string[] {
  const scheme = encrypted ? 'https' : 'http'
  const rest = port === (encrypted ? 443 : 80) ? '' : `:${port}`
  const names = isLoopback(host) || host === 'localhost' ? ['localhost', '127.0.0.1', '[::1]'] : []
  const own = isIPv6(host) ? `[${host}]` : host
  return [...new Set([...names, own])].map((name) => `${scheme}://${name}${rest}`)
}
