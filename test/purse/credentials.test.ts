import { describe, expect, it } from 'vitest'
import { mintCredential } from '../../src/actions/agent/credentials.ts'
import { addAgent, rotateAgent } from '../../src/actions/owner/agents.ts'
import type { GrantInput } from '../../src/actions/owner/credentials.ts'
import { addCredential, listCredentials, revokeCredential } from '../../src/actions/owner/credentials.ts'
import { rfc3339 } from '../../src/core/time.ts'
import { AGENT_SCOPES } from '../../src/core/types.ts'
import { buy, NOON } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { ask, codeOf, DAY, HOUR, quickPurse, ruleOf } from './desk.ts'
import { keyed, sub, using } from './minted.ts'

const ENDED = ['refused', 'spending_frozen', 'agent.credential']

describe('a credential', () => {
  it('has all scopes and no end, unless the owner says otherwise', async () => {
    const { bursar, authority } = await quickPurse()
    const { agent_id, credential_id } = await addAgent(bursar, authority, 'wide')
    expect(await listCredentials(bursar, agent_id)).toEqual([
      {
        ...{ credential_id, agent_id, parent_id: null, label: null, scopes: AGENT_SCOPES, instruments: null },
        ...{ max_amount: null, spent_amount: null, currency: null, token: null, expires_at: null },
        ...{ created_at: rfc3339(NOON), status: 'active' },
      },
    ])
    const narrow = { scopes: ['bursar:pay', 'bursar:read'], max_amount: '50', currency: 'USD', expires_in: '30d' }
    const other = await addAgent(bursar, authority, 'narrow', narrow)
    expect(await listCredentials(bursar, other.agent_id)).toMatchObject([
      {
        ...{ scopes: ['bursar:read', 'bursar:pay'], max_amount: '50.00', spent_amount: '0.00', currency: 'USD' },
        expires_at: rfc3339(NOON + 30 * DAY),
      },
    ])
  })

  it('security: is good up to its end, and not at it', async () => {
    const { purse, card } = await keyed({ expires_in: '1h' })
    purse.time.now += HOUR - 1
    expect(await buy(purse, card, '1.00')).toMatchObject({ status: 'captured' })
    purse.time.now += 1
    expect(ruleOf(await buy(purse, card, '1.00'))).toEqual(ENDED)
    expect(await codeOf(ask(purse))).toBe('spending_frozen')
    expect(await codeOf(mintCredential(purse.bursar, purse.caller, {}))).toBe('spending_frozen')
    expect(await listCredentials(purse.bursar, purse.caller.agentId)).toMatchObject([{ status: 'expired' }])
  })

  it('security: does nothing that its scopes do not name', async () => {
    const { purse, card } = await keyed()
    const reads = await sub(purse, { scopes: ['bursar:read'] })
    expect(ruleOf(await buy(reads, card, '1.00'))).toEqual(['refused', 'scope_missing', 'credential.scopes'])
    expect(await codeOf(ask(reads))).toBe('scope_missing')
    const pays = await sub(purse, { scopes: ['bursar:pay'] })
    expect(await buy(pays, card, '1.00')).toMatchObject({ status: 'captured' })
    expect(await codeOf(ask(pays))).toBe('scope_missing')
  })

  it('security: of another agent, or none where one is needed, pays nothing', async () => {
    const { purse, card } = await keyed()
    const other = await addAgent(purse.bursar, purse.authority, 'other')
    expect(ruleOf(await buy(using(purse, other.credential_id), card, '1.00'))).toEqual(ENDED)
    expect(ruleOf(await buy(using(purse, 'crd_none'), card, '1.00'))).toEqual(ENDED)
    const none = { ...purse, caller: { ...purse.caller, credentialId: null } }
    expect(ruleOf(await buy(none, card, '1.00'))).toEqual(ENDED)
  })
})

describe('a rotation', () => {
  it('security: ends what the owner gave before at once, and keeps scopes and limits', async () => {
    const { purse, card, agentId } = await keyed({ max_amount: '50.00', currency: 'USD', expires_in: '12h' })
    await buy(purse, card, '30.00')
    purse.time.now += 1
    const { credential_id } = await rotateAgent(purse.bursar, purse.authority, agentId)
    expect(ruleOf(await buy(purse, card, '1.00'))).toEqual(ENDED)
    const next = using(purse, credential_id)
    expect(ruleOf(await buy(next, card, '50.01'))).toEqual([
      'refused',
      'amount_exceeds_remaining',
      'credential.max_amount',
    ])
    expect(await buy(next, card, '50.00')).toMatchObject({ status: 'captured' })
    expect(await listCredentials(purse.bursar, agentId)).toMatchObject([
      { max_amount: '50.00', spent_amount: '50.00', expires_at: rfc3339(NOON + 1 + 12 * HOUR), status: 'active' },
      { spent_amount: '30.00', expires_at: rfc3339(NOON + 1), status: 'expired' },
    ])
    await expectBooksToAgree(purse)
  })

  it('security: with an overlap, what was before ends when that is over, with what it minted', async () => {
    const { purse, card, agentId } = await keyed()
    const task = await sub(purse, { expires_in: '12h' })
    const { credential_id } = await rotateAgent(purse.bursar, purse.authority, agentId, { overlap: '1h' })
    purse.time.now += HOUR - 1
    for (const one of [purse, task, using(purse, credential_id)])
      expect(await buy(one, card, '1.00')).toMatchObject({ status: 'captured' })
    // What it mints now ends with it, too.
    expect(await codeOf(sub(task, { expires_in: '2h' }))).toBe('argument_invalid')
    purse.time.now += 1
    for (const one of [purse, task]) expect(ruleOf(await buy(one, card, '1.00'))).toEqual(ENDED)
    expect(await buy(using(purse, credential_id), card, '1.00')).toMatchObject({ status: 'captured' })
  })

  it('security: no overlap makes anything live longer than it was to', async () => {
    const { purse, agentId, credentialId } = await keyed({ expires_in: '1h' })
    await rotateAgent(purse.bursar, purse.authority, agentId, { overlap: '30d', expires_in: '60d' })
    const old = (await listCredentials(purse.bursar, agentId)).find(
      ({ credential_id }) => credential_id === credentialId,
    )
    expect(old?.expires_at).toBe(rfc3339(NOON + HOUR))
  })

  it('security: of two at once, one key is left', async () => {
    const { purse, card, agentId } = await keyed()
    const { bursar, authority } = purse
    const both = await Promise.all([rotateAgent(bursar, authority, agentId), rotateAgent(bursar, authority, agentId)])
    const made = await Promise.all(both.map((one) => buy(using(purse, one.credential_id), card, '1.00')))
    expect(made.map(({ status }) => status).toSorted()).toEqual(['captured', 'refused'])
  })

  it('leaves trust in tokens, and more keys end with the others', async () => {
    const { purse, agentId } = await keyed()
    const { bursar, authority } = purse
    const token = { issuer: 'https://idp.example', subject: 'shopper', audience: 'https://pay.example' }
    const trusted = await addCredential(bursar, authority, agentId, { token })
    const second = await addCredential(bursar, authority, agentId, { scopes: ['bursar:read'] })
    expect([trusted.key, second.key?.slice(0, 4)]).toEqual([null, 'bak_'])
    await rotateAgent(bursar, authority, agentId)
    const status = new Map((await listCredentials(bursar, agentId)).map((one) => [one.credential_id, one.status]))
    expect([status.get(trusted.credential_id), status.get(second.credential_id)]).toEqual(['active', 'expired'])
  })
})

describe('trust in the tokens of an issuer', () => {
  const TOKEN = { issuer: 'https://idp.example/realm', subject: 'shopper', audience: 'https://pay.example' }
  it('is for one issuer, subject and audience', async () => {
    const { purse, agentId } = await keyed()
    const add = (input: GrantInput) => addCredential(purse.bursar, purse.authority, agentId, input)
    const made = await add({ token: TOKEN, scopes: ['bursar:read'], expires_in: '30d', label: 'CI' })
    expect(made).toMatchObject({
      ...{ key: null, label: 'CI', scopes: ['bursar:read'] },
      token: { ...TOKEN, jwks_uri: 'https://idp.example/realm/.well-known/jwks.json' },
    })
    expect(await codeOf(add({ token: TOKEN }))).toBe('already_exists')
    await revokeCredential(purse.bursar, purse.authority, made.credential_id)
    expect(await add({ token: TOKEN })).toMatchObject({ status: 'active' })
  })

  it.each([
    ['an issuer that anyone on the way can be', { issuer: 'http://idp.example' }],
    ['an issuer that is no address', { issuer: 'idp.example' }],
    ['an issuer with a query', { issuer: 'https://idp.example/?x=1' }],
    ['an issuer with a password', { issuer: 'https://me:pw@idp.example' }],
    ['an issuer on a name that only begins like this machine', { issuer: 'http://localhost.evil.example' }],
    ['keys that anyone on the way can change', { jwks_uri: 'http://idp.example/keys' }],
    ['keys in a file', { jwks_uri: 'file:///etc/keys' }],
    ['nobody', { subject: '' }],
    ['a subject of two lines', { subject: 'a\nb' }],
    ['any audience', { audience: '' }],
  ])('security: is not for %s', async (_, change) => {
    const { bursar, authority, caller } = await quickPurse()
    const token = { ...TOKEN, ...change }
    expect(await codeOf(addCredential(bursar, authority, caller.agentId, { token }))).toBe('argument_invalid')
  })

  it('may be for an issuer on this machine', async () => {
    const { bursar, authority, caller } = await quickPurse()
    for (const [n, issuer] of ['http://127.0.0.1:4000', 'http://localhost:4000', 'http://[::1]:4000'].entries())
      await addCredential(bursar, authority, caller.agentId, { token: { ...TOKEN, issuer, subject: `${n}` } })
    expect(await listCredentials(bursar, caller.agentId)).toHaveLength(3)
  })
})
