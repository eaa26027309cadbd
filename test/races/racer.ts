// A process of its own that shares a purse with others: bundled and started by the tests beside it.
import { createInterface } from 'node:readline'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { type PayInput, pay } from '../../src/actions/agent/pay.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { freezeInstrument, unfreezeInstrument } from '../../src/actions/owner/freeze.ts'
import { refund } from '../../src/actions/owner/refund.ts'
import { question } from '../../src/actions/question.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Caller } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { type Disk, openDisk } from '../support/disk.ts'

/** An agent by one of its credentials; otherwise it is the one that needs none. */
export type Who = Pick<Caller, 'agentId' | 'credentialId'>

export type Call =
  | { readonly call: 'pay'; readonly input: PayInput; readonly sessionId: string; readonly by?: Who }
  | { readonly call: 'approve' | 'cancel' | 'freeze' | 'unfreeze'; readonly id: string }
  | { readonly call: 'refund'; readonly id: string; readonly amount: string }
  | { readonly call: 'recover' }

export interface Answer {
  readonly call: Call['call']
  readonly ms: number
  readonly status: string
  readonly code: string | null
  readonly paymentId: string | null
  readonly replayed: boolean
}

export interface Job {
  readonly calls: readonly Call[]
  /** How many calls are under way at the same time. */
  readonly atOnce: number
}

async function run(disk: Disk, call: Call): Promise<unknown> {
  const { bursar, authority, agentId } = disk
  switch (call.call) {
    case 'pay':
      return pay(bursar, { agentId, credentialId: null, ...call.by, sessionId: call.sessionId }, call.input)
    case 'approve':
      return approve(
        bursar,
        call.id,
        hostProof(authority.ownerId, (await question(bursar, call.id)).digest, 'race'),
        {},
      )
    case 'cancel':
      return cancel(bursar, { agentId, sessionId: 'any', credentialId: null }, call.id)
    case 'freeze':
      return freezeInstrument(bursar, authority, call.id)
    case 'unfreeze':
      return unfreezeInstrument(bursar, authority, call.id)
    case 'refund':
      return refund(bursar, authority, call.id, call.amount)
    case 'recover':
      return recover(bursar)
  }
}

async function answerTo(disk: Disk, call: Call): Promise<Answer> {
  const from = performance.now()
  const seen = (await run(disk, call).catch((error: { code?: string }) => ({
    status: 'error',
    refusal: { code: error.code ?? String(error) },
  }))) as {
    status?: string
    refusal?: { code: string }
    payment_id?: string
    replayed?: boolean
  } | null
  const { status = 'done', refusal, payment_id = null, replayed = false } = seen ?? {}
  return {
    call: call.call,
    ms: performance.now() - from,
    status,
    code: refusal?.code ?? null,
    paymentId: payment_id,
    replayed,
  }
}

async function work(disk: Disk, { calls, atOnce }: Job): Promise<Answer[]> {
  const answers: Answer[] = []
  const left = [...calls]
  const worker = async () => {
    for (let call = left.shift(); call; call = left.shift()) answers.push(await answerTo(disk, call))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return answers
}

async function main(): Promise<void> {
  const [folder = ''] = process.argv.slice(2)
  let disk: Disk | undefined
  for await (const line of createInterface({ input: process.stdin })) {
    disk ??= await openDisk(folder)
    const job = JSON.parse(line) as Job | null
    process.stdout.write(`${JSON.stringify(job ? await work(disk, job) : disk.created)}\n`)
  }
  await disk?.close()
}

await main()
