import pg from 'pg'
import { requestInstrument } from '../src/actions/agent/request-instrument.ts'
import { addAgent } from '../src/actions/owner/agents.ts'
import { approve } from '../src/actions/owner/approve.ts'
import { fund } from '../src/actions/owner/fund.ts'
import { setLimit } from '../src/actions/owner/limit.ts'
import { setUp } from '../src/actions/owner/setup.ts'
import { createWallet } from '../src/actions/owner/wallets.ts'
import { question } from '../src/actions/question.ts'
import type { RequestView } from '../src/actions/wire.ts'
import { hostProof } from '../src/approvals/host.ts'
import type { Wish } from '../src/core/attempt.ts'
import { attempt } from '../src/core/attempt.ts'
import { digestOf } from '../src/core/canonical.ts'
import { parseFrontier } from '../src/core/merkle.ts'
import { merchantOf, payeeKey } from '../src/core/payee.ts'
import { SAME_PURCHASE_MS } from '../src/core/payment.ts'
import type { Bursar, Store } from '../src/ports.ts'
import { cardRail } from '../src/rails/card/rail.ts'
import { sandboxIssuer } from '../src/rails/card/sandbox/sandbox.ts'
import { openPostgres } from '../src/store/postgres/index.ts'
import { Journals, journalNoteKey } from '../src/store/shared/journals.ts'
import { systemClock, systemIds } from '../src/system.ts'
import { journalKeyFile, makeKeyPair, signerOf } from '../src/vault/keys.ts'
import { noSellers } from '../test/support/sellers.ts'
import { unwalled } from './postgres-server.ts'
import { filesOf, LIMITS, PLENTY, SHOP } from './purse.ts'

/** Who pays, with what, out of which wallet. */
export interface Spot {
  readonly walletId: string
  readonly instrumentId: string
  readonly agentId: string
  readonly credentialId: string
  readonly sessionId: string
}

/** A database of many wallets that are alike: each with an agent, its credential, a card and limits that are never reached. */
export interface Purses {
  readonly url: string
  /** Has the key of the journals. */
  readonly folder: string
  readonly spots: readonly Spot[]
}

/** The tables that a wallet has rows in, each before those that point to it. */
const TABLES = [
  ...['agents', 'credentials', 'wallets', 'accounts', 'limits', 'requests', 'approvals', 'instruments'],
  ...['entries', 'events', 'texts', 'heads'],
]

/** The first characters of an id, which are those of the wallet's number in a copy. */
const IDS = '"(agt|crd|wal|lim|req|apr|inst|ses)_[0-9a-f]{8}-'

/** A store on the database, as a node has it. */
export async function openStore({ url, folder }: Pick<Purses, 'url' | 'folder'>): Promise<Store> {
  const pair = journalKeyFile(filesOf(folder).journalKey)
  const publicKey = Buffer.from(pair.publicKey, 'base64')
  return openPostgres({ url, clock: systemClock, journalKey: { publicKey, sign: signerOf(pair) } })
}

/** One wallet by way of the actions, and as many copies of its rows as are wanted. */
export async function makePurses(url: string, folder: string, wallets: number): Promise<Purses> {
  const store = await openStore({ url, folder })
  const first = await makeOne(store, folder)
  await store.close()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await unwalled(client, TABLES, () => copy(client, first, folder, wallets - 1))
  await client.end()
  const copies = Array.from({ length: wallets - 1 }, (_, i) => spotOf(first, i + 1))
  return { url, folder, spots: [first, ...copies] }
}

async function makeOne(store: Store, folder: string): Promise<Spot> {
  const { issuer, network, close } = await sandboxIssuer({ path: filesOf(folder).cards, clock: systemClock })
  const bursar: Bursar = {
    ...{ store, rails: { virtual_card: cardRail(issuer, network) }, clock: systemClock, ids: systemIds },
    ...{ notify: { changed() {} }, sellers: noSellers },
  }
  const owner = makeKeyPair()
  await setUp(bursar, { ownerName: 'owner', publicKey: owner.publicKey, version: 'bench' })
  const ownerId = (await store.read.one('wallets', { name: 'sandbox' }))?.ownerId ?? ''
  const authority = { ownerId, channel: 'bench', sign: signerOf(owner) }
  const { agent_id: agentId, credential_id: credentialId } = await addAgent(bursar, authority, 'first')
  const terms = { name: 'first', agentId, mode: 'sandbox', currency: 'USD', timeZone: 'Europe/Paris' }
  const { wallet_id: walletId } = await createWallet(bursar, authority, terms)
  for (const [scope, window, over] of LIMITS)
    await setLimit(bursar, authority, walletId, { scope, window, over, max_amount: PLENTY })
  await fund(bursar, authority, walletId, PLENTY)
  const caller = { agentId, sessionId: systemIds.make('session'), credentialId }
  const request = await requestInstrument(bursar, caller, {
    ...{ type: 'virtual_card', amount: PLENTY, currency: 'USD', expires_in: '30d', purpose: 'Measurements' },
    constraints: { merchant_categories: ['software'] },
  })
  const proof = hostProof(ownerId, (await question(bursar, request.request_id)).digest, 'bench')
  const { instrument } = (await approve(bursar, request.request_id, proof, {})) as RequestView
  const spot = { ...caller, walletId, instrumentId: instrument?.instrument_id ?? '' }
  await decideAt(store, spot)
  close()
  return spot
}

/**
 * Copies every row of the first wallet, under ids of its own. What is hashed stays as it was, and the heads are made anew
 * with the journals' key: the program goes on from there as if it had written all of it.
 */
async function copy(client: pg.Client, { walletId, agentId }: Spot, folder: string, copies: number): Promise<void> {
  const mine: Readonly<Record<string, string>> = {
    ...{ agents: `t.id = '${agentId}'`, credentials: `t.agent_id = '${agentId}'`, wallets: `t.id = '${walletId}'` },
    ...{ entries: `t.journal = '${walletId}'`, events: `t.journal = '${walletId}'` },
  }
  for (const table of TABLES.filter((name) => name !== 'texts' && name !== 'heads'))
    await client.query(
      `INSERT INTO bursar.${table} SELECT r.* FROM bursar.${table} t CROSS JOIN generate_series(1, $1::integer) copies (number),
         LATERAL jsonb_populate_record(t, regexp_replace(to_jsonb(t)::text, $2,
           '"\\1_' || lpad(to_hex(number), 8, '0') || '-', 'g')::jsonb || jsonb_strip_nulls(jsonb_build_object(
           'name', to_jsonb(t) ->> 'name' || number, 'key_hash', encode(sha256(convert_to((to_jsonb(t) ->> 'key_hash') || number, 'UTF8')), 'hex'),
           'body', to_jsonb(t) ->> 'body'))) r
       WHERE ${mine[table] ?? `t.wallet_id = '${walletId}'`}`,
      [copies, IDS],
    )
  const { rows } = await client.query('SELECT size, frontier FROM bursar.heads WHERE journal = $1', [walletId])
  await setHeads(
    client,
    folder,
    Array.from({ length: copies }, (_, i) => numbered(walletId, i + 1)),
    Number(rows[0].size),
    rows[0].frontier,
  )
}

/** Heads of journals as bursar itself would have left them. */
export async function setHeads(
  client: pg.Client,
  folder: string,
  journals: readonly string[],
  size: number,
  frontier: Buffer,
): Promise<void> {
  const pair = journalKeyFile(filesOf(folder).journalKey)
  const signer = { key: journalNoteKey(Buffer.from(pair.publicKey, 'base64')), sign: signerOf(pair) }
  const maker = new Journals(signer)
  for (const journal of journals) {
    const head = maker.seal(journal, parseFrontier(size, frontier))
    await client.query(
      `INSERT INTO bursar.heads VALUES ($1, $2, $3, $4, $5) ON CONFLICT (journal) DO UPDATE
       SET size = excluded.size, frontier = excluded.frontier, checkpoint = excluded.checkpoint, mac = excluded.mac`,
      [journal, size, head.frontier, head.checkpoint, head.mac],
    )
  }
}

function spotOf(first: Spot, n: number): Spot {
  const { walletId, instrumentId, agentId, credentialId, sessionId } = first
  return {
    walletId: numbered(walletId, n),
    instrumentId: numbered(instrumentId, n),
    agentId: numbered(agentId, n),
    credentialId: numbered(credentialId, n),
    sessionId: numbered(sessionId, n),
  }
}

/** The id that a copy has in place of this one. */
function numbered(id: string, n: number): string {
  return id.replace(/_[0-9a-f]{8}-/, `_${n.toString(16).padStart(8, '0')}-`)
}

let purchases = 0

/** One decision, as `pay` makes it: allowed, held and durable when it resolves. Nothing is sent. */
export async function decideAt(store: Store, spot: Spot): Promise<void> {
  const { walletId, ...caller } = spot
  const { agentId, sessionId, instrumentId, credentialId } = caller
  const words = `Purchase ${process.pid}-${purchases++}`
  const purpose = systemIds.text(words)
  const payee = merchantOf(SHOP)
  const wish: Wish = {
    ...{ ...caller, payee, taskId: null, amount: '1.00', protocol: 'card', idempotencyKey: null, fault: null },
    ...{ paymentId: systemIds.make('payment'), approvalId: systemIds.make('approval'), purposeRef: purpose.digest },
    fingerprint: digestOf({ instrumentId, amount: '1', payee, purpose: words }),
  }
  const { fingerprint, idempotencyKey, protocol } = wish
  const payeeIs = payeeKey(payee)
  const done = await store.update(
    {
      ...{ agentId, credentialId, instrumentId },
      spender: { agentId, sessionId, payeeKey: payeeIs, origin: null, category: payee.category ?? null, protocol },
      same: { agentId, fingerprint, idempotencyKey, withinMs: SAME_PURCHASE_MS },
      asking: { agentId, walletId, payeeKey: payeeIs, amount: 100n },
    },
    (snapshot) => ({ ...attempt(snapshot, wish), texts: [purpose] }),
  )
  if (done.kind !== 'authorized') throw new Error(`A measured payment was ${done.kind}.`)
}
