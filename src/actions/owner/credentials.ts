import { BursarError } from '../../core/errors.ts'
import type { WireCredential } from '../../core/event.ts'
import { plain } from '../../core/text.ts'
import type { Bursar } from '../../ports.ts'
import type { CredentialInput, CredentialView } from '../credentials.ts'
import { credentialTerms, credentialView, wireCredential } from '../credentials.ts'
import { endCredential } from '../end-credential.ts'
import { fresh } from './agents.ts'
import type { OwnerAuthority, OwnerBy } from './authority.ts'
import { humanActor } from './authority.ts'

/** Whose access tokens are an agent's (RFC 9068): those of this issuer, about this subject, for this audience. */
export interface TrustInput {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  /** Where the issuer's keys are; `/.well-known/jwks.json` of the issuer unless given. */
  readonly jwks_uri?: string | undefined
}

export interface GrantInput extends CredentialInput {
  readonly token?: TrustInput | undefined
}

const URL_MAX = 500
const NAME_MAX = 255
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Another key for an agent, or trust in the tokens of an issuer. `key` is null for the latter, and shown once for the former.
 *
 * @throws `not_found`, `wrong_state`, `already_exists`, `argument_invalid`, `amount_invalid`, `currency_mismatch`
 */
export async function addCredential(
  bursar: Bursar,
  authority: OwnerAuthority,
  agentId: string,
  { token, ...input }: GrantInput,
): Promise<CredentialView & { readonly key: string | null }> {
  const { read } = bursar.store
  const trusted = token === undefined ? null : trustOf(token)
  if (
    trusted &&
    (await read.list('credentials', { issuer: trusted.issuer, subject: trusted.subject, revokedAt: null })).length > 0
  )
    throw new BursarError(
      'already_exists',
      'The tokens of this issuer about this subject are an agent already; revoke that.',
    )
  const { key, origin } = fresh(bursar)
  const made = trusted === null ? origin : { ...origin, keyHash: null, token: trusted }
  const terms = await credentialTerms(read, agentId, input)
  await bursar.store.update({ agentId }, ({ agent, now }) => {
    if (!agent) throw new BursarError('not_found', 'There is no such agent.')
    if (agent.status !== 'active') throw new BursarError('wrong_state', 'The agent was revoked.')
    const details = { credential: wireCredential(made, terms, now) }
    return {
      facts: [{ type: 'credential.added', actor: humanActor(authority), agent_id: agentId, details }],
      result: null,
    }
  })
  bursar.notify.changed(agentId, null)
  return { ...(await showCredential(bursar, origin.credentialId)), key: trusted === null ? key : null }
}

/** Ends a credential and all that it minted. The safe direction: no passphrase. @throws `not_found` */
export async function revokeCredential(bursar: Bursar, by: OwnerBy, credentialId: string): Promise<CredentialView> {
  await showCredential(bursar, credentialId)
  await endCredential(bursar, humanActor(by), credentialId, () => true)
  return showCredential(bursar, credentialId)
}

/** @throws `not_found` */
export async function showCredential(
  { store: { read }, clock }: Bursar,
  credentialId: string,
): Promise<CredentialView> {
  const credential = await read.one('credentials', { id: credentialId })
  if (!credential) throw new BursarError('not_found', 'There is no such credential.')
  return credentialView(read, credential, clock.now())
}

/** By what an agent is known, what it minted too; newest first. @throws `not_found` */
export async function listCredentials(
  { store: { read }, clock }: Bursar,
  agentId: string,
): Promise<readonly CredentialView[]> {
  if (!(await read.one('agents', { id: agentId }))) throw new BursarError('not_found', 'There is no such agent.')
  const now = clock.now()
  return await Promise.all(
    (await read.list('credentials', { agentId })).map(async (credential) => credentialView(read, credential, now)),
  )
}

function trustOf({ issuer, subject, audience, jwks_uri }: TrustInput): NonNullable<WireCredential['token']> {
  const at = placeOf('issuer', issuer)
  if (at.search !== '') throw new BursarError('argument_invalid', 'issuer has no query.')
  const jwks = jwks_uri ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`
  placeOf('jwks_uri', jwks)
  return { issuer, subject: named('subject', subject), audience: named('audience', audience), jwks_uri: jwks }
}

/** Compared letter by letter with what tokens say: it is kept as it is written. */
function placeOf(name: string, text: string): URL {
  const url = URL.canParse(text) && /^[\x21-\x7e]+$/.test(text) && text.length <= URL_MAX ? new URL(text) : null
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname))
  if (!url || !isSafe || url.username !== '' || url.password !== '' || text.includes('#'))
    throw new BursarError('argument_invalid', `${name} is an https address, or http on this machine.`)
  return url
}

function named(name: string, text: string): string {
  if (text === '' || plain(text, NAME_MAX) !== text)
    throw new BursarError('argument_invalid', `${name} is 1 to ${NAME_MAX} characters in one line.`)
  return text
}
