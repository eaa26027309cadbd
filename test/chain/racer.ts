// A process of its own that shares a purse, a relayer and a chain with others: bundled and started by the tests beside it.
import { createInterface } from 'node:readline'
import { type PayInput, pay } from '../../src/actions/agent/pay.ts'
import { recover } from '../../src/actions/recover.ts'
import { type ChainPlace, type ChainPurse, openChainPurse } from '../support/chain-purse.ts'

/** Payments, several at the same time; or to recover once. */
export type Job = { readonly pay: readonly PayInput[]; readonly atOnce: number } | { readonly recover: true }

export interface Answer {
  readonly status: string
  readonly code: string | null
  readonly paymentId: string | null
  readonly replayed: boolean
  readonly ms: number
}

async function answerTo({ bursar, caller }: ChainPurse, input: PayInput): Promise<Answer> {
  const from = performance.now()
  const ms = (): number => performance.now() - from
  try {
    const { status, refusal, payment_id, replayed = false } = await pay(bursar, caller, input)
    return { status, code: refusal?.code ?? null, paymentId: payment_id, replayed, ms: ms() }
  } catch (error) {
    return { status: 'error', code: String(error), paymentId: null, replayed: false, ms: ms() }
  }
}

function reasonsOf(error: unknown): string[] {
  return error instanceof AggregateError ? error.errors.flatMap(reasonsOf) : [String(error)]
}

async function work(purse: ChainPurse, job: Job): Promise<Answer[] | string[]> {
  if ('recover' in job)
    return recover(purse.bursar).then(
      () => [],
      (error: unknown) => reasonsOf(error),
    )
  const answers: Answer[] = []
  const left = [...job.pay]
  const worker = async () => {
    for (let input = left.shift(); input; input = left.shift()) answers.push(await answerTo(purse, input))
  }
  await Promise.all(Array.from({ length: job.atOnce }, worker))
  return answers
}

async function main(): Promise<void> {
  const [folder = '', place = '', aheadMs = '0'] = process.argv.slice(2)
  const clock = { now: () => Date.now() + Number(aheadMs) }
  let purse: ChainPurse | undefined
  for await (const line of createInterface({ input: process.stdin })) {
    purse ??= await openChainPurse(folder, JSON.parse(place) as ChainPlace, { clock })
    process.stdout.write(`${JSON.stringify(await work(purse, JSON.parse(line) as Job))}\n`)
  }
  await purse?.close()
}

await main()
