import { setImmediate as turn } from 'node:timers/promises'
import { sha256 } from '../../core/canonical.ts'

/** How much of a stream is made at a time, in characters. */
const CHUNK = 64_000

/** A whole document with its ETag (RFC 9110, §8.8.3); 304 for who has it. */
export function whole(
  request: Request,
  text: string,
  type: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  const etag = `"${sha256(text).toString('base64url')}"`
  const headers = { ...more, etag, 'cache-control': 'private, no-cache', vary: 'Authorization, Cookie' }
  if (isKnown(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers })
  return new Response(text, { headers: { ...headers, 'content-type': type } })
}

function isKnown(header: string | null, etag: string): boolean {
  if (header === null) return false
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}

/** Lines of JSON, made as they are read, with turns for others between. */
export function jsonLines(lines: AsyncIterable<string>, type: string): Response {
  const rest = lines[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await turn()
      let text = ''
      while (text.length < CHUNK) {
        const { done, value } = await rest.next()
        if (done) break
        text += `${value}\n`
      }
      if (text === '') controller.close()
      else controller.enqueue(encoder.encode(text))
    },
    async cancel() {
      await rest.return?.()
    },
  })
  return new Response(body, { headers: { 'content-type': type, 'cache-control': 'no-store' } })
}
