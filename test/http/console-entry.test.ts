import { describe, expect, it } from 'vitest'
import { invite, revokePasskey } from '../../src/actions/owner/passkeys.ts'
import { codeOf } from '../purse/desk.ts'
import { Authenticator, FLAGS } from '../support/authenticator.ts'
import { collected } from '../support/collected.ts'
import type { Site } from '../support/http.ts'
import { consoleSite, enrolled, instanceEvents, Page, signIn } from './console-page.ts'

const HOUR = 60 * 60 * 1000

/** A page that has been asked for its owner's passkey. */
async function atTheDoor(site: Site) {
  const page = new Page(site.origin)
  await page.open()
  const { options } = (await page.post('/sign-in/options', {})).body
  return { page, options }
}

describe('the door of the console', () => {
  it('lets an owner in by a code, once, and then by the passkey that it made', async () => {
    const site = await consoleSite()
    const { code } = await invite(site.deps.bursar, site.purse.authority, site.purse.authority.ownerId)
    const page = new Page(site.origin)
    expect((await page.open()).body).toMatchObject({ signed_in: false, needs_enrolment: true, version: '0.0.0' })
    const { options } = (await page.post('/enrol/options', { code, name: 'my phone' })).body
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: 'bursar' },
      user: { name: 'owner' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      pubKeyCredParams: [{ alg: -7 }, { alg: -8 }],
    })
    const key = new Authenticator(-8)
    const cookie = page.cookie
    const made = page.entered(await page.post('/enrol', { response: key.create(options, { origin: site.origin }) }))
    expect(made.body).toMatchObject({ signed_in: true, owner: { name: 'owner' }, needs_enrolment: false })
    expect(page.cookie).not.toBe(cookie)
    expect((await page.get('/passkeys')).body.passkeys).toMatchObject([
      { name: 'my phone', owner: 'owner', synced: false },
    ])
    expect((await (await signIn(site, key)).get('/session')).body).toMatchObject({ signed_in: true })
    expect((await instanceEvents(site.purse)).slice(-4)).toEqual([
      'passkey.invited',
      'passkey.added',
      'owner.signed_in',
      'owner.signed_in',
    ])
    expect((await page.post('/enrol/options', { code, name: 'again' })).body.code).toBe('code_invalid')
  })

  it('lets an owner out', async () => {
    const site = await consoleSite()
    const { page } = await enrolled(site)
    const { cookie } = page
    expect((await page.post('/sign-out', {})).body).toMatchObject({ signed_in: false })
    expect((await page.get('/inbox')).status).toBe(401)
    page.cookie = cookie
    expect((await page.get('/inbox')).status).toBe(401)
    expect((await instanceEvents(site.purse)).at(-1)).toBe('owner.signed_out')
  })
})

describe('security: the door of the console', () => {
  it('gives a cookie that only the browser has and only our pages send, and another at each sign-in', async () => {
    const site = await consoleSite()
    const { key } = await enrolled(site)
    const { page, options } = await atTheDoor(site)
    const planted = new Page(site.origin)
    planted.cookie = page.cookie
    const { headers, body } = await page.post('/sign-in', { response: key.get(options, { origin: site.origin }) })
    expect(headers.get('set-cookie')).toMatch(/^bursar-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(body.signed_in).toBe(true)
    expect(page.cookie).not.toBe(planted.cookie)
    expect((await planted.get('/inbox')).status).toBe(401)
    // Nor is the cookie of before, signed in again.
    planted.cookie = page.entered({ status: 200, body, headers }) && page.cookie
    const again = (await page.post('/sign-in/options', {})).body.options
    const signed = await page.post('/sign-in', { response: key.get(again, { origin: site.origin }) })
    expect(page.entered(signed).status).toBe(200)
    expect((await planted.get('/inbox')).status).toBe(401)
    expect((await page.get('/inbox')).status).toBe(200)
  })

  it.each<[string, object]>([
    ['whose user was not verified', { flags: FLAGS.there }],
    ['of another page', { origin: 'http://localhost:1' }],
    ['of a page that is named like ours', { origin: 'http://localhost.evil.test' }],
    ['of another relying party', { rpId: 'evil.test' }],
    ['in a frame', { client: { crossOrigin: true } }],
    ['to another challenge', { challenge: Buffer.alloc(32, 1).toString('base64url') }],
  ])('takes no assertion %s', async (_, other) => {
    const site = await consoleSite()
    const { key } = await enrolled(site)
    const { page, options } = await atTheDoor(site)
    const { body } = await page.post('/sign-in', { response: key.get(options, { origin: site.origin, ...other }) })
    expect(body.code).toBe('passkey_invalid')
    expect((await page.get('/session')).body.signed_in).toBe(false)
    expect((await instanceEvents(site.purse)).at(-1)).toBe('owner.sign_in_failed')
  })

  it('takes an assertion once, in the session that it was asked of, within five minutes', async () => {
    const site = await consoleSite()
    const { key } = await enrolled(site)
    const { page, options } = await atTheDoor(site)
    const other = await atTheDoor(site)
    const response = key.get(options, { origin: site.origin })
    expect((await other.page.post('/sign-in', { response })).body.code).toBe('passkey_invalid')
    const late = await atTheDoor(site)
    const lately = key.get(late.options, { origin: site.origin })
    expect((await page.post('/sign-in', { response })).status).toBe(200)
    const replay = await atTheDoor(site)
    expect((await replay.page.post('/sign-in', { response })).body.code).toBe('passkey_invalid')
    site.purse.time.now += 5 * 60_000
    expect((await late.page.post('/sign-in', { response: lately })).body.code).toBe('passkey_invalid')
  })

  it('knows no passkey that was revoked, and ends what was opened with it', async () => {
    const site = await consoleSite()
    const { page, key } = await enrolled(site)
    expect((await page.get('/inbox')).status).toBe(200)
    await revokePasskey(site.deps.bursar, site.purse.authority, key.id)
    expect((await page.get('/inbox')).status).toBe(401)
    expect((await (await signIn(site, key)).get('/session')).body.signed_in).toBe(false)
    expect((await (await signIn(site, new Authenticator())).get('/session')).body.signed_in).toBe(false)
  })

  it('enrols nothing that is no passkey of this page', async () => {
    const site = await consoleSite()
    const { code } = await invite(site.deps.bursar, site.purse.authority, site.purse.authority.ownerId)
    for (const other of [
      { origin: 'http://localhost:1' },
      { rpId: 'evil.test' },
      { flags: FLAGS.there },
      { client: { type: 'webauthn.get' } },
    ]) {
      const page = new Page(site.origin)
      await page.open()
      const { options } = (await page.post('/enrol/options', { code, name: '' })).body
      const response = new Authenticator().create(options, { origin: site.origin, ...other })
      expect((await page.post('/enrol', { response })).body.code).toBe('passkey_invalid')
    }
    expect(await codeOf(invite(site.deps.bursar, site.purse.authority, site.purse.authority.ownerId))).toBe('no error')
  })

  it('makes whoever guesses codes wait, but nobody with the right one, and has it on record', async () => {
    const site = await consoleSite()
    const { code } = await invite(site.deps.bursar, site.purse.authority, site.purse.authority.ownerId)
    const page = new Page(site.origin)
    await page.open()
    const tried = async (typed: string) => (await page.post('/enrol/options', { code: typed, name: '' })).body
    for (let i = 0; i < 5; i++) expect((await tried(`0000-${i}`)).code).toBe('code_invalid')
    const locked = await page.post('/enrol/options', { code: '0000', name: '' })
    expect([locked.body.code, locked.headers.get('retry-after')]).toEqual(['rate_limited', '30'])
    site.purse.time.now += 30_000
    expect((await tried('0000')).code).toBe('code_invalid')
    site.purse.time.now += 59_000
    expect((await tried('0000')).code).toBe('rate_limited')
    expect((await tried(code)).options).toBeDefined()
    const failures = (await collected(site.purse.bursar.store.read.events('instance'))).filter(
      ({ type }) => type === 'owner.sign_in_failed',
    )
    expect(failures.map(({ body }) => body!.includes('"locked":true'))).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
    ])
  })

  it('lets a good passkey in whatever others fail with, and fills no journal', async () => {
    const site = await consoleSite()
    const { key } = await enrolled(site)
    for (let i = 0; i < 8; i++) await signIn(site, new Authenticator())
    const failures = async () =>
      (await instanceEvents(site.purse)).filter((type) => type === 'owner.sign_in_failed').length
    expect(await failures()).toBe(5)
    expect((await (await signIn(site, key)).get('/session')).body.signed_in).toBe(true)
  })

  it('ends a session that nobody uses for half an hour, and any after twelve', async () => {
    const site = await consoleSite()
    const { page, key } = await enrolled(site)
    site.purse.time.now += HOUR / 2 - 1
    expect((await page.get('/inbox')).status).toBe(200)
    site.purse.time.now += HOUR / 2
    expect((await page.get('/inbox')).status).toBe(401)
    const again = await signIn(site, key)
    for (let i = 0; i < 26; i++) {
      expect((await again.get('/inbox')).status).toBe(i < 25 ? 200 : 401)
      site.purse.time.now += HOUR / 2 - 1
    }
    expect((await again.get('/inbox')).status).toBe(401)
  })
})
