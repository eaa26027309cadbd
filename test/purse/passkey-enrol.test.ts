import { describe, expect, it } from 'vitest'
import { enrol, invite, invited, listPasskeys, revokePasskey } from '../../src/actions/owner/passkeys.ts'
import { Authenticator } from '../support/authenticator.ts'
import { collected } from '../support/collected.ts'
import { expectBooksToAgree } from './books.ts'
import { codeOf, MINUTE, quickPurse } from './desk.ts'
import { ORIGIN, wirePasskey } from './passkeys.ts'

describe('security: the code that enrols a first passkey', () => {
  const first = async () => {
    const purse = await quickPurse()
    const { code } = await invite(purse.bursar, purse.authority, purse.authority.ownerId)
    return { purse, code, use: (typed = code) => codeOf(enrol(purse.bursar, typed, wirePasskey(new Authenticator()))) }
  }

  it('is 80 bits, typed however a person types it, and is not kept', async () => {
    const { purse, code, use } = await first()
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
    const bodies = (await collected(purse.bursar.store.read.events('instance'))).map(({ body }) => body).join()
    expect(bodies).not.toContain(code.replaceAll('-', ''))
    expect(bodies).not.toContain(code)
    expect(await use(` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `)).toBe(
      'no error',
    )
    await expectBooksToAgree(purse)
  })

  it('is good once, also for two at a time', async () => {
    const { purse, use } = await first()
    expect((await Promise.all([use(), use()])).toSorted()).toEqual(['code_invalid', 'no error'])
    expect(await use()).toBe('code_invalid')
    expect(await listPasskeys(purse.bursar)).toHaveLength(1)
  })

  it('is good for ten minutes, and no other is', async () => {
    const { purse, code, use } = await first()
    expect(await use('0000-0000-0000-0000')).toBe('code_invalid')
    expect(await use('')).toBe('code_invalid')
    purse.time.now += 10 * MINUTE
    expect(await use()).toBe('code_invalid')
    await expect(invited(purse.bursar, code)).rejects.toThrow('not good')
  })

  it('ends where another code let a passkey in, and there is none for whoever has one', async () => {
    const { purse, use } = await first()
    const { ownerId } = purse.authority
    const second = await invite(purse.bursar, purse.authority, ownerId)
    expect(await use(second.code)).toBe('no error')
    expect(await use()).toBe('code_invalid')
    expect(await codeOf(invite(purse.bursar, purse.authority, ownerId))).toBe('wrong_state')
    const [passkey] = await listPasskeys(purse.bursar)
    expect(passkey).toMatchObject({ owner: 'owner', origin: ORIGIN })
    await revokePasskey(purse.bursar, purse.authority, passkey?.passkey_id as string)
    expect((await invite(purse.bursar, purse.authority, ownerId)).code).not.toBe(second.code)
  })

  it('takes no passkey that was there before', async () => {
    const { purse, code } = await first()
    const key = new Authenticator()
    await enrol(purse.bursar, code, wirePasskey(key))
    await revokePasskey(purse.bursar, purse.authority, key.id)
    const again = await invite(purse.bursar, purse.authority, purse.authority.ownerId)
    expect(await codeOf(enrol(purse.bursar, again.code, wirePasskey(key)))).toBe('passkey_invalid')
  })
})
