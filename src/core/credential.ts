import { assetOf, USDC } from './asset.ts'
import type { Asset } from './money.ts'
import { refusal } from './refusal.ts'
import type { Snapshot } from './step.ts'
import type { AgentScope, Credential, Payment, Refusal } from './types.ts'

/** The owner's own, and three that were minted below it; see the trigger `credentials_only_narrow`. */
export const CHAIN_MAX = 4
/** How many live ones a credential may have minted; see the trigger `credentials_are_few`. */
export const MINTED_MAX = 100

const USDC_DECIMALS = 6

type Known = Pick<Snapshot, 'agent' | 'credentials' | 'now'>

/**
 * Why an agent may not do this with what it came with; null where it may. A credential ends with whatever minted it.
 *
 * @param credentialId null: it came with none, which only the agent of embedded mode may
 */
export function credentialEnded(known: Known, credentialId: string | null, scope: AgentScope): Refusal | null {
  const ended = credentialOver(known, credentialId)
  if (ended || credentialId === null || known.credentials[0]?.scopes.includes(scope)) return ended
  return scopeMissing(scope)
}

/** As {@link credentialEnded}, whatever it is to be used for. */
export function credentialOver({ agent, credentials, now }: Known, credentialId: string | null): Refusal | null {
  if (!agent) return refusal('not_found', 'agent', 'There is no such agent.')
  if (credentialId === null)
    return agent.keyHash === null
      ? null
      : refusal('spending_frozen', 'agent.credential', 'This agent needs a credential.')
  const isWhole = credentials[0]?.id === credentialId && credentials.at(-1)?.parentId === null
  if (!isWhole || credentials.some((one) => one.agentId !== agent.id || !isLive(one, now)))
    return refusal('spending_frozen', 'agent.credential', "The agent's credential has ended.")
  return null
}

/** Whether what a payment was asked for with has ended since. */
export function isCredentialOver(known: Known, { credentials: [own] }: Pick<Payment, 'credentials'>): boolean {
  return credentialOver(known, own ?? null) !== null
}

export function scopeMissing(scope: AgentScope): Refusal {
  return refusal('scope_missing', 'credential.scopes', `The credential lacks the scope ${scope}.`)
}

/** Whether it is good by itself: what minted it may be over. */
export function isLive({ expiresAt, revokedAt }: Pick<Credential, 'expiresAt' | 'revokedAt'>, now: number): boolean {
  return revokedAt === null && (expiresAt === null || now < expiresAt)
}

/** What a credential's maximum is counted in. @throws `currency_mismatch` */
export function budgetAsset(currency: string): Asset {
  return currency === USDC ? { code: USDC, decimals: USDC_DECIMALS } : assetOf(currency)
}
