import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Answer } from '../stall.ts'

const DRIP_MS = 20
const MEBIBYTE = 2 ** 20

/** Cuts the connection. */
export const cuts: Answer = (_, { request }) => request.socket.destroy()

/** Says nothing, and leaves the connection open. */
export const hangs: Answer = () => undefined

/** Status line and headers, a header at a time, for as long as someone listens. */
export function dripsHeaders(status: string): Answer {
  return async (_, { request: { socket } }) => {
    socket.write(`HTTP/1.1 ${status}\r\n`)
    for (let line = 0; !socket.destroyed; line += 1) {
      socket.write(`x-${line}: ${line}\r\n`)
      await sleep(DRIP_MS)
    }
  }
}

/** Provisional answers (RFC 9110 section 15.2), for as long as someone listens. */
export const putsOff: Answer = async (_, { request: { socket } }) => {
  for (; !socket.destroyed; await sleep(DRIP_MS)) socket.write('HTTP/1.1 102 Processing\r\n\r\n')
}

/** A byte at a time, for as long as someone listens. */
export async function dripsBody(response: ServerResponse): Promise<void> {
  for (; !response.destroyed; await sleep(DRIP_MS)) response.write('.')
}

/** As fast as it is read, for as long as someone listens. */
export async function endlessBody(response: ServerResponse): Promise<void> {
  const much = Buffer.alloc(MEBIBYTE / 16, '.')
  const closed = new Promise((resolve) => response.once('close', resolve))
  while (!response.destroyed) {
    if (response.write(much)) await sleep(0)
    else await Promise.race([new Promise((resolve) => response.once('drain', resolve)), closed])
  }
}

/** A thousand times a mebibyte of nothing, in as many members (RFC 1952 section 2.2): 1 MB that becomes 1 GB. */
export function gzipBomb(): Buffer {
  const member = gzipSync(Buffer.alloc(MEBIBYTE))
  return Buffer.concat(Array.from({ length: 1_000 }, () => member))
}

/** More than any client takes in headers, of a header that is well formed. */
export function tenMegabytes(): string {
  return 'A'.repeat(10_000_000)
}
