import { randomBytes } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { enrol, invited } from '../../actions/owner/passkeys.ts'
import type { Authentication, Registration } from '../../approvals/passkey.ts'
import { creationOptions, madeAssertion, madePasskey, requestOptions } from '../../approvals/passkey.ts'
import { BursarError } from '../../core/errors.ts'
import type { Fact } from '../../core/event.ts'
import type { Passkey } from '../../core/types.ts'
import { clientOf } from '../shared/client.ts'
import { bodyOf, type Desk, sessionView } from './desk.ts'
import { AUTHENTICATION, REGISTRATION } from './schemas.ts'
import { isMeant, type Session } from './sessions.ts'

const CHALLENGE_BYTES = 32
const CODE = z.strictObject({ code: z.string().min(1).max(40), name: z.string().max(100) })
const MADE = z.strictObject({ response: REGISTRATION })
const SIGNED = z.strictObject({ response: AUTHENTICATION })
const NOTHING = z.strictObject({})
const CHANNEL = 'console'

/** Coming and going: a first passkey by a code, then sign-ins with it. Each step is on record. */
export function entryRoutes(desk: Desk): Hono {
  const { bursar } = desk.deps
  const app = new Hono()
  app.get('/session', async (c) => {
    const known = await desk.sessions.of(c.req.raw)
    // Whoever has but the cookie of one who is signed in is not told its token.
    if (known && (known.owner === null || isMeant(c.req.raw, known))) return c.json(await sessionView(desk, known))
    const { session, setCookie } = desk.sessions.open(null, null)
    c.header('set-cookie', setCookie)
    return c.json(await sessionView(desk, session))
  })
  app.post('/enrol/options', async (c) => {
    const session = await desk.anySession(c.req.raw)
    const { code, name } = await bodyOf(c, CODE)
    const owner = await guessed(desk, c.req.raw, async () => invited(bursar, code))
    const challenge = desk.sessions.challenge(session, 'enrol', random(), JSON.stringify({ code, name }))
    return c.json({ options: await creationOptions(desk.party(), owner, [], challenge) })
  })
  app.post('/enrol', async (c) => {
    const before = await desk.anySession(c.req.raw)
    const { response } = await bodyOf(c, MADE)
    const { bytes, about } = desk.sessions.answered(before, 'enrol')
    const { code, name } = JSON.parse(about) as z.infer<typeof CODE>
    const made = await madePasskey(desk.party(), response as Registration, bytes, name)
    const owner = await guessed(desk, c.req.raw, () => enrol(bursar, code, made))
    return entered(desk, c.req.raw, before, owner.id, made.passkey_id)
  })
  app.post('/sign-in/options', async (c) => {
    const session = await desk.anySession(c.req.raw)
    await bodyOf(c, NOTHING)
    const challenge = desk.sessions.challenge(session, 'sign-in', random(), '')
    return c.json({ options: await requestOptions(desk.party(), [], challenge) })
  })
  app.post('/sign-in', async (c) => {
    const before = await desk.anySession(c.req.raw)
    const { response } = await bodyOf(c, SIGNED)
    const passkey = await recognized(desk, c.req.raw, before, response as Authentication)
    return entered(desk, c.req.raw, before, passkey.ownerId, passkey.id)
  })
  app.post('/sign-out', async (c) => {
    const session = await desk.anySession(c.req.raw)
    desk.sessions.end(session)
    if (session.owner) {
      const { id } = session.owner
      const details = { owner_id: id, channel: CHANNEL }
      await note(desk, { type: 'owner.signed_out', actor: { role: 'human', id }, details })
    }
    const next = desk.sessions.open(null, null)
    c.header('set-cookie', next.setCookie)
    return c.json(await sessionView(desk, next.session))
  })
  return app
}

/** The passkey that answered, or a failure on record. @throws `passkey_invalid`, `rate_limited` */
async function recognized(desk: Desk, request: Request, session: Session, response: Authentication): Promise<Passkey> {
  const { address } = clientOf(request)
  try {
    const { bytes } = desk.sessions.answered(session, 'sign-in')
    const passkey = (await desk.deps.bursar.store.read.one('passkeys', { id: response.id })) as Passkey | null
    if (!passkey) throw new BursarError('passkey_invalid', 'This passkey is not known here.')
    await madeAssertion(desk.party(), response, bytes, passkey)
    return passkey
  } catch (error) {
    if (isFailure(error)) desk.lock.assertOpen(address)
    throw await failed(desk, address, error)
  }
}

/** What takes a code. While its address waits, whoever has it is let in, and nobody else is told that theirs is wrong. */
async function guessed<T>(desk: Desk, request: Request, work: () => Promise<T>): Promise<T> {
  const { address } = clientOf(request)
  try {
    return await work()
  } catch (error) {
    if (isFailure(error)) desk.lock.assertOpen(address)
    throw await failed(desk, address, error)
  }
}

function isFailure(error: unknown): boolean {
  return error instanceof BursarError && (error.code === 'code_invalid' || error.code === 'passkey_invalid')
}

async function failed(desk: Desk, address: string, error: unknown): Promise<unknown> {
  if (!isFailure(error)) return error
  const record = desk.lock.failed(address)
  if (record === null) return error
  const details = { channel: CHANNEL, ...(record === 'locked' && { locked: true as const }) }
  await note(desk, { type: 'owner.sign_in_failed', actor: { role: 'system', id: 'bursar' }, details })
  return error
}

/** Signed in, in a session of its own: what somebody may have planted in the browser before is worth nothing. */
async function entered(
  desk: Desk,
  request: Request,
  before: Session,
  ownerId: string,
  passkeyId: string,
): Promise<Response> {
  desk.lock.succeeded(clientOf(request).address)
  const details = { owner_id: ownerId, channel: CHANNEL, passkey_id: passkeyId }
  await note(desk, { type: 'owner.signed_in', actor: { role: 'human', id: ownerId }, details })
  const { session, setCookie } = desk.sessions.open({ id: ownerId, passkeyId }, before)
  return Response.json(await sessionView(desk, session), { headers: { 'set-cookie': setCookie } })
}

async function note({ deps }: Desk, fact: Fact): Promise<void> {
  await deps.bursar.store.update({}, () => ({ facts: [fact], result: null }))
}

function random(): Uint8Array {
  return randomBytes(CHALLENGE_BYTES)
}
