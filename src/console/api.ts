import type { Session } from './types.ts'

const REST = '/api/v1/agent-payments'

/** What the server said no to, in its own words (RFC 9457), or that it could not be reached. */
export class Problem extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'Problem'
    this.code = code
  }
}

/** Of this page's address and port alone, unlike the cookie, and of all its tabs. */
const TOKEN = 'bursar.token'
/** Told when the server no longer knows the session. */
let onSignedOut: () => void = () => {}

export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener
}

/** A read of the REST surface: `/wallets`, `/payments/pay_…`. */
export function read<Answer>(path: string): Promise<Answer> {
  return ask<Answer>('GET', REST + path)
}

/** A read of the console's own surface: `/inbox`. */
export function look<Answer>(path: string): Promise<Answer> {
  return ask<Answer>('GET', `/console/api${path}`)
}

/** An act on the console's own surface. */
export function send<Answer>(path: string, body: object = {}): Promise<Answer> {
  return ask<Answer>('POST', `/console/api${path}`, body)
}

export async function session(): Promise<Session> {
  return keep(await look<Session>('/session'))
}

/** Every session has a token of its own, which each request must carry. */
export function keep(found: Session): Session {
  localStorage.setItem(TOKEN, found.csrf)
  return found
}

export function token(): { readonly 'x-csrf-token': string } {
  return { 'x-csrf-token': localStorage.getItem(TOKEN) ?? '' }
}

async function ask<Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    redirect: 'error',
    headers: {
      ...{ accept: 'application/json', ...token() },
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Problem(
      'unreachable',
      'The server does not answer. If this was to change something, look whether it did before you repeat it.',
    )
  })
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok) return answer as Answer
  // The hint is for agents.
  const { code, detail, title } = (answer ?? {}) as Record<string, unknown>
  if (response.status === 401 && code !== 'passphrase_wrong') onSignedOut()
  throw new Problem(
    typeof code === 'string' ? code : `http_${response.status}`,
    text(detail) ?? text(title) ?? `The server answered ${response.status}.`,
  )
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** Anything that was thrown, as a sentence for a person. */
export function sentence(error: unknown): string {
  if (error instanceof Error && error.name === 'NotAllowedError')
    return 'The passkey was not used: it was called off, or took too long.'
  return error instanceof Error ? error.message : String(error)
}
