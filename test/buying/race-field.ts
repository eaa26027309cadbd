import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import type { FetchInput } from '../../src/actions/agent/fetch-with-payment.ts'
import type { RequestInput } from '../../src/actions/agent/request-instrument.ts'
import { setAllowances } from '../../src/actions/owner/wallets.ts'
import { problemsOf } from '../chain/audit.ts'
import { untilClosed } from '../chain/kill-scene.ts'
import { type Chain, type ChainOptions, startChain } from '../support/chain.ts'
import { type ChainPurse, fundChainPurse, makeInstrument, openChainPurse } from '../support/chain-purse.ts'
import { bundled, Child } from '../support/children.ts'
import { type HonestSeller, openHonestSeller } from './kill-seller.ts'
import type { Answer, Job } from './race-buyer.ts'

const DAY_MS = 86_400_000
const MARGIN_MS = 600_000

/** A purse that all processes share, the seller that only it pays, and how far its clock is before the system's. */
export interface Stake {
  readonly folder: string
  readonly purse: ChainPurse
  readonly seller: HonestSeller
  readonly aheadMs: number
  readonly instrument: string
}

export interface StakeOptions {
  /** Units. */
  readonly funds: bigint
  readonly terms?: Partial<RequestInput>
}

/** A chain, and processes that buy. */
export class Field {
  readonly chain: Chain
  private readonly root = mkdtempSync(join(tmpdir(), 'bursar-race-'))
  private readonly script: string
  private readonly buyers: readonly Child[]
  private readonly recoverer: Child
  private readonly stakes: Stake[] = []

  static async begin(processes: number, options: ChainOptions = {}): Promise<Field> {
    const script = await bundled('test/buying/race-buyer.ts')
    return new Field(script, await startChain(options), processes)
  }

  private constructor(script: string, chain: Chain, processes: number) {
    const { network, token, url } = chain
    const start = () => new Child(script, [JSON.stringify({ network, token, url })])
    this.script = script
    this.chain = chain
    this.buyers = Array.from({ length: processes }, start)
    this.recoverer = start()
  }

  async end(): Promise<void> {
    await Promise.all([...this.buyers, this.recoverer].map((child) => child.stop()))
    for (const { purse, seller } of this.stakes) {
      await purse.close()
      await seller.close()
    }
    await this.chain.stop()
    for (const gone of [this.root, dirname(this.script)]) rmSync(gone, { recursive: true, force: true })
  }

  /** Every process has opened it. */
  async newStake({ funds, terms }: StakeOptions): Promise<Stake> {
    const { chain } = this
    // No race meets midnight: shortly before it, it is the next day already. And no clock is behind the chain's.
    const midnightMs = DAY_MS - (Date.now() % DAY_MS) < MARGIN_MS ? 2 * MARGIN_MS : 0
    const aheadMs = Math.max(midnightMs, (await chain.now()) * 1000 - Date.now())
    const folder = mkdtempSync(join(this.root, 'purse-'))
    const purse = await openChainPurse(folder, chain, { clock: { now: () => Date.now() + aheadMs } })
    await fundChainPurse(purse, chain, funds)
    await setAllowances(purse.bursar, purse.authority, purse.wallet.id, ['loopback'])
    const { instrument_id: instrument } = await makeInstrument(purse, terms)
    const stake = { folder, purse, aheadMs, instrument, seller: await openHonestSeller(chain) }
    this.stakes.push(stake)
    await Promise.all([...this.buyers, this.recoverer].map((child) => this.ask(child, stake, 'recover')))
    return stake
  }

  /** All processes begin at once, while another one recovers again and again. */
  async race(
    stake: Stake,
    inputs: (process: number) => readonly FetchInput[],
    atOnce: number,
    calls = 1,
  ): Promise<Answer[]> {
    let isOver = false
    const recovering = (async () => {
      const failures: string[] = []
      while (!isOver) failures.push(...(await this.ask<string[]>(this.recoverer, stake, 'recover')))
      return failures
    })()
    const answers = await Promise.all(
      this.buyers.map((child, n) => this.ask<Answer[]>(child, stake, { fetch: inputs(n), atOnce, calls })),
    )
    isOver = true
    expect(await recovering).toEqual([])
    return answers.flat()
  }

  /** Recovers until nothing waits any more, while blocks come; then nothing may be wrong. */
  async settled({ purse, seller }: Stake): Promise<void> {
    await seller.idle()
    await untilClosed(purse, this.chain)
    expect(await problemsOf(purse, this.chain)).toEqual([])
  }

  private ask<T>(child: Child, { folder, aheadMs }: Stake, work: Job['work']): Promise<T> {
    return child.ask<T>({ folder, aheadMs, work } satisfies Job)
  }
}

export function count(answers: readonly Answer[], what: string): number {
  return answers.filter(({ status, code }) => (code ?? status) === what).length
}
