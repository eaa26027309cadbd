import { invite } from '../../src/actions/owner/passkeys.ts'
import { consoleOf } from '../../src/http/console.ts'
import { restRoutes } from '../../src/http/rest.ts'
import { Authenticator } from '../support/authenticator.ts'
import { collected } from '../support/collected.ts'
import { makeSite, type Site, type SiteOptions } from '../support/http.ts'
import type { Purse } from '../support/purse.ts'

/** A site with a console; its page was not built, and is not needed. */
export function consoleSite(options: SiteOptions = {}): Promise<Site> {
  return makeSite({
    ...options,
    app: (deps) => ({ console: consoleOf(deps, '/nowhere'), rest: restRoutes, ...options.app?.(deps) }),
  })
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever a test looks at.
  readonly body: any
  readonly headers: Headers
}

/** What a browser does for a page: keeps the cookie, says its origin, sends the token that the page was given. */
export class Page {
  readonly origin: string
  cookie = ''
  csrf = ''

  constructor(origin: string) {
    this.origin = origin
  }

  async get(path: string): Promise<Answer> {
    const headers = { cookie: this.cookie, 'x-csrf-token': this.csrf, 'sec-fetch-site': 'same-origin' }
    return this.send(path, { headers })
  }

  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send(path, {
      method: 'POST',
      headers: {
        ...{ cookie: this.cookie, origin: this.origin, 'x-csrf-token': this.csrf, 'sec-fetch-site': 'same-origin' },
        ...{ 'content-type': 'application/json', ...headers },
      },
      body: JSON.stringify(body),
    })
  }

  async open(): Promise<Answer> {
    return this.entered(await this.get('/session'))
  }

  entered(answer: Answer): Answer {
    if (answer.body?.csrf) this.csrf = answer.body.csrf
    return answer
  }

  private async send(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(`${this.origin}/console/api${path}`, { redirect: 'manual', ...init })
    const [cookie] = response.headers.getSetCookie()
    if (cookie) this.cookie = cookie.split(';', 1)[0] as string
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text), headers: response.headers }
  }
}

/** An owner's browser, with the passkey that it holds. */
export interface Signed {
  readonly page: Page
  readonly key: Authenticator
}

/** Enrols an owner's first passkey by a code of the command line, as a browser does. */
export async function enrolled(
  site: Site,
  ownerId = site.purse.authority.ownerId,
  key = new Authenticator(),
): Promise<Signed> {
  const { code } = await invite(site.deps.bursar, site.purse.authority, ownerId)
  const page = new Page(site.origin)
  await page.open()
  const { body } = await page.post('/enrol/options', { code, name: 'laptop' })
  page.entered(await page.post('/enrol', { response: key.create(body.options, { origin: site.origin }) }))
  return { page, key }
}

export async function signIn(site: Pick<Site, 'origin'>, key: Authenticator): Promise<Page> {
  const page = new Page(site.origin)
  await page.open()
  const { body } = await page.post('/sign-in/options', {})
  page.entered(await page.post('/sign-in', { response: key.get(body.options, { origin: site.origin }) }))
  return page
}

/** Has the passkey approve what waits, as the page does. */
export async function approve({ page, key }: Signed, id: string, narrowing: object = {}): Promise<Answer> {
  const asked = await page.post(`/approvals/${id}/options`, { narrowing })
  if (asked.status !== 200) return asked
  const { statement, options } = asked.body
  return page.post(`/approvals/${id}/approve`, { statement, response: key.get(options, { origin: page.origin }) })
}

export async function confirm({ page, key }: Signed, act: string, args: object): Promise<Answer> {
  const asked = await page.post('/confirm/options', { act, args })
  if (asked.status !== 200) return asked
  const { statement, options } = asked.body
  return page.post('/confirm', { statement, response: key.get(options, { origin: page.origin }) })
}

/** The events of the instance's journal, by type. */
export async function instanceEvents({ bursar }: Purse): Promise<string[]> {
  return (await collected(bursar.store.read.events('instance'))).map(({ type }) => type)
}
