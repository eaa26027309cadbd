import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { BursarError } from '../../core/errors.ts'
import type { Owner } from '../../core/types.ts'
import { type Party, relyingParty } from '../../core/webauthn.ts'
import type { HttpDeps } from '../deps.ts'
import type { Lock } from './lock.ts'
import { assertMeant, type Session, type Sessions } from './sessions.ts'

/** What all routes of the console work with. */
export interface Desk {
  readonly deps: HttpDeps
  readonly sessions: Sessions
  readonly lock: Lock
  /** @throws `config_invalid` where browsers make no passkeys for this address */
  party(): Party
  /** The session of a request that may change something. @throws `unauthenticated`, `forbidden` */
  anySession(request: Request): Promise<Session>
  /** As {@link anySession}, signed in. @throws `unauthenticated`, `forbidden` */
  signedIn(request: Request): Promise<SignedIn>
  /** The session of an `EventSource`, which carries nothing but the cookie: it is told that something changed, and no more. */
  listening(request: Request): Promise<SignedIn>
}

export type SignedIn = Session & { readonly owner: NonNullable<Session['owner']> }

export function deskOf(deps: HttpDeps, sessions: Sessions, lock: Lock): Desk {
  const party = relyingParty(deps.origin)
  if (!party) deps.log('warn', 'Browsers make no passkeys for the address of this console.', { origin: deps.origin })
  const ours = async (request: Request): Promise<Session> => {
    const session = await sessions.of(request)
    if (!session) throw new BursarError('unauthenticated', 'There is no session, or it is over. Load the page again.')
    assertOurs(request, deps.origin)
    return session
  }
  const anySession = async (request: Request): Promise<Session> => {
    const session = await ours(request)
    assertMeant(request, session)
    return session
  }
  return {
    ...{ deps, sessions, lock, anySession },
    party() {
      if (party) return party
      const message = `Browsers make no passkeys for ${deps.origin}: it takes https and a name, or http://localhost.`
      throw new BursarError('config_invalid', message)
    },
    async signedIn(request) {
      const session = withOwner(await ours(request))
      assertMeant(request, session)
      return session
    },
    listening: async (request) => withOwner(await ours(request)),
  }
}

function withOwner(session: Session): SignedIn {
  if (!session.owner) throw new BursarError('unauthenticated', 'Sign in first.')
  return session as SignedIn
}

/** What changes something comes from the console's own page, and every browser says so. @throws `forbidden` */
function assertOurs({ method, headers }: Request, origin: string): void {
  const isRead = method === 'GET' || method === 'HEAD'
  const site = headers.get('sec-fetch-site')
  if ((!isRead && headers.get('origin') !== origin) || (site !== null && site !== 'same-origin' && site !== 'none'))
    throw new BursarError('forbidden', 'Only the page of the console may ask this.')
}

/** Who is signed in, and what a page has to know to begin. */
export async function sessionView({ deps, sessions: _ }: Desk, session: Session) {
  const { read } = deps.bursar.store
  const owner = session.owner && ((await read.one('owners', { id: session.owner.id })) as Owner)
  return {
    signed_in: owner !== null,
    ...(owner && { owner: { owner_id: owner.id, name: owner.name } }),
    csrf: session.csrf,
    needs_enrolment: (await read.list('passkeys', { revokedAt: null }, { limit: 1 })).length === 0,
    version: deps.version,
    origin: deps.origin,
  }
}

/** The body of a request, as JSON of this shape. @throws `argument_invalid` */
export async function bodyOf<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S>> {
  const type = c.req.header('content-type') ?? ''
  if (!/^application\/json\b/i.test(type)) throw new BursarError('argument_invalid', 'The body has to be JSON.')
  return parsed(schema, await c.req.json().catch(() => undefined))
}

/** @throws `argument_invalid`, which names what is wrong and shows nothing of it */
export function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const where =
    issue?.path.filter((step) => typeof step === 'string' && /^\w{1,40}$/.test(step)).join('.') || 'The body'
  throw new BursarError('argument_invalid', `${where} is not as it has to be.`)
}
