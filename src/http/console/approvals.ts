import { z } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { approve, deny } from '../../actions/owner/approve.ts'
import { passkeysOf } from '../../actions/owner/passkeys.ts'
import { question } from '../../actions/question.ts'
import type { Authentication } from '../../approvals/passkey.ts'
import { madeAssertion, passkeyProof, requestOptions } from '../../approvals/passkey.ts'
import { statementOf } from '../../approvals/statement.ts'
import type { Narrowing, Statement } from '../../core/approval.ts'
import { BursarError } from '../../core/errors.ts'
import type { WireAssertion } from '../../core/event.ts'
import { assertNarrows } from '../../core/request.ts'
import type { Passkey, Request, Wallet } from '../../core/types.ts'
import { approvalChallenge } from '../../core/webauthn.ts'
import type { Bursar } from '../../ports.ts'
import { bodyOf, type Desk, type SignedIn } from './desk.ts'
import { NARROWING, SIGNED } from './schemas.ts'

/** Nobody reads the terms in less, in milliseconds. */
const READ_MS = 2_000
const UNREAD =
  'You answered faster than the terms can be read. The answer counts. Read who is paid, and how much, before you sign: agents can be talked into asking.'
const WANTED = z.strictObject({ narrowing: NARROWING.default({}) })
const NO = z.strictObject({ reason: z.string().max(500).optional() })

/**
 * The human's answer. A yes is what a passkey signed: the statement that this server made, whole, over the terms that are stored.
 * A no takes none.
 */
export function approvalRoutes(desk: Desk): Hono {
  const { bursar } = desk.deps
  const app = new Hono()
  app.post('/approvals/:id/options', async (c) => {
    const session = await desk.signedIn(c.req.raw)
    const { narrowing } = await bodyOf(c, WANTED)
    const statement = await asked(bursar, session.owner.id, c.req.param('id'), narrowing as Narrowing)
    desk.sessions.show(session, c.req.param('id'))
    const bytes = desk.sessions.challenge(
      session,
      purposeOf(c.req.param('id')),
      approvalChallenge(statement),
      statement,
    )
    return c.json({
      statement,
      options: await requestOptions(desk.party(), await passkeysOf(bursar, session.owner.id), bytes),
    })
  })
  app.post('/approvals/:id/approve', async (c) => {
    const session = await desk.signedIn(c.req.raw)
    const { statement, response } = await bodyOf(c, SIGNED)
    const id = c.req.param('id')
    const assertion = await signed(desk, session, purposeOf(id), statement, response as Authentication)
    const said = JSON.parse(statement) as Statement
    const proof = passkeyProof(session.owner.id, said.digest, statement, assertion)
    const shownFor = desk.sessions.shownFor(session, id)
    const view = await approve(bursar, id, proof, said.narrowed)
    const isOpen = (await bursar.store.read.one('approvals', { subjectId: id }))?.status === 'waiting'
    return c.json({
      view,
      ...((shownFor === null || shownFor < READ_MS) && { warning: UNREAD }),
      ...(isOpen && { waiting_for_second: true }),
    })
  })
  app.post('/approvals/:id/deny', async (c) => {
    const { owner } = await desk.signedIn(c.req.raw)
    const { reason = null } = await bodyOf(c, NO)
    return c.json({ view: await deny(bursar, c.req.param('id'), { ownerId: owner.id, channel: 'console', reason }) })
  })
  return app
}

/** What the owner is to sign. @throws `not_found`, `not_pending`, `argument_invalid` */
async function asked(bursar: Bursar, ownerId: string, subjectId: string, narrowing: Narrowing): Promise<string> {
  const { waiting, digest } = await question(bursar, subjectId)
  if (!waiting) throw new BursarError('not_pending', 'This was decided already, or nobody answered in time.')
  const { read } = bursar.store
  const request = (await read.one('requests', { id: subjectId })) as Request | null
  if (request) assertNarrows(request, (await read.one('wallets', { id: request.walletId })) as Wallet, narrowing)
  else if (Object.keys(narrowing).length > 0)
    throw new BursarError('argument_invalid', 'A payment is approved as it is or denied.')
  return statementOf(bursar, ownerId, subjectId, digest, narrowing)
}

/**
 * What a passkey of the session's owner signed: the statement that was made for this session and purpose, byte for byte, and no
 * other; once.
 *
 * @throws `passkey_invalid`, `approval_invalid`
 */
export async function signed(
  desk: Desk,
  session: SignedIn,
  purpose: string,
  statement: string,
  response: Authentication,
): Promise<WireAssertion> {
  const { bytes, about } = desk.sessions.answered(session, purpose)
  if (statement !== about)
    throw new BursarError('approval_invalid', 'The signed statement is not the one that was made here.')
  const passkey = (await desk.deps.bursar.store.read.one('passkeys', { id: response.id })) as Passkey | null
  if (passkey?.ownerId !== session.owner.id)
    throw new BursarError('passkey_invalid', 'This passkey is not of the owner who is signed in.')
  return madeAssertion(desk.party(), response, bytes, passkey)
}

function purposeOf(subjectId: string): string {
  return `approve ${subjectId}`
}
