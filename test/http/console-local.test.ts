import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { getRequest } from '../../src/actions/agent/read.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { invite } from '../../src/actions/owner/passkeys.ts'
import { BursarError } from '../../src/core/errors.ts'
import { LocalConsole } from '../../src/main/console.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { logger } from '../../src/telemetry.ts'
import { MINUTE } from '../purse/desk.ts'
import { withPasskey } from '../purse/passkeys.ts'
import { basic } from '../support/http.ts'
import { CARD, makePurse } from '../support/purse.ts'
import { approve, Page, signIn } from './console-page.ts'

/** What `bursar mcp` has of it. */
async function embedded() {
  const purse = await makePurse()
  const running = {
    ...{ bursar: purse.bursar, noteKey: journalNoteKey(purse.journalKey.publicKey), changes: () => () => undefined },
    unlock: () => Promise.reject(new BursarError('passphrase_wrong', 'no')),
    close: async () => undefined,
  }
  const log = logger({ level: 'silent', clock: purse.bursar.clock, write: () => undefined, secrets: [] })
  const local = new LocalConsole(running, log, { version: '0.0.0', root: '/nowhere' })
  const ask = () => requestInstrument(local.bursar, purse.caller, CARD)
  return { purse, local, ask }
}

describe('the console beside an agent’s own process', () => {
  it('opens with a question, for whoever has a passkey, and closes with the process', async () => {
    const { purse, local, ask } = await embedded()
    const me = await withPasskey(purse)
    const { request_id, approval } = await ask()
    const { origin, pathname } = new URL(approval?.url as string)
    expect([new URL(origin).hostname, pathname]).toEqual(['localhost', `/console/inbox/${request_id}`])
    expect(await local.ready()).toBe(true)
    for (const name of ['127.0.0.1', '[::1]'])
      expect((await fetch(`${origin.replace('localhost', name)}/healthz`)).status).toBe(200)
    const page = await signIn({ origin }, me.key)
    expect((await approve({ page, key: me.key }, request_id)).body.view.status).toBe('approved')
    expect((await getRequest(purse.bursar, purse.caller, request_id)).status).toBe('approved')
    await local.close()
    await expect(fetch(`${origin}/healthz`)).rejects.toThrow()
    expect((await ask()).approval?.url).toBeUndefined()
  })

  it('is not there for nobody, and is there for whoever was invited', async () => {
    const { purse, local, ask } = await embedded()
    const { request_id, approval } = await ask()
    expect(approval?.url).toBeUndefined()
    expect(await local.ready()).toBe(false)
    const view = async () => (await getRequest(local.bursar, purse.caller, request_id)).approval
    await invite(purse.bursar, purse.authority, purse.authority.ownerId)
    expect((await view())?.url).toBeDefined()
    await local.close()
    purse.time.now += 10 * MINUTE
    expect((await view())?.url).toBeUndefined()
  })

  it('security: serves no agents, and takes no passphrase', async () => {
    const { purse, local, ask } = await embedded()
    await withPasskey(purse)
    const { origin } = new URL((await ask()).approval?.url as string)
    await local.ready()
    expect((await fetch(`${origin}/mcp`, { method: 'POST', body: '{}' })).status).toBe(404)
    const wallets = await fetch(`${origin}/api/v1/agent-payments/wallets`, { headers: basic() })
    expect(wallets.status).toBe(403)
    expect((await new Page(origin).get('/inbox')).status).toBe(401)
    await local.close()
  })

  it.each(['127.0.0.1', '::1'])('security: takes another port where somebody has its own, at %s', async (host) => {
    const { purse, local, ask } = await embedded()
    await withPasskey(purse)
    const { request_id, approval } = await ask()
    const first = new URL(approval?.url as string)
    const squatter = createServer()
    // Before the console: it lets the answer leave first.
    squatter.listen({ host, port: Number(first.port), exclusive: true })
    expect(await local.ready()).toBe(true)
    const { url } = (await getRequest(local.bursar, purse.caller, request_id)).approval ?? {}
    expect(new URL(url as string).port).not.toBe(first.port)
    expect((await fetch(`${new URL(url as string).origin}/healthz`)).status).toBe(200)
    await new Promise((resolve) => squatter.close(resolve))
    await local.close()
  })
})
