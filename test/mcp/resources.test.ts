import { describe, expect, it } from 'vitest'
import { buy, CARD, makeCard, makePurse, type Purse } from '../support/purse.ts'
import { CLIENTS, type Connected, connect, type Kind } from './support.ts'

async function read(host: Connected, uri: string): Promise<{ events?: { type: string }[] }> {
  const { contents } = await host.raw.readResource({ uri })
  return JSON.parse((contents[0] as { text: string }).text)
}

/** Another agent's eyes on the same store. */
async function stranger(purse: Purse, kind: Kind): Promise<Connected> {
  return connect(purse, kind, {
    deps: { caller: { agentId: 'agt_other', sessionId: 'ses_other', credentialId: null } },
  })
}

describe.each(CLIENTS)('resources (%s)', (kind) => {
  it('show the wallets, an instrument, a payment and the journal', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const paid = await buy(purse, card, '49.00')
    const host = await connect(purse, kind)
    expect(await read(host, 'bursar://wallets')).toMatchObject([{ available_amount: '951.00' }])
    expect(await read(host, `bursar://instruments/${card.instrument_id}`)).toMatchObject({ remaining_amount: '251.00' })
    expect(await read(host, `bursar://payments/${paid.payment_id}`)).toMatchObject({ status: 'captured' })
    const { events } = await read(host, 'bursar://journal')
    expect(events?.map(({ type }) => type).slice(0, 3)).toEqual([
      'payment.captured',
      'payment.authorized',
      'payment.attempted',
    ])
    expect((await host.raw.listResources()).resources.map(({ uri }) => uri)).toEqual([
      'bursar://wallets',
      'bursar://journal',
      `bursar://instruments/${card.instrument_id}`,
    ])
    expect((await host.raw.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'bursar://instruments/{id}',
      'bursar://payments/{id}',
    ])
    await host.close()
  })

  it('security: of other agents are not found, and the journal of a shared wallet keeps them apart', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const paid = await buy(purse, card, '49.00')
    const host = await stranger(purse, kind)
    for (const uri of [
      `bursar://instruments/${card.instrument_id}`,
      `bursar://payments/${paid.payment_id}`,
      'bursar://payments/%2e%2e',
      'bursar://secrets',
    ])
      await expect(host.raw.readResource({ uri })).rejects.toMatchObject({ code: -32602 })
    const journal = JSON.stringify(await read(host, 'bursar://journal'))
    for (const id of [card.instrument_id, paid.payment_id, 'Acme']) expect(journal).not.toContain(id)
    await host.close()
  })

  it('are updated when a request is decided, though another process decides it', async () => {
    const purse = await makePurse()
    const host = await connect(purse, kind, { deps: { changes: () => () => undefined } })
    const { structuredContent } = await host.call('request_instrument', CARD)
    const uris = await listen(host, kind, ['bursar://journal'])
    await host.deps.desk.deny(structuredContent?.request_id as string, 'cli', null)
    await expect.poll(() => uris).toContain('bursar://journal')
    await host.close()
  })

  it('are updated when a payment settles, and only those that were subscribed to', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse)
    const host = await connect(purse, kind)
    const uris = await listen(host, kind, [`bursar://instruments/${card.instrument_id}`, 'bursar://wallets'])
    await buy(purse, card, '1.00')
    await expect
      .poll(() => new Set(uris))
      .toEqual(new Set([`bursar://instruments/${card.instrument_id}`, 'bursar://wallets']))
    await host.close()
  })
})

/** Subscribes in the way of the era; what is updated is pushed to the list. */
async function listen(host: Connected, kind: Kind, resources: string[]): Promise<string[]> {
  const uris: string[] = []
  if (kind === 'old') {
    const { ResourceUpdatedNotificationSchema } = await import('@modelcontextprotocol/sdk/types.js')
    const old = host.raw as unknown as import('@modelcontextprotocol/sdk/client/index.js').Client
    old.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void uris.push(params.uri))
  } else {
    host.raw.setNotificationHandler('notifications/resources/updated', ({ params }) => void uris.push(params.uri))
  }
  if (kind === 'modern') await host.raw.listen({ resourceSubscriptions: resources })
  else for (const uri of resources) await host.raw.subscribeResource({ uri })
  return uris
}
