import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requestInstrument } from '../src/actions/agent/request-instrument.ts'
import { approve } from '../src/actions/owner/approve.ts'
import { fund } from '../src/actions/owner/fund.ts'
import { setLimit } from '../src/actions/owner/limit.ts'
import { setUp } from '../src/actions/owner/setup.ts'
import { question } from '../src/actions/question.ts'
import type { RequestView } from '../src/actions/wire.ts'
import { hostProof } from '../src/approvals/host.ts'
import type { Wish } from '../src/core/attempt.ts'
import { attempt } from '../src/core/attempt.ts'
import { digestOf } from '../src/core/canonical.ts'
import { merchantOf, payeeKey } from '../src/core/payee.ts'
import { SAME_PURCHASE_MS } from '../src/core/payment.ts'
import type { Bursar } from '../src/ports.ts'
import { cardRail } from '../src/rails/card/rail.ts'
import { sandboxIssuer } from '../src/rails/card/sandbox/sandbox.ts'
import { openSqlite } from '../src/store/sqlite/index.ts'
import { systemClock, systemIds } from '../src/system.ts'
import { journalKeyFile, makeKeyPair, signerOf } from '../src/vault/keys.ts'
import { noSellers } from '../test/support/sellers.ts'

/** As much as one amount can be: limits are looked at and never reached. */
export const PLENTY = '9000000000000.00'
export const SHOP = { name: 'Acme Software', merchant_category: '5734', country: 'US' }
/** Of a wallet's birth, each set anew with plenty. */
export const LIMITS = [
  ['wallet', 'payment', 'deny'],
  ['wallet', 'payment', 'ask'],
  ['session', 'session', 'deny'],
  ['wallet', 'day', 'deny'],
  ['payee', 'month', 'ask'],
] as const

const folders: string[] = []
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bursar-bench-'))
  folders.push(folder)
  return folder
}

export interface Purse {
  readonly path: string
  readonly bursar: Bursar
  readonly agentId: string
  readonly sessionId: string
  readonly instrumentId: string
  close(): Promise<void>
}

/** Where the files of a home are: as `bursar mcp` names them, so that one can be served from it. */
export function filesOf(folder: string) {
  return {
    database: join(folder, 'bursar.db'),
    journalKey: join(folder, 'journal.key'),
    cards: join(folder, 'sandbox-cards.db'),
  }
}

/** Opens what {@link makePurse} made in a folder, in this process or another. */
export async function openPurse(folder: string): Promise<Purse> {
  const { database, journalKey, cards } = filesOf(folder)
  const pair = journalKeyFile(journalKey)
  const publicKey = Buffer.from(pair.publicKey, 'base64')
  const store = openSqlite({ path: database, clock: systemClock, journalKey: { publicKey, sign: signerOf(pair) } })
  const { issuer, network, close } = await sandboxIssuer({ path: cards, clock: systemClock })
  const rails = { virtual_card: cardRail(issuer, network) }
  const bursar: Bursar = {
    store,
    rails,
    clock: systemClock,
    ids: systemIds,
    notify: { changed() {} },
    sellers: noSellers,
  }
  return {
    path: database,
    bursar,
    agentId: (await store.read.one('agents', { name: 'default' }))?.id ?? '',
    sessionId: systemIds.make('session'),
    instrumentId: (await store.read.list('instruments', {}, { limit: 1 }))[0]?.id ?? '',
    async close() {
      await store.close()
      close()
    },
  }
}

/** A purse with plenty of money and room under the usual five limits, and one card. */
export async function makePurse(folder: string): Promise<Purse> {
  const { bursar, ...opened } = await openPurse(folder)
  const owner = makeKeyPair()
  await setUp(bursar, { ownerName: 'owner', publicKey: owner.publicKey, version: 'bench' })
  const agentId = (await bursar.store.read.one('agents', { name: 'default' }))?.id ?? ''
  const wallet = await bursar.store.read.one('wallets', { name: 'sandbox' })
  if (!wallet) throw new Error('There is no wallet.')
  const authority = { ownerId: wallet.ownerId, channel: 'bench', sign: signerOf(owner) }
  for (const [scope, window, over] of LIMITS)
    await setLimit(bursar, authority, wallet.id, { scope, window, over, max_amount: PLENTY })
  await fund(bursar, authority, wallet.id, PLENTY)
  const caller = { agentId, sessionId: opened.sessionId, credentialId: null }
  const request = await requestInstrument(bursar, caller, {
    type: 'virtual_card',
    amount: PLENTY,
    currency: 'USD',
    expires_in: '30d',
    purpose: 'Measurements',
    constraints: { merchant_categories: ['software'] },
  })
  const proof = hostProof(wallet.ownerId, (await question(bursar, request.request_id)).digest, 'bench')
  const { instrument } = (await approve(bursar, request.request_id, proof, {})) as RequestView
  return { ...opened, bursar, agentId, instrumentId: instrument?.instrument_id ?? '' }
}

let purchases = 0

/** One decision, as `pay` makes it: allowed, held and durable when it resolves. Nothing is sent. */
export async function decide(purse: Purse): Promise<void> {
  const { bursar, agentId, sessionId, instrumentId } = purse
  const words = `Purchase ${process.pid}-${purchases++}`
  const purpose = bursar.ids.text(words)
  const payee = merchantOf(SHOP)
  const wish: Wish = {
    ...{ agentId, sessionId, instrumentId, payee },
    paymentId: bursar.ids.make('payment'),
    approvalId: bursar.ids.make('approval'),
    taskId: null,
    amount: '1.00',
    protocol: 'card',
    purposeRef: purpose.digest,
    fingerprint: digestOf({ instrumentId, amount: '1', payee, purpose: words }),
    idempotencyKey: null,
    fault: null,
    credentialId: null,
  }
  const { fingerprint, idempotencyKey, protocol } = wish
  const done = await bursar.store.update(
    {
      ...{ agentId, instrumentId },
      spender: {
        agentId,
        sessionId,
        payeeKey: payeeKey(payee),
        origin: null,
        category: payee.category ?? null,
        protocol,
      },
      same: { agentId, fingerprint, idempotencyKey, withinMs: SAME_PURCHASE_MS },
    },
    (snapshot) => ({ ...attempt(snapshot, wish), texts: [purpose] }),
  )
  if (done.kind !== 'authorized') throw new Error(`A measured payment was ${done.kind}.`)
}
