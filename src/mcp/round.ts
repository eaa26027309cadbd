import { randomBytes, randomUUID } from 'node:crypto'
import { createRequestStateCodec } from '@modelcontextprotocol/server'
import type { Call } from './deps.ts'

/** What bursar must know again when a client of 2026-07-28 comes back with a human's answer. */
export interface Round {
  readonly id: string
  /** The tool or prompt that asked; its state is good for no other. */
  readonly name: string
  readonly agent: string
  readonly subject: string
  /** How it was asked: what a form brings back is an answer, what a visit of the console brings back is none. */
  readonly by: 'form' | 'url'
  /** Of the terms that are shown: what the answer is bound to. */
  readonly digest: string
  /** By this process's monotonic clock, milliseconds. */
  readonly asked: number
}

/** As long as the longest question stays open. Whether it still is, the store says. */
const TTL_SECONDS = 24 * 60 * 60

// The key lives and dies with the process: a state from another run, or changed on its way, is refused.
const codec = createRequestStateCodec<Round>({
  key: randomBytes(32),
  ttlSeconds: TTL_SECONDS,
  // Over HTTP, where many agents come to one process, it is good for one credential only.
  bind: ({ mcpReq, http }) => `${mcpReq.method}\0${http?.authInfo?.clientId ?? ''}`,
})

/** For `ServerOptions.requestState`: a state that was not made here is answered with -32602 before any handler runs. */
export const verifyState = codec.verify

export type Asked = Pick<Round, 'by' | 'subject' | 'digest' | 'asked'>

/** Signs what the client must bring back. */
export function mintState(call: Call, asked: Asked): Promise<string> {
  const round: Round = { ...asked, id: randomUUID(), name: call.name, agent: call.deps.caller.agentId }
  return codec.mint(round, call.ctx)
}

/** The round that this call comes back from, or null for a call that begins something. */
export function roundOf(call: Call): Round | null {
  const round = call.ctx.mcpReq.requestState<Round>()
  if (round === undefined || round.name !== call.name || round.agent !== call.deps.caller.agentId) return null
  return round
}

const ROUNDS_MAX = 10_000
const used = new Set<string>()

/** Whether this is the first answer that a round brings. A client may send it again; it counts once. */
export function isFirstAnswer(round: Round): boolean {
  if (used.has(round.id)) return false
  used.add(round.id)
  const [oldest] = used
  if (used.size > ROUNDS_MAX && oldest !== undefined) used.delete(oldest)
  return true
}
