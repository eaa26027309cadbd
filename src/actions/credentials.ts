import { randomBytes } from 'node:crypto'
import { sha256 } from '../core/canonical.ts'
import { budgetAsset, isLive } from '../core/credential.ts'
import { parseDuration } from '../core/duration.ts'
import { BursarError } from '../core/errors.ts'
import type { WireCredential } from '../core/event.ts'
import { isId } from '../core/ids.ts'
import { formatUnits, parse } from '../core/money.ts'
import { plain } from '../core/text.ts'
import { rfc3339 } from '../core/time.ts'
import { AGENT_SCOPES, type AgentScope, type Credential } from '../core/types.ts'
import type { Reader } from '../ports.ts'

/** What a credential may be used for. What is left out is as wide as it may be. */
export interface CredentialInput {
  readonly scopes?: readonly string[] | undefined
  /** It pays with these only. */
  readonly instruments?: readonly string[] | undefined
  /** Decimal string in `currency`: what may be spent with it in all. */
  readonly max_amount?: string | undefined
  readonly currency?: string | undefined
  /** `30d`, `12h`, `45m`. */
  readonly expires_in?: string | undefined
  readonly label?: string | undefined
}

/** {@link CredentialInput} made clean. Null and undefined: it was left out. */
export interface CredentialTerms {
  readonly scopes: readonly AgentScope[] | null
  readonly instruments: readonly string[] | null
  /** Units of `currency`. */
  readonly maxAmount: bigint | null
  readonly currency: string | null
  readonly expiresInMs: number | null
  readonly label: string | null
}

/** A credential as owners and agents read it. Its key is in nothing but the answer that made it. */
export interface CredentialView {
  readonly credential_id: string
  readonly agent_id: string
  /** What it was minted with; null: the owner gave it. */
  readonly parent_id: string | null
  readonly label: string | null
  readonly scopes: readonly AgentScope[]
  /** Null: all of the agent's. */
  readonly instruments: readonly string[] | null
  readonly max_amount: string | null
  /** Held and spent with it and with what it minted; null where no maximum is. */
  readonly spent_amount: string | null
  readonly currency: string | null
  /** The tokens that it stands for; null: it is a key. */
  readonly token: WireCredential['token']
  readonly created_at: string
  readonly expires_at: string | null
  /** An agent's end, and that of what minted it, are its own. */
  readonly status: 'active' | 'expired' | 'revoked'
}

const INSTRUMENTS_MAX = 50
const LABEL_MAX = 100

/** The hash under which a key is kept: hex SHA-256. 256 random bits need no slower one. */
export function keyHashOf(key: string): string {
  return sha256(key).toString('hex')
}

export function newKey(): string {
  return `bak_${randomBytes(32).toString('base64url')}`
}

/** @throws `argument_invalid`, `amount_invalid`, `currency_mismatch`, `not_found` for an instrument that is not the agent's */
export async function credentialTerms(read: Reader, agentId: string, input: CredentialInput): Promise<CredentialTerms> {
  return {
    scopes: input.scopes === undefined ? null : scopesOf(input.scopes),
    instruments: input.instruments === undefined ? null : await instrumentsOf(read, agentId, input.instruments),
    ...budgetOf(input),
    expiresInMs: input.expires_in === undefined ? null : parseDuration(input.expires_in),
    label: input.label === undefined ? null : plain(input.label, LABEL_MAX) || null,
  }
}

function scopesOf(scopes: readonly string[]): readonly AgentScope[] {
  if (scopes.length === 0 || scopes.some((scope) => !AGENT_SCOPES.includes(scope as AgentScope)))
    throw new BursarError('argument_invalid', `scopes are some of ${AGENT_SCOPES.join(', ')}.`)
  return AGENT_SCOPES.filter((scope) => scopes.includes(scope))
}

async function instrumentsOf(read: Reader, agentId: string, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length > INSTRUMENTS_MAX)
    throw new BursarError('argument_invalid', `instruments lists at most ${INSTRUMENTS_MAX}.`)
  const wanted = [...new Set(ids)].toSorted()
  const mine = await read.list('instruments', { agentId, id: wanted.filter((id) => isId('instrument', id)) })
  if (mine.length !== wanted.length) throw new BursarError('not_found', 'There is no such instrument of the agent.')
  return wanted
}

function budgetOf({ max_amount, currency }: CredentialInput): Pick<CredentialTerms, 'maxAmount' | 'currency'> {
  if ((max_amount === undefined) !== (currency === undefined))
    throw new BursarError('argument_invalid', 'max_amount and currency go together.')
  if (max_amount === undefined || currency === undefined) return { maxAmount: null, currency: null }
  const asset = budgetAsset(currency)
  return { maxAmount: parse(max_amount, asset).units, currency: asset.code }
}

export interface Origin {
  readonly credentialId: string
  readonly parentId: string | null
  readonly keyHash: string | null
  readonly token: WireCredential['token']
}

/** The credential as the journal writes it, from this moment on. */
export function wireCredential(origin: Origin, terms: CredentialTerms, now: number): WireCredential {
  const { maxAmount, currency, expiresInMs } = terms
  return {
    credential_id: origin.credentialId,
    parent_id: origin.parentId,
    key_hash: origin.keyHash,
    token: origin.token,
    scopes: terms.scopes ?? AGENT_SCOPES,
    instruments: terms.instruments,
    max_amount: amountOf(maxAmount, currency),
    currency,
    label: terms.label,
    expires_at: expiresInMs === null ? null : rfc3339(now + expiresInMs),
  }
}

export async function credentialView(read: Reader, credential: Credential, now: number): Promise<CredentialView> {
  const { currency, issuer, subject, audience, jwksUri } = credential
  return {
    credential_id: credential.id,
    agent_id: credential.agentId,
    parent_id: credential.parentId,
    label: credential.label,
    scopes: credential.scopes,
    instruments: credential.instruments,
    max_amount: amountOf(credential.maxAmount, currency),
    spent_amount: currency === null ? null : amountOf(credential.spent, currency),
    currency,
    token:
      issuer === null || subject === null || audience === null || jwksUri === null
        ? null
        : { issuer, subject, audience, jwks_uri: jwksUri },
    created_at: rfc3339(credential.createdAt),
    expires_at: credential.expiresAt === null ? null : rfc3339(credential.expiresAt),
    status: await statusOf(read, credential, now),
  }
}

async function statusOf(read: Reader, { id, agentId }: Credential, now: number): Promise<CredentialView['status']> {
  const chain = await read.credentials(id)
  const isRevoked = chain.some(({ revokedAt }) => revokedAt !== null)
  if (isRevoked || (await read.one('agents', { id: agentId }))?.status !== 'active') return 'revoked'
  return chain.every((one) => isLive(one, now)) ? 'active' : 'expired'
}

function amountOf(units: bigint | null, currency: string | null): string | null {
  return units === null || currency === null ? null : formatUnits(units, budgetAsset(currency).decimals)
}
