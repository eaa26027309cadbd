// A node in a process of its own: bundled and started by the tests beside it, which send it jobs.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PayInput, pay } from '../../src/actions/agent/pay.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { revokeCredential } from '../../src/actions/owner/credentials.ts'
import { freezeAll, freezeInstrument, freezeWallet, revokeInstrument } from '../../src/actions/owner/freeze.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Caller, PaymentView } from '../../src/actions/wire.ts'
import { BursarError } from '../../src/core/errors.ts'
import { type Node, openNode } from './node-open.ts'

export type Call =
  | { readonly call: 'pay'; readonly input: PayInput; readonly by?: Partial<Caller> }
  | { readonly call: 'ask'; readonly input: object; readonly by?: Partial<Caller> }
  | { readonly call: 'look'; readonly walletId: string; readonly id: string }
  | { readonly call: 'freeze' | 'revoke' | 'freeze wallet' | 'revoke credential'; readonly id: string }
  | { readonly call: 'freeze all' | 'recover' }

export interface Answer {
  readonly call: Call['call']
  /** The machine's clock that never goes back, in milliseconds, the same for all processes. */
  readonly from: number
  readonly to: number
  readonly status: string
  readonly code: string | null
  readonly id: string | null
  readonly replayed: boolean
  /** What the instrument has left, as the answer says; in the wallet's currency. */
  readonly left: string | null
  /** What the wallet may spend, where that was looked at. */
  readonly available: string | null
}

export type Job =
  | { readonly kind: 'calls'; readonly calls: readonly Call[]; readonly atOnce: number; readonly at?: number }
  /** Buys with these keys, one after the other per buyer, until told to stop. Each purchase until it has an answer. */
  | { readonly kind: 'buy'; readonly node: string; readonly cards: readonly string[]; readonly pauseMs: number }
  | { readonly kind: 'stop' }
  /** Brings the books up to date as `bursar serve` does, whenever this node has the duty; says each time what it found. */
  | { readonly kind: 'duty'; readonly everyMs: number }

/** One purchase of a job that goes on. */
export interface Bought {
  readonly key: string
  readonly id: string
  readonly status: string
  /** What was answered on the way: codes of errors, and states that were no end. */
  readonly met: readonly string[]
  readonly from: number
  readonly to: number
}

/** One turn of bringing the books up to date; not done where another node has the duty. */
export interface Duty {
  readonly held: boolean
  readonly error: string | null
  readonly at: number
}

const AGAIN_MS = 20

const now = (): number => Number(process.hrtime.bigint()) / 1e6

async function run(node: Node, call: Call): Promise<unknown> {
  const { bursar, authority, agentId } = node
  const caller = { agentId, sessionId: 'nodes', credentialId: null }
  switch (call.call) {
    case 'pay':
      return pay(bursar, { ...caller, ...call.by }, call.input)
    case 'ask':
      return requestInstrument(bursar, { ...caller, ...call.by }, call.input as never)
    case 'look': {
      const account = await bursar.store.read.one('accounts', { walletId: call.walletId })
      return { status: 'seen', available: String(account?.available) }
    }
    case 'freeze':
      return freezeInstrument(bursar, authority, call.id)
    case 'revoke':
      return revokeInstrument(bursar, authority, call.id)
    case 'freeze wallet':
      return freezeWallet(bursar, authority, call.id)
    case 'revoke credential':
      return revokeCredential(bursar, authority, call.id)
    case 'freeze all':
      return freezeAll(bursar, authority)
    case 'recover':
      return recover(bursar)
  }
}

type Seen = Partial<PaymentView> & { readonly request_id?: string; readonly available?: string }

async function seenOf(node: Node, call: Call): Promise<Seen | null> {
  const failed = (error: unknown) => ({ status: 'error', refusal: { code: codeOf(error) } })
  return (await run(node, call).catch(failed)) as Seen | null
}

async function answerTo(node: Node, call: Call): Promise<Answer> {
  const from = now()
  let seen = await seenOf(node, call)
  // Nothing was changed: on a slow machine it is asked for again.
  while (seen?.refusal?.code === 'busy') seen = await seenOf(node, call)
  return {
    ...{ call: call.call, from, to: now() },
    ...{ status: seen?.status ?? 'done', code: seen?.refusal?.code ?? null, replayed: seen?.replayed ?? false },
    ...{ id: seen?.payment_id ?? seen?.request_id ?? null, left: seen?.instrument?.remaining_amount ?? null },
    available: seen?.available ?? null,
  }
}

/** What is no error of bursar's own must not be seen by anybody. */
function codeOf(error: unknown): string {
  return error instanceof BursarError ? error.code : `not a BursarError: ${error}`
}

async function work(node: Node, { calls, atOnce, at }: Extract<Job, { kind: 'calls' }>): Promise<Answer[]> {
  // All processes begin at the same moment.
  if (at !== undefined) await sleep(Math.max(0, at - now()))
  const answers: Answer[] = []
  const left = [...calls]
  const worker = async () => {
    for (let call = left.shift(); call; call = left.shift()) answers.push(await answerTo(node, call))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return answers
}

let stopped = false

async function buyOn(node: Node, { node: name, cards, pauseMs }: Extract<Job, { kind: 'buy' }>): Promise<void> {
  stopped = false
  const buyer = async (card: string, n: number) => {
    for (let i = 0; !stopped; i++) {
      say(await buy(node, card, `${name}-${n}-${i}`))
      await sleep(pauseMs)
    }
  }
  await Promise.all(cards.map(buyer))
}

/** Asks with one key until there is an end. */
async function buy(node: Node, instrument_id: string, key: string): Promise<Bought> {
  const input = { instrument_id, amount: '0.10', payee: { name: 'Shop' }, purpose: key, idempotency_key: key }
  const met: string[] = []
  const from = now()
  const caller = { agentId: node.agentId, sessionId: key, credentialId: null }
  for (;;) {
    try {
      const { payment_id: id, status } = await pay(node.bursar, caller, input)
      if (status === 'captured' || status === 'refused') return { key, id, status, met, from, to: now() }
      met.push(status)
    } catch (error) {
      met.push(codeOf(error))
    }
    // Its answer was asked for again when it was told to end, and there is still none.
    if (stopped && met.length > TRIES_AFTER) return { key, id: '', status: 'given up', met, from, to: now() }
    await sleep(AGAIN_MS)
  }
}

const TRIES_AFTER = 2_000

async function dutyOn({ bursar }: Node, everyMs: number): Promise<void> {
  const lead = bursar.store.nodes.lead('recovery')
  stopped = false
  while (!stopped) {
    const held = lead.isHeld()
    const error = held ? await recover(bursar).then(() => null, String) : null
    say({ held, error, at: now() } satisfies Duty)
    await sleep(everyMs)
  }
  await lead.release()
}

const say = (what: unknown): void => void process.stdout.write(`${JSON.stringify(what)}\n`)

async function main(): Promise<void> {
  const [folder = '', url = '', options = '{}'] = process.argv.slice(2)
  const node = await openNode(folder, url, JSON.parse(options))
  say('ready')
  const going: Promise<void>[] = []
  for await (const line of createInterface({ input: process.stdin })) {
    const job = JSON.parse(line) as Job
    if (job.kind === 'calls') say(await work(node, job))
    else if (job.kind === 'buy') going.push(buyOn(node, job))
    else if (job.kind === 'duty') going.push(dutyOn(node, job.everyMs))
    else {
      stopped = true
      await Promise.all(going.splice(0))
      say('stopped')
    }
  }
  stopped = true
  await Promise.all(going)
  await node.close()
  // As bursar does: what a network that is gone keeps open keeps no process.
  process.exit()
}

await main()
