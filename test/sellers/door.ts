import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Payment, paymentIn } from './payment.ts'

/** A request as it came in. */
export interface Received {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** What it pays with; null where it does not. */
  readonly payment: Payment | null
}

/** A port on loopback that remembers who came. */
export interface Door {
  /** The origin: `http://127.0.0.1:40000`. */
  readonly url: string
  readonly requests: readonly Received[]
  /** Cuts what is still open. */
  close(): Promise<void>
}

/** What an answer throws ends its connection: a test that is at its end cuts many of them. */
export async function openDoor(
  answer: (request: IncomingMessage, response: ServerResponse, received: Received) => unknown,
): Promise<Door> {
  const requests: Received[] = []
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    const received = { method, url, headers, payment: paymentIn(headers) }
    requests.push(received)
    response.on('error', () => undefined)
    Promise.resolve()
      .then(() => answer(request, response, received))
      .catch(() => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
