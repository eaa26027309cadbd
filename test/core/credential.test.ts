import { describe, expect, it } from 'vitest'
import { budgetAsset, credentialEnded, isCredentialOver } from '../../src/core/credential.ts'
import type { Agent, Credential } from '../../src/core/types.ts'
import { AGENT_SCOPES } from '../../src/core/types.ts'

const AGENT: Agent = { id: 'agt', name: 'a', keyHash: 'x', status: 'active', createdAt: 0 }

function credential(id: string, parentId: string | null, more: Partial<Credential> = {}): Credential {
  return {
    ...{ id, parentId, agentId: 'agt', keyHash: id, issuer: null, subject: null, audience: null, jwksUri: null },
    ...{ scopes: AGENT_SCOPES, instruments: null, maxAmount: null, currency: null, spent: 0n, label: null },
    ...{ createdAt: 0, expiresAt: null, revokedAt: null },
    ...more,
  }
}

const CHAIN = [credential('c', 'b'), credential('b', 'a'), credential('a', null)]
const over = (credentials: readonly Credential[], id: string | null, agent: Agent | null = AGENT) =>
  credentialEnded({ agent, credentials, now: 10 }, id, 'bursar:pay')?.rule ?? null

describe('security: a credential is good', () => {
  it('with the whole chain above it, that is of the agent', () => {
    expect(over(CHAIN, 'c')).toBe(null)
    expect(over(CHAIN, 'b')).toBe('agent.credential')
    expect(over(CHAIN.slice(0, 2), 'c')).toBe('agent.credential')
    expect(over([], 'c')).toBe('agent.credential')
    expect(over(CHAIN, 'c', { ...AGENT, id: 'other' })).toBe('agent.credential')
    expect(over(CHAIN, 'c', null)).toBe('agent')
  })

  it.each([0, 1, 2])('while none of the chain has ended, such as number %i', (n) => {
    const ended = (change: Partial<Credential>) => CHAIN.map((one, i) => (i === n ? { ...one, ...change } : one))
    expect(over(ended({ expiresAt: 11 }), 'c')).toBe(null)
    expect(over(ended({ expiresAt: 10 }), 'c')).toBe('agent.credential')
    // However late that was said to be.
    expect(over(ended({ revokedAt: 99 }), 'c')).toBe('agent.credential')
  })

  it('for what it is for; and none is needed by the agent alone that has no key', () => {
    expect(over([credential('a', null, { scopes: ['bursar:read'] })], 'a')).toBe('credential.scopes')
    expect(over([], null)).toBe('agent.credential')
    expect(over([], null, { ...AGENT, keyHash: null })).toBe(null)
    expect(isCredentialOver({ agent: AGENT, credentials: [], now: 0 }, { credentials: [] })).toBe(true)
    expect(isCredentialOver({ agent: AGENT, credentials: CHAIN, now: 0 }, { credentials: ['c', 'b', 'a'] })).toBe(false)
  })
})

it('a budget is in a currency that wallets are in', () => {
  expect([budgetAsset('USD').decimals, budgetAsset('JPY').decimals, budgetAsset('USDC').decimals]).toEqual([2, 0, 6])
  expect(() => budgetAsset('XAU')).toThrow('ISO 4217')
})
