import { randomBytes } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import { type Context, Hono } from 'hono'
import { actStatement, recordConfirmed } from '../../actions/owner/acts.ts'
import { listOwners } from '../../actions/owner/owners.ts'
import { addPasskey, listPasskeys, passkeysOf } from '../../actions/owner/passkeys.ts'
import type { Authentication, Registration } from '../../approvals/passkey.ts'
import { creationOptions, madePasskey, passkeyAuthority, requestOptions } from '../../approvals/passkey.ts'
import { ACTS, type Act } from '../../core/act.ts'
import type { Owner } from '../../core/types.ts'
import { actChallenge } from '../../core/webauthn.ts'
import { ACT_TABLE, PASSKEY_ADD } from './acts.ts'
import { signed } from './approvals.ts'
import { bodyOf, type Desk, parsed, type SignedIn } from './desk.ts'
import { REGISTRATION, SIGNED } from './schemas.ts'

const WANTED = z.strictObject({ act: z.enum(ACTS), args: z.unknown() })
const MADE = z.strictObject({ response: REGISTRATION })
const CHALLENGE_BYTES = 32

/**
 * What gives power: each act by itself is said in a statement, signed by a passkey of the owner, put on record, and done. Nothing
 * that is signed in does it alone.
 */
export function confirmRoutes(desk: Desk): Hono {
  const { bursar } = desk.deps
  const app = new Hono()
  app.get('/passkeys', async (c) => {
    await desk.signedIn(c.req.raw)
    return c.json({ passkeys: (await listPasskeys(bursar)).filter(({ revoked_at }) => revoked_at === null) })
  })
  app.get('/owners', async (c) => {
    await desk.signedIn(c.req.raw)
    return c.json({ owners: await listOwners(bursar) })
  })
  app.post('/confirm/options', async (c) => {
    const session = await desk.signedIn(c.req.raw)
    const { act, args } = await bodyOf(c, WANTED)
    const statement = await actStatement(bursar, session.owner.id, act, await checked(desk, session, act, args))
    const bytes = desk.sessions.challenge(session, 'confirm', actChallenge(statement), statement)
    return c.json({
      statement,
      options: await requestOptions(desk.party(), await passkeysOf(bursar, session.owner.id), bytes),
    })
  })
  app.post('/confirm', (c) => confirm(desk, c))
  app.post('/passkeys', async (c) => {
    const session = await desk.signedIn(c.req.raw)
    const { response } = await bodyOf(c, MADE)
    const { bytes, about } = desk.sessions.answered(session, 'passkey.add')
    const made = await madePasskey(desk.party(), response as Registration, bytes, about)
    return c.json({ passkey: await addPasskey(bursar, passkeyAuthority(session.owner.id), made) })
  })
  return app
}

async function confirm(desk: Desk, c: Context): Promise<Response> {
  const { bursar } = desk.deps
  const session = await desk.signedIn(c.req.raw)
  const { statement, response } = await bodyOf(c, SIGNED)
  const assertion = await signed(desk, session, 'confirm', statement, response as Authentication)
  const said = JSON.parse(statement) as { act: Act; args: unknown }
  // What was allowed a minute ago may not be now.
  const args = await checked(desk, session, said.act, said.args)
  await recordConfirmed(bursar, session.owner.id, statement, assertion)
  if (said.act === 'passkey.add')
    return c.json({ result: await creation(desk, session, parsed(PASSKEY_ADD, args).name) })
  return c.json({ result: await ACT_TABLE[said.act].run(bursar, passkeyAuthority(session.owner.id), args) })
}

/** What an act is asked with, as it will be signed. @throws `argument_invalid`, and what its check throws */
async function checked({ deps }: Desk, { owner }: SignedIn, act: Act, args: unknown): Promise<Record<string, unknown>> {
  if (act === 'passkey.add') return parsed(PASSKEY_ADD, args)
  const definition = ACT_TABLE[act]
  const clean = parsed(definition.args, args)
  await definition.check?.(deps.bursar, owner.id, clean)
  return clean
}

async function creation(desk: Desk, session: SignedIn, name: string) {
  const { bursar } = desk.deps
  const owner = (await bursar.store.read.one('owners', { id: session.owner.id })) as Owner
  const challenge = desk.sessions.challenge(session, 'passkey.add', randomBytes(CHALLENGE_BYTES), name)
  return creationOptions(desk.party(), owner, await passkeysOf(bursar, owner.id), challenge)
}
