import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { generateApi } from 'swagger-typescript-api'
import { expect, it, onTestFinished } from 'vitest'
import { verifyExport } from '../../src/actions/owner/journal.ts'
import { leafHash } from '../../src/core/merkle.ts'
import { verifyProof } from '../../src/core/proof.ts'
import { BASE } from '../../src/http/shared/route.ts'
import { basic } from '../support/http.ts'
import { type Body, got, restSite } from './rest-site.ts'

const CARD = {
  type: 'virtual_card',
  amount: '300.00',
  currency: 'USD',
  usage_limit: 5,
  expires_in: '30d',
  purpose: 'Developer tools',
  constraints: { merchant_categories: ['5734'] },
}
const SHOP = { name: 'Acme Software', merchant_category: '5734', country: 'US' }

/** A client made from the document that the server gives, as anyone would make it. */
async function clientsOf(origin: string) {
  const spec = await (await fetch(`${origin}${BASE}/openapi.json`)).json()
  const { files } = await generateApi({ spec, output: false, httpClientType: 'fetch', silent: true } as never)
  const { code } = await transform(files[0]!.fileContent, { loader: 'ts', format: 'esm' })
  const folder = mkdtempSync(join(tmpdir(), 'bursar-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'api.mjs'), code)
  const { Api } = await import(join(folder, 'api.mjs'))
  /** Each answer is compared with the schema of its route, too. */
  const customFetch = async (url: string, init: RequestInit) => {
    const response = await fetch(url, init)
    await got(init.method as string, new URL(url).pathname.slice(BASE.length), response.clone())
    return response
  }
  return (headers: Record<string, string>): Body =>
    new Api({ baseUrl: `${origin}${BASE}`, customFetch, baseApiParams: { headers, format: 'json' } })
}

it('a client generated from the document runs the whole story', async () => {
  const site = await restSite()
  const made = await clientsOf(site.origin)
  const owner = made(basic())

  const { data: wallet } = await owner.wallets.createWallet({ name: 'tools', currency: 'EUR', mode: 'sandbox' })
  await owner.wallets.fundWallet(wallet.wallet_id, { amount: '400' })
  await owner.wallets.setLimit(wallet.wallet_id, { scope: 'wallet', window: 'day', over: 'deny', max_amount: '90' })
  const { data: buyer } = await owner.agents.addAgent({
    name: 'buyer',
    scopes: ['bursar:read', 'bursar:request', 'bursar:pay'],
  })
  const agent = made({ authorization: `Bearer ${buyer.key}` })

  const asked = await agent.requests.createRequest({ ...CARD, currency: 'EUR' })
  expect([asked.status, asked.data.status, asked.data.wallet_id]).toEqual([202, 'pending', wallet.wallet_id])
  const narrowing = { amount: '200', usage_limit: 3, expires_in: '12h' }
  const { data: approved } = await owner.requests.approveRequest(asked.data.request_id, { narrowing })
  const { instrument_id } = approved.instrument
  expect(approved.instrument).toMatchObject({
    amount: '200.00',
    usage_limit: 3,
    expires_at: '2026-03-11T00:00:00.000Z',
  })

  const { data: signed } = await owner.journal.listEvents({ journal: wallet.wallet_id, limit: 200 })
  const yes = signed.events.find(({ event }: Body) => event.type === 'request.approved').event
  expect(yes.actor).toEqual({ role: 'human', id: site.purse.authority.ownerId })
  expect(yes.details.proof).toMatchObject({ assurance: 'operator', channel: 'http', signature: expect.any(String) })

  const purchase = { instrument_id, amount: '60.00', payee: SHOP, purpose: 'A licence' }
  const paid = await agent.payments.createPayment(purchase, { headers: { 'idempotency-key': 'order-1' } })
  expect([paid.status, paid.data.status, paid.data.captured_amount]).toEqual([201, 'captured', '60.00'])
  const over = await agent.payments
    .createPayment({ ...purchase, amount: '40', purpose: 'Another' })
    .catch((no: Body) => no)
  expect([over.status, over.error.code, over.error.payment.status]).toEqual([403, 'limit_exceeded', 'refused'])
  const { data: budget } = await agent.budget.getBudget()
  expect(budget.instruments).toMatchObject([{ instrument_id, remaining_amount: '140.00', usage_consumed: 1 }])

  const { data: refunded } = await owner.payments.refundPayment(paid.data.payment_id, { amount: '10' })
  expect([refunded.status, refunded.refunded_amount]).toEqual(['partially_refunded', '10.00'])
  const { data: spending } = await owner.wallets.getSpending(wallet.wallet_id, { days: 2 })
  expect(spending.by_day).toEqual([
    { day: '2026-03-09', amount: '0.00', count: 0 },
    { day: '2026-03-10', amount: '50.00', count: 1 },
  ])
  expect(spending.by_agent).toEqual([{ id: buyer.agent_id, name: 'buyer', amount: '50.00', count: 1 }])
  expect(spending.by_payee).toEqual([{ name: 'Acme Software', amount: '50.00', count: 1 }])

  await owner.freeze.freezeAll({ reason: 'a drill' })
  const frozen = await agent.payments.createPayment({ ...purchase, amount: '1' }).catch((no: Body) => no)
  expect([frozen.status, frozen.error.code]).toEqual([403, 'spending_frozen'])
  await owner.unfreeze.unfreezeAll()

  await owner.wallets.setApprovals(wallet.wallet_id, { approvals: [{ up_to: null, assurance: 'passkey' }] })
  const { data: strict } = await agent.requests.createRequest({ ...CARD, currency: 'EUR', amount: '10' })
  const weak = await owner.requests.approveRequest(strict.request_id).catch((no: Body) => no)
  expect([weak.status, weak.error.code]).toEqual([403, 'assurance_too_low'])
  expect((await owner.requests.denyRequest(strict.request_id, { reason: 'Not now.' })).data.reason).toBe('Not now.')

  const { data: story } = await owner.payments.getPayment(paid.data.payment_id)
  expect(story.events.map(({ type }: Body) => type)).toEqual([
    'payment.attempted',
    'payment.authorized',
    'payment.captured',
    'payment.refund_asked',
    'payment.refunded',
  ])
  const { data: proof } = await owner.payments.getPaymentProof(paid.data.payment_id)
  const key = site.deps.noteKey
  expect(proof.vkey).toBe(key.vkey)
  const log = { origin: `${key.name}/${wallet.wallet_id}`, keys: [key] }
  expect(verifyProof(proof.proof, leafHash(proof.event), log).size).toBeGreaterThan(story.events.length)
  expect(JSON.parse(proof.event)).toEqual(story.events.at(-1))
  expect(() => verifyProof(proof.proof, leafHash(proof.event.replace('10.00', '11.00')), log)).toThrow()

  const path = join(site.purse.folder, 'export.jsonl')
  writeFileSync(path, (await owner.journal.exportJournal({ format: 'text' })).data)
  const report = await verifyExport(path, key.vkey)
  expect(report).toMatchObject({ ok: true, problems: [] })
})
