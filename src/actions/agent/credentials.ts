import { CHAIN_MAX, credentialOver, MINTED_MAX, scopeMissing } from '../../core/credential.ts'
import { BursarError } from '../../core/errors.ts'
import type { Snapshot } from '../../core/step.ts'
import type { Credential } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import type { CredentialInput, CredentialTerms, CredentialView } from '../credentials.ts'
import { credentialTerms, credentialView, keyHashOf, newKey, wireCredential } from '../credentials.ts'
import { endCredential } from '../end-credential.ts'
import type { Caller } from '../wire.ts'

/** How long a minted credential lives unless it is said, where what it is minted with lives so long. */
const LIVES_MS = 60 * 60 * 1000

/**
 * Mints a credential for a sub-agent: never wider than the caller's own, never good for longer, and ended with it. What is
 * spent with it counts against every one above it. What is left out is as the caller's own; an hour long.
 *
 * @returns the key once
 * @throws `forbidden`, `scope_missing`, `argument_invalid`, `amount_invalid`, `currency_mismatch`, `not_found`, `spending_frozen`
 */
export async function mintCredential(
  bursar: Bursar,
  caller: Caller,
  input: CredentialInput,
): Promise<CredentialView & { readonly key: string }> {
  const { agentId, credentialId, sessionId } = caller
  if (credentialId === null) throw forbidden('Who has no credential mints none.')
  const terms = await credentialTerms(bursar.store.read, agentId, input)
  const key = newKey()
  const id = bursar.ids.make('credential')
  const origin = { credentialId: id, parentId: credentialId, keyHash: keyHashOf(key), token: null }
  await bursar.store.update({ agentId, credentialId, minting: true }, (snapshot) => {
    const credential = wireCredential(origin, within(snapshot, caller, terms), snapshot.now)
    const actor = { role: 'agent' as const, id: agentId }
    const base = { actor, agent_id: agentId, session_id: sessionId }
    return { facts: [{ ...base, type: 'credential.added', details: { credential } }], result: null }
  })
  bursar.notify.changed(agentId, null)
  return { ...(await shown(bursar, id)), key }
}

/**
 * Ends a credential that the caller's own has minted, itself or through others.
 *
 * @throws `not_found`, for every other one too
 */
export async function revokeMinted(bursar: Bursar, caller: Caller, credentialId: string): Promise<CredentialView> {
  const mine = ([, ...above]: readonly Credential[]) => above.some(({ id }) => id === caller.credentialId)
  await endCredential(bursar, { role: 'agent', id: caller.agentId }, credentialId, mine)
  return shown(bursar, credentialId)
}

async function shown({ store: { read }, clock }: Bursar, id: string): Promise<CredentialView> {
  return credentialView(read, (await read.one('credentials', { id })) as Credential, clock.now())
}

/** The terms, with what is left out as it is in the caller's own. @throws where they are wider */
function within(snapshot: Snapshot, { credentialId, narrowed }: Caller, terms: CredentialTerms): CredentialTerms {
  const { agent, credentials, minted, now } = snapshot
  const over = credentialOver(snapshot, credentialId)
  if (over) throw new BursarError(over.code, over.message)
  if (agent?.status !== 'active') throw new BursarError('spending_frozen', 'This agent was revoked.')
  const own = credentials[0] as Credential
  if (credentials.length >= CHAIN_MAX) throw forbidden('What was minted three deep mints no further.')
  if (minted >= MINTED_MAX) throw forbidden(`It has minted ${MINTED_MAX} that live; end some that are not needed.`)
  const allowed = own.scopes.filter((scope) => narrowed?.scopes.includes(scope) ?? true)
  const scopes = terms.scopes ?? allowed
  const wider = scopes.find((scope) => !allowed.includes(scope))
  if (wider !== undefined) throw new BursarError('scope_missing', scopeMissing(wider).message)
  if (scopes.length === 0) throw forbidden('What may do nothing mints nothing.')
  const ends = [...credentials.map(({ expiresAt }) => expiresAt), narrowed?.until ?? null].filter((at) => at !== null)
  const longestMs = Math.min(...ends) - now
  const expiresInMs = terms.expiresInMs ?? Math.min(LIVES_MS, longestMs)
  if (expiresInMs > longestMs || expiresInMs <= 0)
    throw new BursarError('argument_invalid', 'It would live longer than what it is minted with.')
  return { ...terms, scopes, expiresInMs, ...spendable(own, terms) }
}

function spendable(
  own: Credential,
  terms: CredentialTerms,
): Pick<CredentialTerms, 'instruments' | 'maxAmount' | 'currency'> {
  const instruments = terms.instruments ?? own.instruments
  if (own.instruments !== null && instruments?.some((id) => !own.instruments?.includes(id)))
    throw new BursarError('not_found', 'There is no such instrument of the agent.')
  if (own.maxAmount === null) return { instruments, maxAmount: terms.maxAmount, currency: terms.currency }
  const { maxAmount, currency } = terms.maxAmount === null ? own : terms
  if (currency !== own.currency) throw new BursarError('currency_mismatch', `It pays in ${own.currency}.`)
  if ((maxAmount as bigint) > own.maxAmount) throw forbidden('It would have more to spend than what it is minted with.')
  return { instruments, maxAmount, currency }
}

function forbidden(message: string): BursarError {
  return new BursarError('forbidden', message)
}
