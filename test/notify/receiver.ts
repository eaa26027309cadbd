import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { onTestFinished } from 'vitest'
import { webhook } from '../../src/notify/channels.ts'
import type { Channel, Notice } from '../../src/ports/notice.ts'

export interface Received {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Receiver {
  readonly url: string
  /** All that came, oldest first. */
  readonly got: Received[]
  /** How the next are answered; a status, or something else. */
  answer: number | ((response: ServerResponse, received: Received) => void)
  /** Resolves with the first that comes from now on. */
  next(): Promise<Received>
}

/** A real HTTP server on this machine that takes what it is sent. */
export async function receiver(): Promise<Receiver> {
  const waiting: ((received: Received) => void)[] = []
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const received = { url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) }
    made.got.push(received)
    if (typeof made.answer === 'number') response.writeHead(made.answer).end('words of the receiver')
    else made.answer(response, received)
    for (const resolve of waiting.splice(0)) resolve(received)
  }
  const server = createServer((request, response) => void take(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const made: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got: [],
    answer: 204,
    next: () => new Promise((resolve) => waiting.push(resolve)),
  }
  return made
}

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** What a receiver that follows the specification takes: the body, once its signature is found right. */
export interface Told {
  readonly type: string
  readonly timestamp: string
  readonly data: Omit<Notice, 'id' | 'kind' | 'at'>
}
export function verified({ body, headers }: Received): Told & { id: string } {
  const told = new Webhook(SECRET).verify(body, headers as Record<string, string>) as Told
  return { ...told, id: String(headers['webhook-id']) }
}

export function webhookTo({ url }: Receiver, name = 'hook'): Channel {
  return webhook({ kind: 'webhook', name, url, secret: SECRET })
}

export const NOTICE: Notice = {
  id: `ntc_${'a'.repeat(32)}`,
  kind: 'ask',
  at: '2026-11-21T19:00:00.000Z',
  title: 'A payment of 60.00 USD waits for an answer',
  facts: [
    ['Agent', '"default"'],
    ['Pays', '"Acme <!channel> & *Sons*"'],
  ],
  ids: { payment_id: 'pay_1' },
  link: 'https://pay.example/console/inbox/pay_1',
  checkpoint: 'bursar/wal_1\n3\nroot\n\n— bursar signature\n',
}
