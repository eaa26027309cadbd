import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { setAllowances } from '../../src/actions/owner/wallets.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Payment } from '../../src/core/types.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { webOf } from '../../src/web/web.ts'
import { journalProblems, problemsOf } from '../chain/audit.ts'
import { untilClosed } from '../chain/kill-scene.ts'
import { CONFIRMATIONS, withBlocks } from '../chain/kill-story.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { type ChainPurse, fundChainPurse, makeInstrument, openChainPurse, UNIT } from '../support/chain-purse.ts'
import { bundled, Child } from '../support/children.ts'
import { type HonestSeller, type Moments, openHonestSeller } from './kill-seller.ts'
import { alive, PAGES, type Page, type Place, PURCHASES, pageOf, story } from './kill-story.ts'
import type { Orders } from './kill-victim.ts'

/** Longer than whoever is about to sign is left to it; and longer than what was signed is good for. */
const SOON_SECONDS = 6
const LATER_SECONDS = 6 * 60
const RECOVER_WITHIN_MS = 60_000

/** When the next process comes: while what was signed is still good, or once it is over. */
export const MEANWHILE = ['soon', 'late'] as const
export type Meanwhile = (typeof MEANWHILE)[number]

export interface Death {
  /** What was told to the agent, by page: the payment, its status, and whether its resource was delivered. */
  readonly said: ReadonlyMap<string, readonly string[]>
  /** What the points were; known only of one that lived. */
  readonly points: readonly string[]
  readonly lived: boolean
}

/** A purse, and the seller that only it pays. */
export interface Home {
  readonly folder: string
  readonly seller: HonestSeller
  readonly place: Place
}

/** A chain, purses on it, their sellers, and buyers that die. */
export class Scene {
  readonly chain: Chain
  private readonly root = mkdtempSync(join(tmpdir(), 'bursar-kill-'))
  private readonly script: string
  private readonly web = webOf()
  private next: Child
  /** How far the buyers' clock was moved on. */
  private aheadMs = 0

  static async begin(): Promise<Scene> {
    const script = await bundled('test/buying/kill-victim.ts')
    return new Scene(script, await startChain())
  }

  private constructor(script: string, chain: Chain) {
    this.script = script
    this.chain = chain
    this.next = new Child(script, [])
  }

  async end(): Promise<void> {
    await this.next.stop('SIGKILL')
    await this.web.close()
    await this.chain.stop()
    for (const gone of [this.root, dirname(this.script)]) rmSync(gone, { recursive: true, force: true })
  }

  /** Moves the buyers' clock on to the chain's: every block takes a second at least, so that many come before their time. */
  private async synchronize(): Promise<void> {
    this.aheadMs = Math.max(this.aheadMs, (await this.chain.now()) * 1000 - Date.now())
  }

  async open(folder: string): Promise<ChainPurse> {
    await this.synchronize()
    const ahead = this.aheadMs
    return openChainPurse(folder, this.chain, {
      clock: { now: () => Date.now() + ahead },
      confirmations: CONFIRMATIONS,
      sessionId: 'a day',
      reads: (reads) => withBlocks(reads, this.chain),
      sellers: async () => ({ web: this.web, x402 }),
    })
  }

  /** A folder with a purse with an instrument, and a seller. */
  async newHome(): Promise<Home> {
    const { chain } = this
    const folder = mkdtempSync(join(this.root, 'purse-'))
    const seller = await openHonestSeller(chain, hangingUp())
    const purse = await this.open(folder)
    await fundChainPurse(purse, chain, 1000n * UNIT)
    await setAllowances(purse.bursar, purse.authority, purse.wallet.id, ['loopback'])
    const { instrument_id: instrument } = await makeInstrument(purse)
    await purse.close()
    const urls = Object.fromEntries(PAGES.map((page) => [page, seller.url(page, PURCHASES[page])]))
    return { folder, seller, place: { instrument, urls: urls as Place['urls'] } }
  }

  /** Has a process do this. The one after it is started already. */
  send({ folder, place, seller }: Home, job: Orders['job'], more: Partial<Orders> = {}): Child {
    const { network, token, url } = this.chain
    const orders = {
      ...{ folder, place, job, chain: { network, token, url }, aheadMs: this.aheadMs },
      ...{ killAt: 0, first: 0, atOnce: 1, shop: new URL(seller.url('', 0n)).origin },
      ...more,
    }
    const child = this.next
    child.process.stdin!.write(`${JSON.stringify(orders satisfies Orders)}\n`)
    this.next = new Child(this.script, [])
    return child
  }

  /** Has a process do this, which ends itself at that point; at 0, or where there is no such point, it lives. */
  async kill(home: Home, job: Orders['job'], killAt: number): Promise<Death> {
    return deathOf(this.send(home, job, { killAt }))
  }

  /** Kills a process while its seller has read what it is paid with for this page, or has taken it. */
  async killAtSeller(home: Home, at: 'read' | 'taken', page: Page, takes: boolean): Promise<Death> {
    const { moments } = home.seller
    const usual = moments[at]
    const child = this.send(home, 'story')
    moments[at] = async (asked, payment) => {
      if (asked !== page) return usual?.(asked, payment)
      moments[at] = usual
      await child.stop('SIGKILL')
      if (!takes) throw new Error('The seller hangs up.')
    }
    return deathOf(child)
  }

  async pass(home: Home, meanwhile: Meanwhile): Promise<void> {
    await home.seller.idle()
    const seconds = meanwhile === 'soon' ? SOON_SECONDS : LATER_SECONDS
    const behind = Math.ceil((Date.now() + this.aheadMs) / 1000) - (await this.chain.now())
    await this.chain.warp(seconds + Math.max(0, behind))
    this.aheadMs += seconds * 1000
    await this.chain.mine(3)
    await this.synchronize()
  }

  /** What was left behind, taken up by another process and brought to its end: by recovery, and by the same calls again. */
  async takeUp({ folder, seller, place }: Home, said: Death['said']): Promise<void> {
    const purse = await this.open(folder)
    try {
      expect(await journalProblems(purse)).toEqual([])
      await expectKept(purse, said)
      await this.recovered(purse)
      const before = await alive(purse)
      await story(purse, place, () => undefined)
      await this.settled(purse)
      const after = await alive(purse)
      for (const [page, payments] of before)
        expect([page, payments.length, after.get(page)?.map(({ id }) => id)]).toEqual([page, 1, [payments[0]!.id]])
      const paid = [...after].map(([page, payments]) => [page, payments.map(({ captured }) => captured)] as const)
      expect(new Map(paid)).toEqual(new Map(Object.entries(PURCHASES).map(([page, units]) => [page, [units]])))
      expect([await undelivered(purse), await unexplained(purse, seller)]).toEqual([[], []])
      expect(seller.taken()).toBe(PAGES.length)
    } finally {
      await purse.close()
      await seller.close()
    }
    rmSync(folder, { recursive: true })
  }

  /**
   * Recovers until what was over in time is settled. Once may not do: where blocks come in while it is looked at, a node
   * contradicts itself, and nothing is concluded.
   */
  async recovered(purse: ChainPurse): Promise<void> {
    const { store, clock } = purse.bursar
    const isOver = ({ validUntil }: { readonly validUntil: number }) => clock.now() >= validUntil
    for (const end = performance.now() + RECOVER_WITHIN_MS; performance.now() < end; ) {
      await recover(purse.bursar)
      if (!(await store.read.list('payments', { status: ['authorized', 'in_doubt'] })).some(isOver)) return
    }
  }

  /** Recovers until nothing waits any more, while blocks come; then nothing may be wrong. */
  async settled(purse: ChainPurse): Promise<void> {
    await untilClosed(purse, this.chain)
    expect(await problemsOf(purse, this.chain)).toEqual([])
  }
}

/** One page's seller takes the money and hangs up, another's hangs up before that, each once. */
function hangingUp(): Moments {
  const cut = new Set<Page>(['lost', 'broken'])
  const once = (page: Page) => (asked: string) => {
    if (asked === page && cut.delete(page)) throw new Error('The seller hangs up.')
  }
  return { read: once('broken'), taken: once('lost') }
}

async function deathOf(child: Child): Promise<Death> {
  await child.ended
  const { signalCode, exitCode } = child.process
  expect([signalCode, exitCode]).toEqual(signalCode ? ['SIGKILL', null] : [null, 0])
  const words = child.lines.map((line) => line.split(' '))
  const points = child.lines.find((line) => line.startsWith('points '))?.slice('points '.length) ?? '[]'
  return {
    said: new Map(words.map(([page = '', ...rest]) => [page, rest])),
    points: JSON.parse(points) as string[],
    lived: signalCode === null,
  }
}

/** What an agent was told is so. */
async function expectKept({ bursar }: ChainPurse, said: Death['said']): Promise<void> {
  for (const [page, [paymentId, status, delivered]] of said) {
    if (!(page in PURCHASES)) continue
    if (status === 'captured')
      expect((await bursar.store.read.one('payments', { id: paymentId! }))?.captured).toBe(PURCHASES[page as Page])
    if (delivered === 'true')
      expect((await bursar.store.read.one('purchases', { paymentId: paymentId! }))?.deliveredAt).not.toBe(null)
  }
}

/** What was paid, and not delivered as far as the books know. */
export async function undelivered(purse: ChainPurse): Promise<string[]> {
  const { read } = purse.bursar.store
  const ids: string[] = []
  for (const { id } of await read.list('payments', { status: 'captured' }))
    if ((await read.one('purchases', { paymentId: id }))!.deliveredAt === null) ids.push(id)
  return ids
}

/**
 * What came to the seller and pays, and is not what the books say was prepared for that page, byte for byte; and what was
 * signed for a page while an earlier signature for it could still be taken.
 */
export async function unexplained(purse: ChainPurse, seller: HonestSeller): Promise<string[]> {
  const { read } = purse.bursar.store
  const status = ['captured', 'authorized', 'in_doubt', 'voided'] as const
  const prepared: { page: string; header: string; status: Payment['status'] }[] = []
  const payments = (await read.list('payments', { status, protocol: 'x402' })) as readonly Payment[]
  for (const payment of payments) {
    const { header } = (await read.one('purchases', { paymentId: payment.id }))!
    if (header !== null) prepared.push({ page: await pageOf(purse, payment.id), header, status: payment.status })
  }
  const known = new Set(prepared.map(({ page, header }) => `${page} ${header}`))
  const strange = seller.seen().filter(({ page, header }) => !known.has(`${page} payment-signature: ${header}`))
  const live = prepared.filter(({ status }) => status !== 'voided').map(({ page }) => page)
  const twice = live.filter((page, at) => live.indexOf(page) !== at)
  return [...strange.map(({ page, nonce }) => `${page}: ${nonce} is not in the books`), ...twice]
}
