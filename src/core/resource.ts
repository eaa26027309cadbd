import { sha256 } from './canonical.ts'

/** What a purchase on the web asks for, all of it, as it is kept in `texts` and shown to a human. */
export interface Resource {
  readonly method: string
  /** Where it is asked for: the seller's own URL. */
  readonly url: string
  /** Where the agent asked for it, which may have been redirected. */
  readonly asked: string
  readonly headers: Readonly<Record<string, string>>
  /** Null for a request without one. `start`: its first characters. */
  readonly body: { readonly bytes: number; readonly sha256: string; readonly start: string } | null
}

const START_MAX = 300

/** @param url where a request was answered, after redirects */
export function resourceOf(
  request: Pick<Resource, 'method' | 'url' | 'headers'> & { readonly body: string | null },
  url: string,
): Resource {
  const { method, url: asked, headers, body } = request
  const sent = body === null ? null : { bytes: Buffer.byteLength(body), sha256: sha256(body).toString('hex') }
  return { method, url, asked, headers, body: sent && { ...sent, start: (body as string).slice(0, START_MAX) } }
}

/** Null for a text that was erased. */
export function resourceIn(text: string | null): Resource | null {
  return text === null ? null : (JSON.parse(text) as Resource)
}
