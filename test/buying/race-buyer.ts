// A process of its own that shares purses with others: bundled and started by the tests beside it.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FetchInput, fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { recover } from '../../src/actions/recover.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { webOf } from '../../src/web/web.ts'
import { type ChainPlace, type ChainPurse, openChainPurse } from '../support/chain-purse.ts'

export interface Job {
  readonly folder: string
  /** How far the clock is before the system's. */
  readonly aheadMs: number
  /** To recover once, or to buy. */
  readonly work: 'recover' | Buying
}

export interface Buying {
  readonly fetch: readonly FetchInput[]
  /** How many are under way at the same time. */
  readonly atOnce: number
  /** How often each is called at most: again until it is delivered or refused. */
  readonly calls: number
}

export interface Answer {
  /** Of the payment; `error`. */
  readonly status: string
  /** Why it was refused or thrown; null where it was not. */
  readonly code: string | null
  readonly paymentId: string | null
  /** Of the seller's answer; null without one. */
  readonly http: number | null
  readonly delivered: boolean
  readonly ms: number
}

const PAUSE_MS = 5

const [chain = ''] = process.argv.slice(2)
const web = webOf()
const purses = new Map<string, Promise<ChainPurse>>()

function opened({ folder, aheadMs }: Job): Promise<ChainPurse> {
  const clock = { now: () => Date.now() + aheadMs }
  const sellers = async () => ({ web, x402 })
  const name = `${folder} ${aheadMs}`
  const purse = purses.get(name) ?? openChainPurse(folder, JSON.parse(chain) as ChainPlace, { clock, sellers })
  purses.set(name, purse)
  return purse
}

async function answerTo({ bursar, caller }: ChainPurse, input: FetchInput): Promise<Answer> {
  const from = performance.now()
  const ms = (): number => performance.now() - from
  try {
    const { answer, payment, refusal } = await fetchWithPayment(bursar, caller, input)
    return {
      status: payment?.status ?? 'none',
      code: refusal?.code ?? payment?.refusal?.code ?? null,
      paymentId: payment?.payment_id ?? null,
      http: answer?.status ?? null,
      delivered: payment?.resource?.delivered ?? false,
      ms: ms(),
    }
  } catch (error) {
    const code = (error as { code?: string }).code ?? String(error)
    return { status: 'error', code, paymentId: null, http: null, delivered: false, ms: ms() }
  }
}

async function insist(purse: ChainPurse, input: FetchInput, calls: number): Promise<Answer> {
  const answer = await answerTo(purse, input)
  if (calls <= 1 || answer.delivered || answer.code !== null) return answer
  await sleep(PAUSE_MS)
  return insist(purse, input, calls - 1)
}

function reasonsOf(error: unknown): string[] {
  return error instanceof AggregateError ? error.errors.flatMap(reasonsOf) : [String(error)]
}

async function done(purse: ChainPurse, { work }: Job): Promise<Answer[] | string[]> {
  if (work === 'recover')
    return recover(purse.bursar).then(
      () => [],
      (error: unknown) => reasonsOf(error),
    )
  const answers: Answer[] = []
  const left = [...work.fetch]
  const worker = async () => {
    for (let input = left.shift(); input; input = left.shift()) answers.push(await insist(purse, input, work.calls))
  }
  await Promise.all(Array.from({ length: work.atOnce }, worker))
  return answers
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line) as Job
  process.stdout.write(`${JSON.stringify(await done(await opened(job), job))}\n`)
}
for (const purse of purses.values()) await (await purse).close()
await web.close()
