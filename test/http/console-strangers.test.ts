import { describe, expect, it } from 'vitest'
import { addOwner } from '../../src/actions/owner/owners.ts'
import { consoleOf } from '../../src/http/console.ts'
import { basic } from '../support/http.ts'
import { consoleSite, enrolled, instanceEvents, Page } from './console-page.ts'

describe('security: a cookie of the console', () => {
  it('is worth nothing without its token, nor from another page', async () => {
    const site = await consoleSite()
    const { page } = await enrolled(site)
    const freeze = (headers: Record<string, string>) => page.post('/reduce', { act: 'freeze_all', args: {} }, headers)
    const other = new Page(site.origin)
    await other.open()
    for (const [headers, status] of [
      [{ 'x-csrf-token': '' }, 403],
      [{ 'x-csrf-token': other.csrf }, 403],
      [{ 'x-csrf-token': `${page.csrf}A` }, 403],
      [{ origin: 'http://evil.test' }, 403],
      [{ origin: 'null' }, 403],
      [{ 'sec-fetch-site': 'same-site' }, 403],
      [{ 'sec-fetch-site': 'cross-site' }, 403],
      [{ 'content-type': 'text/plain' }, 400],
    ] as const)
      expect([headers, (await freeze(headers)).status]).toEqual([headers, status])
    expect(await instanceEvents(site.purse)).not.toContain('spending.frozen')
    expect((await freeze({})).status).toBe(200)
    expect(await instanceEvents(site.purse)).toContain('spending.frozen')
  })

  it('is not said to be sent by a page that does not say which it is', async () => {
    const site = await consoleSite()
    const { page } = await enrolled(site)
    const response = await fetch(`${site.origin}/console/api/reduce`, {
      method: 'POST',
      headers: { cookie: page.cookie, 'x-csrf-token': page.csrf, 'content-type': 'application/json' },
      body: JSON.stringify({ act: 'freeze_all', args: {} }),
    })
    expect(response.status).toBe(403)
  })
})

describe('security: who is no owner', () => {
  const ROUTES = [
    ...['session', 'inbox', 'passkeys', 'owners', 'events', 'push'].map((path) => ['GET', path] as const),
    ...[
      ...['enrol/options', 'enrol', 'sign-in/options', 'sign-in', 'sign-out', 'confirm/options', 'confirm', 'reduce'],
      ...['passkeys', 'approvals/req_1/options', 'approvals/req_1/approve', 'approvals/req_1/deny'],
      ...['push/subscribe', 'push/unsubscribe'],
    ].map((path) => ['POST', path] as const),
  ]

  it('gets nothing on any route with an agent’s key, the owner’s passphrase, or a made-up cookie', async () => {
    const site = await consoleSite()
    const { page } = await enrolled(site)
    const credentials: Record<string, string>[] = [
      { authorization: `Bearer ${site.key}` },
      { authorization: `Bearer ${site.key}`, cookie: page.cookie },
      basic(),
      { cookie: page.cookie.replace(/=.*/, `=${'A'.repeat(43)}`) },
      { cookie: page.cookie.replace(/=.*/, '=x') },
    ]
    for (const [method, path] of ROUTES)
      for (const headers of credentials) {
        const response = await fetch(`${site.origin}/console/api/${path}`, {
          ...{
            method,
            headers: { 'content-type': 'application/json', origin: site.origin, 'x-csrf-token': page.csrf, ...headers },
          },
          ...(method === 'POST' && { body: '{}' }),
        })
        const isStranger = path === 'session' && !headers.authorization
        const body = await response.text()
        if (isStranger) expect(JSON.parse(body).signed_in).toBe(false)
        else
          expect([path, Object.keys(headers), response.status]).toEqual([
            path,
            Object.keys(headers),
            headers.authorization ? 403 : 401,
          ])
      }
    expect(await instanceEvents(site.purse)).not.toContain('owner.sign_in_failed')
  })

  it('gets nothing with a session that nobody has signed in to', async () => {
    const site = await consoleSite()
    await enrolled(site)
    const stranger = new Page(site.origin)
    await stranger.open()
    const open = ['session', 'enrol/options', 'enrol', 'sign-in/options', 'sign-in', 'sign-out']
    for (const [method, path] of ROUTES.filter(([, path]) => !open.includes(path))) {
      const { status } = await (method === 'GET' ? stranger.get(`/${path}`) : stranger.post(`/${path}`, {}))
      expect([path, status]).toEqual([path, 401])
    }
  })

  it('is every route that there is', async () => {
    const { routes } = consoleOf((await consoleSite()).deps, '/nowhere')
    const known = routes.routes.filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/'))
    const named = known.map(({ method, path }) => `${method} ${path.slice(5).replace(':id', 'req_1')}`)
    expect(new Set(named)).toEqual(new Set(ROUTES.map(([method, path]) => `${method} ${path}`)))
  })

  it('with a passkey of another owner is that owner, and no more', async () => {
    const site = await consoleSite()
    await enrolled(site)
    const ada = await addOwner(site.deps.bursar, site.purse.authority, 'Ada')
    const { page } = await enrolled(site, ada.owner_id)
    expect((await page.get('/session')).body.owner).toEqual({ owner_id: ada.owner_id, name: 'Ada' })
  })
})
