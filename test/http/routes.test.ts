import { describe, expect, it } from 'vitest'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { addCredential, revokeCredential } from '../../src/actions/owner/credentials.ts'
import type { Kind } from '../../src/core/ids.ts'
import { AGENT_SCOPES, type AgentScope } from '../../src/core/types.ts'
import { consoleOf } from '../../src/http/console.ts'
import { restRoutes } from '../../src/http/rest.ts'
import type { Route } from '../../src/http/shared/route.ts'
import { ROUTES } from '../../src/http/shared/routes.ts'
import { systemIds } from '../../src/system.ts'
import { basic } from '../support/http.ts'
import { COOKIE, CSRF, type Rest, restSite } from './rest-site.ts'

const ALL: readonly [string, Route][] = Object.entries(ROUTES)
const isRead = ({ method }: Route): boolean => method === 'get'

/** Who asks: what it comes with, and what every route must answer it. `in`: it is let in, whatever comes of it then. */
interface Role {
  readonly name: string
  readonly headers: Record<string, string>
  readonly expected: (route: Route) => 'in' | `${number} ${string}`
}

const agentWith =
  (scopes: readonly AgentScope[]): Role['expected'] =>
  ({ agent }) => {
    if (agent === null) return '403 forbidden'
    return agent.scope === 'any' || scopes.includes(agent.scope) ? 'in' : '403 scope_missing'
  }
const owner: Role['expected'] = ({ human }) => (human === null ? '403 forbidden' : 'in')
const console: Role['expected'] = ({ human }) => {
  if (human === null) return '403 forbidden'
  return human.power ? '403 assurance_too_low' : 'in'
}
const always =
  (answer: `${number} ${string}`): Role['expected'] =>
  () =>
    answer

const STRANGER = always('401 unauthenticated')
const LIAR = always('403 forbidden')

async function rolesOf({ purse, agentId, key, call }: Rest): Promise<Role[]> {
  const { bursar, authority, time } = purse
  const bearer = (token: string | null) => ({ authorization: `Bearer ${token}` })
  const given = async (input: object) => bearer((await addCredential(bursar, authority, agentId, input)).key)
  const revoked = await addCredential(bursar, authority, agentId, {})
  await revokeCredential(bursar, authority, revoked.credential_id)
  const passing = await given({ expires_in: '1h' })
  time.now += 60 * 60 * 1000
  const other = await addAgent(bursar, authority, 'other')
  const minted = await call('POST', '/credentials', { scopes: ['bursar:read'], expires_in: '1h' })
  return [
    { name: 'nobody', headers: {}, expected: STRANGER },
    { name: 'a made-up key', headers: bearer(`bak_${'A'.repeat(43)}`), expected: STRANGER },
    { name: 'a revoked credential', headers: bearer(revoked.key), expected: STRANGER },
    { name: 'a credential that is over', headers: passing, expected: STRANGER },
    ...(await Promise.all(
      AGENT_SCOPES.map(async (scope) => ({
        name: `an agent with ${scope} alone`,
        headers: await given({ scopes: [scope] }),
        expected: agentWith([scope]),
      })),
    )),
    { name: 'an agent', headers: bearer(key), expected: agentWith(AGENT_SCOPES) },
    { name: 'a credential that it minted', headers: bearer(minted.body.key), expected: agentWith(['bursar:read']) },
    { name: 'another agent', headers: bearer(other.key), expected: agentWith(AGENT_SCOPES) },
    { name: 'an agent that says it is human', headers: { ...bearer(key), 'x-agent-role': 'human' }, expected: LIAR },
    {
      name: 'an agent that says it is another',
      headers: { ...bearer(key), 'x-actor-id': other.agent_id },
      expected: LIAR,
    },
    {
      name: 'an agent with the cookie of the console',
      headers: { ...bearer(key), ...COOKIE, ...CSRF },
      expected: agentWith(AGENT_SCOPES),
    },
    { name: 'an agent that tries its key as passphrase', headers: basic('owner', key), expected: STRANGER },
    { name: 'the owner', headers: basic(), expected: owner },
    { name: 'the owner, wrong passphrase', headers: basic('owner', 'guess'), expected: STRANGER },
    { name: 'the owner that says it is an agent', headers: { ...basic(), 'x-agent-role': 'agent' }, expected: LIAR },
    { name: 'the console', headers: { ...COOKIE, ...CSRF }, expected: console },
    {
      name: 'a stolen cookie',
      headers: COOKIE,
      expected: () => '403 forbidden',
    },
    { name: 'a cookie that was made up', headers: { cookie: 'bursar=guess', ...CSRF }, expected: STRANGER },
  ]
}

/** Of things that are not there: who is let in changes nothing. */
const NAMES: Readonly<Record<string, Kind>> = {
  ...{ wallet_id: 'wallet', limit_id: 'limit', request_id: 'request', instrument_id: 'instrument' },
  ...{ payment_id: 'payment', agent_id: 'agent', credential_id: 'credential' },
}
const pathOf = ({ path }: Route): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => systemIds.make(NAMES[name] as Kind))

describe('security: route and role', () => {
  it('every route answers every role as its definition says, and no agent is let in where only a human may be', async () => {
    const site = await restSite()
    const roles = await rolesOf(site)
    const wrong: string[] = []
    for (const { name: who, headers, expected } of roles)
      for (const [name, route] of ALL) {
        // What everything depends on is asked for last.
        if (name === 'freezeAll') continue
        const { status, body } = await site.call(
          route.method.toUpperCase(),
          pathOf(route),
          isRead(route) ? undefined : {},
          headers,
        )
        const refused = status === 401 || status === 403
        const found = refused ? `${status} ${body.code}` : 'in'
        if (found !== expected(route)) wrong.push(`${who}, ${name}: ${found}, not ${expected(route)}`)
        if (who.includes('agent') && !who.startsWith('the owner') && route.agent === null && status < 400)
          wrong.push(`${who} did ${name}`)
      }
    expect(wrong).toEqual([])
    expect(roles.length * ALL.length).toBeGreaterThan(800)
    for (const { name: who, headers, expected } of roles) {
      const { status, body } = await site.call('POST', '/freeze', {}, headers)
      expect([who, status === 200 ? 'in' : `${status} ${body.code}`]).toEqual([who, expected(ROUTES.freezeAll)])
    }
  })

  it('what the console’s page asks for, which its browser is told by too, is for none of them', async () => {
    const site = await restSite({ app: (deps) => ({ console: consoleOf(deps, '/nowhere') }) })
    const { routes } = consoleOf(site.deps, '/nowhere').routes
    const paths = routes.filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/'))
    expect(paths.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining(['GET /api/push', 'POST /api/push/subscribe', 'POST /api/push/unsubscribe']),
    )
    for (const { name, headers } of await rolesOf(site))
      for (const { method, path } of paths) {
        if (path === '/api/session') continue
        const response = await fetch(`${site.origin}/console${path.replace(':id', systemIds.make('request'))}`, {
          ...{ method, headers: { origin: site.origin, 'content-type': 'application/json', ...headers } },
          ...(method === 'POST' && { body: '{}' }),
        })
        await response.body?.cancel()
        expect([name, path, response.status]).toEqual([name, path, 'authorization' in headers ? 403 : 401])
      }
  })

  it('what gives power is for no agent, and takes an owner', () => {
    const powers = ALL.filter(([, { human }]) => human?.power === true)
    expect(powers.filter(([, { agent }]) => agent !== null)).toEqual([])
    const words = /approve|fund|unfreeze|limit|refund|rotate|^add|^createWallet|setApprovals/i
    const without = ALL.filter(
      ([name, { human, method }]) => words.test(name) && method !== 'get' && human?.power !== true,
    )
    expect(without.map(([name]) => name)).toEqual([])
  })

  it('there is no route that is not in the table', async () => {
    const { deps } = await restSite()
    const app = restRoutes(deps, async () => Promise.reject(new Error('Not here.')))
    const served = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)
    const known = ALL.map(([, { method, path }]) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`)
    expect(served.toSorted()).toEqual([...known, 'GET /openapi.json', 'GET /docs'].toSorted())
  })

  it('another method is 405 with those that there are, and another path 404', async () => {
    const { call } = await restSite()
    for (const path of new Set(ALL.map(([, { path }]) => path))) {
      const methods = ALL.filter(([, route]) => route.path === path).map(([, { method }]) => method.toUpperCase())
      const { status, headers } = await call('PATCH', path.replace(/[{}]/g, ''), {})
      const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
      expect([path, status, headers.get('allow')?.split(', ').toSorted()]).toEqual([path, 405, allow.toSorted()])
    }
    for (const path of ['/nothing', '/wallets/', '//wallets', '/wallets/x/y/z', '/../../console', '/WALLETS'])
      expect([path, (await call('GET', path)).status]).toEqual([path, 404])
  })
})
