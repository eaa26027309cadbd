import type { Client, Dispatcher } from 'undici'
import { type Body, codingOf, keeperOf, receivedMax } from './body.ts'

/** What is written: all of it at once. */
export interface Message {
  /** With the query. */
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

export interface Answer {
  readonly status: number
  /** All values of a header, by its name in lower case, in their order. */
  values(name: string): readonly string[]
  /** As it came in. Where it is truncated, the rest of it is still on its way. */
  readonly body: Body
}

/** Thrown where there is no answer, and not a byte of the request was written. */
export class Unsent extends Error {}

/** More than any server has reason to send before its answer (RFC 9110 §15.2). */
const INFORMATIONAL_MAX = 16

/**
 * Writes a request and reads the answer, as far as it is worth to read on.
 *
 * @throws Unsent; any other Error where there is no whole answer to a request that may have been received
 */
export function exchange(client: Client, message: Message): Promise<Answer> {
  let written = false
  let informational = 0
  let head: Pick<Answer, 'status' | 'values'> = { status: 0, values: () => [] }
  let keeper = keeperOf(0)
  return new Promise((resolve, reject) => {
    client.dispatch(message as Dispatcher.DispatchOptions, {
      // Called right before the first byte is written.
      onRequestStart() {
        written = true
      },
      onResponseStart(controller, status) {
        if (status < 200) {
          informational += 1
          if (informational > INFORMATIONAL_MAX) controller.abort(new Error('There is no end to it.'))
          return
        }
        head = { status, values: valuesOf(controller.rawHeaders) }
        keeper = keeperOf(receivedMax(codingOf(head.values('content-encoding'))))
      },
      onResponseData(_controller, chunk) {
        if (!keeper.add(chunk)) resolve({ ...head, body: { bytes: keeper.bytes(), truncated: true } })
      },
      onResponseEnd: () => resolve({ ...head, body: { bytes: keeper.bytes(), truncated: false } }),
      onResponseError: (_controller, error) => reject(written ? error : new Unsent()),
    })
  })
}

function valuesOf(rawHeaders: unknown): (name: string) => readonly string[] {
  // Names and values in turn, as they came in. Every byte is a character (RFC 9110 §5.5), so nothing is lost or changed.
  const texts = (rawHeaders as readonly Buffer[]).map((bytes) => bytes.toString('latin1'))
  return (name) => texts.filter((_text, at) => at % 2 === 1 && texts[at - 1]?.toLowerCase() === name)
}
