import { describe, expect, it, vi } from 'vitest'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import type { AppOptions } from '../../src/http/app.ts'
import type { HttpDeps } from '../../src/http/deps.ts'
import { makeSite, type Site } from '../support/http.ts'
import { CARD, SHOP } from '../support/purse.ts'
import { CLIENTS, type Connected, connect, type Kind } from './clients.ts'

const APPROVE = { action: 'accept', content: { decision: 'approve' } } as const
const TIMING = { readMs: 0, pollMs: 10, followMs: 10, heartbeatMs: 10, formWithinMs: 2_000 }

/** A server whose waits are short; and with a console, whose address may be given to users. */
function site(more: Partial<AppOptions> = {}): Promise<Site> {
  return makeSite({
    app: (deps: HttpDeps) => {
      Object.assign(deps.bursar, { consoleUrl: () => `${deps.origin}/console` })
      return { timing: TIMING, ...more }
    },
  })
}

async function card(host: Connected): Promise<string> {
  const { structuredContent } = await host.call('request_instrument', CARD)
  return (structuredContent!.instrument as { instrument_id: string }).instrument_id
}

const buy = (instrument_id: string, purpose: string) => ({ instrument_id, amount: '12.00', payee: SHOP, purpose })

describe.each(CLIENTS)('MCP over HTTP (%s)', (kind) => {
  it('lists the tools, asks the human, pays', async () => {
    const { origin, key, agentId } = await site()
    const host = await connect(origin, kind, key, { answer: () => APPROVE })
    expect((await host.raw.listTools()).tools).toHaveLength(8)
    const id = await card(host)
    expect(host.asked[0]?.message).toContain('agent shopper')
    const paid = await host.call('pay_with_instrument', buy(id, 'x'))
    expect(paid.structuredContent).toMatchObject({ status: 'captured', agent_id: agentId })
    expect(paid.structuredContent?.session_id).toMatch(/^crd_.*:2026-03-10$/)
  })

  it('security: sends the user to the console where a form is not enough, with nothing in the address that lets in', async () => {
    const one = await site()
    await strictWallet(one)
    const host = await connect(one.origin, kind, one.key, {
      elicitation: { form: {}, url: {} },
      answer: () => ({ action: 'accept' }),
    })
    const { structuredContent: request } = await host.call('request_instrument', { ...CARD, currency: 'EUR' })
    const url = `${one.origin}/console/inbox/${request?.request_id}`
    expect(host.asked).toMatchObject([{ mode: 'url', url }])
    expect(request).toMatchObject({ status: 'pending', approval: { needs: 'passkey', asked: 'url', url } })
    // A form is none of its business, whatever a host says.
    await expect(
      one.deps.desk.approve(request?.request_id as string, '0'.repeat(64), 'form', {}),
    ).rejects.toMatchObject({ code: expect.stringMatching(/assurance_too_low|approval_invalid/) })
  })

  it('says where to decide to a host that can neither show forms nor open addresses', async () => {
    const one = await site()
    await strictWallet(one)
    const host = await connect(one.origin, kind, one.key, { answer: () => APPROVE })
    const { content } = await host.call('request_instrument', { ...CARD, currency: 'EUR' })
    expect(content[0]?.text).toContain(`tell your user to decide at ${one.origin}/console/inbox/req_`)
    expect(host.asked).toEqual([])
  })

  it('hears what becomes of its payments, and nothing of others', async () => {
    const one = await site()
    const host = await connect(one.origin, kind, one.key, { answer: () => APPROVE })
    const heard: string[] = []
    const id = await card(host)
    await listen(host, kind, [`bursar://instruments/${id}`, 'bursar://journal'], (uri) => heard.push(uri))
    await host.call('pay_with_instrument', buy(id, 'y'))
    await vi.waitFor(() => expect(new Set(heard)).toEqual(new Set([`bursar://instruments/${id}`, 'bursar://journal'])))
    const { addAgent } = await import('../../src/actions/owner/agents.ts')
    const { key } = await addAgent(one.deps.bursar, one.purse.authority, 'other')
    const other = await connect(one.origin, kind, key, { answer: () => APPROVE })
    const others = await card(other)
    const deaf: string[] = []
    await listen(host, kind, [`bursar://instruments/${others}`], (uri) => deaf.push(uri))
    const loud: string[] = []
    await listen(other, kind, [`bursar://instruments/${others}`], (uri) => loud.push(uri))
    await other.call('pay_with_instrument', buy(others, 'z'))
    await vi.waitFor(() => expect(loud).toContain(`bursar://instruments/${others}`))
    expect(deaf).not.toContain(`bursar://instruments/${others}`)
  })
})

/** Another wallet, in which only a passkey approves. */
async function strictWallet({ deps, purse }: Site): Promise<void> {
  const approvals = [{ up_to: null, assurance: 'passkey' }]
  const input = { name: 'strict', currency: 'EUR', mode: 'sandbox', approvals } as const
  await createWallet(deps.bursar, purse.authority, input as never)
}

async function listen(host: Connected, kind: Kind, uris: string[], heard: (uri: string) => void): Promise<void> {
  const onUpdate = ({ params }: { params: { uri: string } }): void => heard(params.uri)
  if (kind === 'modern') {
    const { raw } = host
    raw.setNotificationHandler('notifications/resources/updated', onUpdate)
    await raw.listen({ resourceSubscriptions: uris })
    return
  }
  if (kind === 'legacy') host.raw.setNotificationHandler('notifications/resources/updated', onUpdate)
  else {
    const { ResourceUpdatedNotificationSchema } = await import('@modelcontextprotocol/sdk/types.js')
    host.raw.setNotificationHandler(ResourceUpdatedNotificationSchema as never, onUpdate as never)
  }
  for (const uri of uris) await host.raw.subscribeResource({ uri })
}
