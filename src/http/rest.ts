import { type Context, Hono } from 'hono'
import { digestOf } from '../core/canonical.ts'
import { BursarError } from '../core/errors.ts'
import { AGENT_HANDLERS } from './agent/index.ts'
import type { Authenticate } from './auth/authenticator.ts'
import type { HttpDeps, Principal } from './deps.ts'
import { DOCS_CSP, docsPage } from './docs.ts'
import { OWNER_HANDLERS } from './owner/index.ts'
import { type Answered, keptAnswers, keyOf } from './shared/idempotency.ts'
import { inputOf, UnsupportedType } from './shared/input.ts'
import { openApiText } from './shared/openapi.ts'
import { bugResponse, problemOf, problemResponse, Refused } from './shared/problem.ts'
import { type Answer, BASE, Declined, type Input, type Route } from './shared/route.ts'
import { ROUTES, type RouteName } from './shared/routes.ts'
import { jsonLines, whole } from './shared/write.ts'

type Handle = (call: Input<Route> & object) => Answer | Promise<Answer>
type Handlers = Readonly<Partial<Record<string, Handle>>>

/** What each role may do; a route that is not here for a role is not for it. */
const HANDLERS = { agent: AGENT_HANDLERS, human: OWNER_HANDLERS } as unknown as {
  readonly [Role in Principal['role']]: Handlers
}

/**
 * The REST surface. Its paths begin at {@link BASE}.
 *
 * @param closing fires when the server ends
 */
export function restRoutes(deps: HttpDeps, authenticate: Authenticate, closing: AbortSignal = NEVER): Hono {
  const app = new Hono()
  const { store, clock } = deps.bursar
  const failed = (error: unknown): void => deps.log('warn', 'What was done could not be remembered.', errorField(error))
  const once = keptAnswers({ kept: store.kept, clock, failed })
  const surface = { deps, authenticate, closing, once }
  for (const [path, methods] of byPath()) {
    for (const [method, name] of methods)
      app.on(method.toUpperCase(), honoPath(path), (c) => answered(surface, c, name, ROUTES[name]))
    const allow = [...methods.keys()].flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))
    app.all(honoPath(path), () => notAllowed(allow))
  }
  const document = openApiText(deps.version)
  app.get('/openapi.json', (c) => whole(c.req.raw, document(), 'application/json'))
  const page = docsPage(document)
  app.get('/docs', async (c) => documented(c.req.raw, await page()))
  for (const path of ['/openapi.json', '/docs']) app.all(path, () => notAllowed(['GET', 'HEAD']))
  return app
}

function documented(request: Request, page: string): Response {
  return whole(request, page, 'text/html; charset=utf-8', { 'content-security-policy': DOCS_CSP })
}

const NEVER = new AbortController().signal

interface Surface {
  readonly deps: HttpDeps
  readonly authenticate: Authenticate
  readonly closing: AbortSignal
  readonly once: ReturnType<typeof keptAnswers>
}

/** What is no problem of ours alone, the app answers. */
async function answered(surface: Surface, c: Context, name: RouteName, route: Route): Promise<Response> {
  try {
    return await tried(surface, c, name, route)
  } catch (error) {
    if (error instanceof Declined || error instanceof UnsupportedType) return problemOfAny(error)
    throw error
  }
}

async function tried(surface: Surface, c: Context, name: RouteName, route: Route): Promise<Response> {
  const { deps } = surface
  const principal = await surface.authenticate(c.req.raw)
  permit(route, principal)
  const input = await inputOf(c.req.raw, c.req.param(), route)
  const work = (key: string | null) => handled(surface, name, principal, { ...input, key })
  if (route.method !== 'post') return written(c.req.raw, route, await work(null))
  const key = keyOf(c.req.header('idempotency-key') ?? null)
  if (key === null || route.repeats === 'payment') return written(c.req.raw, route, await work(key))
  const ask = {
    ...{ key, caller: callerOf(principal), secret: route.secret === true },
    asked: digestOf({ name, params: input.params, body: input.body }),
  }
  const { status, headers, body, replayed } = await surface.once(ask, () => kept(deps, c, route, () => work(key)))
  return new Response(body, { status, headers: { ...headers, ...(replayed && REPLAYED) } })
}

const REPLAYED = { 'idempotency-replayed': 'true' }

/** Keys are of who gave them: what one credential was answered is not for another, nor for a token of its that says less. */
function callerOf(principal: Principal): string {
  return principal.role === 'agent'
    ? `agent ${principal.caller.credentialId} ${principal.scopes.join(' ')}`
    : `human ${principal.id} ${principal.channel}`
}

/** The answer as it can be given again. What should not have happened may have done something: it is not done again. */
async function kept(deps: HttpDeps, c: Context, route: Route, work: () => Promise<Answer>): Promise<Answered> {
  const response = await work()
    .then((answer) => written(c.req.raw, route, answer))
    .catch((error: unknown) => {
      if (error instanceof BursarError) return problemOfAny(error)
      deps.log('error', 'A request failed.', errorField(error))
      return bugResponse()
    })
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
}

async function handled(
  { deps, closing }: Surface,
  name: RouteName,
  principal: Principal,
  input: Input<Route>,
): Promise<Answer> {
  const handle = HANDLERS[principal.role][name]
  if (!handle) throw new TypeError(`${name} has no handler.`)
  const { bursar, noteKey, log } = deps
  if (principal.role === 'agent') return handle({ ...input, bursar, log, closing, caller: principal.caller } as never)
  const { id, channel, authority } = principal
  return handle({ ...input, bursar, noteKey, by: { ownerId: id, channel }, authority } as never)
}

/** Who may do this. Decided before anything else of the request is read. @throws `forbidden`, `scope_missing`, `assurance_too_low` */
function permit({ agent, human }: Route, principal: Principal): void {
  if (principal.role === 'agent') {
    if (agent === null) throw new BursarError('forbidden', 'This is for the owner to do: no agent may.')
    if (agent.scope !== 'any' && !principal.scopes.includes(agent.scope))
      throw new BursarError('scope_missing', `The credential lacks the scope ${agent.scope}.`)
    return
  }
  if (human === null) throw new BursarError('forbidden', 'This is for an agent to do.')
  if (human.power && principal.authority === null)
    throw new BursarError('assurance_too_low', 'What gives power is confirmed with a passkey, in the console.')
}

function errorField(error: unknown): { readonly error: string } {
  return { error: error instanceof Error ? (error.stack ?? '') : String(error) }
}

function written(request: Request, route: Route, answer: Answer): Response {
  const { status, body, location, replayed } = answer
  const headers = {
    ...(location !== undefined && { location: `${BASE}${location}` }),
    ...(replayed === true && REPLAYED),
  }
  if (Symbol.asyncIterator in body) return jsonLines(body, route.media as string)
  const text = JSON.stringify(body)
  if (route.tagged) return whole(request, text, 'application/json', headers)
  const known = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return new Response(text, { status, headers: { ...known, ...headers } })
}

function problemOfAny(error: BursarError): Response {
  const response = problemResponse(error, error instanceof Declined ? error.more : {})
  return error instanceof UnsupportedType ? changed(error, 415, response.headers) : response
}

/** A problem of HTTP itself, for which no code stands. */
function changed(error: BursarError, status: 405 | 415, headers: Headers): Response {
  return new Response(JSON.stringify({ ...problemOf(error), status }), { status, headers })
}

function notAllowed(allow: readonly string[]): Response {
  const message = 'There is no such method here; Allow names those that there are.'
  const error = new Refused('argument_invalid', message, { allow: allow.join(', ') })
  return changed(error, 405, problemResponse(error).headers)
}

function byPath(): Map<string, Map<Route['method'], RouteName>> {
  const paths = new Map<string, Map<Route['method'], RouteName>>()
  for (const [name, { method, path }] of Object.entries(ROUTES)) {
    const methods = paths.get(path) ?? new Map<Route['method'], RouteName>()
    paths.set(path, methods.set(method, name as RouteName))
  }
  return paths
}

function honoPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1')
}
