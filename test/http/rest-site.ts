import { expect } from 'vitest'
import { BursarError } from '../../src/core/errors.ts'
import { restRoutes } from '../../src/http/rest.ts'
import { BASE, type Route } from '../../src/http/shared/route.ts'
import { ROUTES } from '../../src/http/shared/routes.ts'
import { PROBLEM } from '../../src/http/shared/schemas-records.ts'
import { basic, makeSite, type Site, type SiteOptions } from '../support/http.ts'

/** What a test reads of an answer. */
// biome-ignore lint/suspicious/noExplicitAny: the schema of the route says what it is
export type Body = any

export interface Got {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

export interface Rest extends Site {
  /** As the agent's key unless other headers are given. Every answer is compared with its schema. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Got>
  /** As the owner, by the passphrase. */
  own(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Got>
}

/** A console's session, as far as REST knows one: whoever has the cookie and the token is the owner. */
export const COOKIE = { cookie: 'bursar=of-the-owner' }
export const CSRF = { 'x-csrf-token': 'of-the-session' }

/** No request of a test is one too many. */
const PLENTY = {
  agentPerMinute: 100_000,
  ownerPerMinute: 100_000,
  addressPerMinute: 100_000,
  failuresPerMinute: 100_000,
  passphrasesPerQuarter: 100_000,
}

export async function restSite(options: SiteOptions = {}): Promise<Rest> {
  const site = await makeSite({
    ...options,
    app: (deps) => ({
      rest: restRoutes,
      limits: PLENTY,
      console: {
        routes: restRoutes(deps, async () => Promise.reject(new BursarError('unauthenticated', 'Not here.'))),
        sessions: {
          async principal(request) {
            if (request.headers.get('cookie') !== COOKIE.cookie) return null
            if (request.headers.get('x-csrf-token') !== CSRF['x-csrf-token'])
              throw new BursarError('forbidden', 'The token of the session is missing.')
            const [owner] = await deps.bursar.store.read.list('owners', {})
            return { role: 'human', id: owner!.id, channel: 'console', authority: null }
          },
        },
      },
      ...options.app?.(deps),
    }),
  })
  const call: Rest['call'] = async (method, path, body, headers = { authorization: `Bearer ${site.key}` }) => {
    const response = await fetch(`${site.origin}${BASE}${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return got(method, path, response)
  }
  return { ...site, call, own: (method, path, body, headers) => call(method, path, body, { ...basic(), ...headers }) }
}

/** The answer, which is what its route says that it is. */
export async function got(method: string, path: string, response: Response): Promise<Got> {
  const { status, headers } = response
  const text = await response.text()
  const type = headers.get('content-type')
  const body = type?.includes('json') && text !== '' && !type.includes('jsonl') ? JSON.parse(text) : text
  const schema = schemaOf(method, path, status)
  if (schema && text !== '') expect(schema.safeParse(body).error?.issues, `${method} ${path} ${status}`).toBeUndefined()
  return { status, headers, body }
}

function schemaOf(method: string, path: string, status: number) {
  if (status === 304) return null
  if (status >= 400) return PROBLEM
  const [at = ''] = path.split('?')
  const routes: readonly Route[] = Object.values(ROUTES)
  const route = routes.find((one) => one.method === method.toLowerCase() && patternOf(one.path).test(at))
  if (!route) return null
  const schema = route.answers[status as 200]
  expect(schema, `${method} ${at} has an answer with ${status}`).not.toBeUndefined()
  return schema
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)
}
