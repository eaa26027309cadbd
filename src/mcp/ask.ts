import { randomUUID } from 'node:crypto'
import type { InputRequiredResult } from '@modelcontextprotocol/server'
import { inputRequired, inputResponse, SdkError, SdkErrorCode } from '@modelcontextprotocol/server'
import { question } from '../actions/question.ts'
import { decideUrl } from '../actions/views.ts'
import type { Question } from '../actions/wire.ts'
import { BursarError } from '../core/errors.ts'
import type { Unanswered } from '../core/event.ts'
import { millis } from '../core/time.ts'
import type { Call } from './deps.ts'
import { choiceOf, type FormAnswer, formParams, opensUrls, showsForms, termsText } from './form.ts'
import { withProgress } from './progress.ts'
import { type Asked, isFirstAnswer, mintState, type Round } from './round.ts'

/** What came of asking: the client must come back with an answer, or a remark for the agent (empty: nothing to add). */
export type Outcome = { readonly round: InputRequiredResult } | { readonly note: string }

/** `form` for a tool's call, `prompt` for a question inside a prompt; `url` where the user is sent to the console. */
export type Channel = 'form' | 'prompt' | 'url'

/** An agent that repeats a call must not wear its user down: a question is put this often, then it waits for the CLI. */
const ASKS_MAX = 3
const SUBJECTS_MAX = 10_000
const ANSWER = 'approval'

/**
 * Puts a stored question to the human over the best channel that the host offers and the wallet's policy accepts: a form where
 * `host` is enough; the address of the console, where there is one; else none, and the answer stays pending.
 */
export async function ask(call: Call, subjectId: string, channel: Channel): Promise<Outcome> {
  const asking = await question(call.deps.bursar, subjectId)
  if (!asking.waiting) return { note: '' }
  const way = await wayTo(call, asking)
  if (way === null) return { note: await unreachable(call, asking, channel) }
  if (channel !== 'prompt' && !mayAskAgain(subjectId)) return { note: 'Your user was asked before and did not answer.' }
  const { by, params } = way
  const over = by === 'url' ? by : channel
  await call.deps.desk.asked(subjectId, over)
  const asked: Asked = { by, subject: subjectId, digest: asking.digest, asked: performance.now() }
  if (call.era === 'legacy') return { note: await pushed(call, asking, { asked, params }, over) }
  const request = by === 'url' ? inputRequired.elicitUrl(params) : inputRequired.elicit(params)
  const inputRequests = { [ANSWER]: request }
  return { round: inputRequired({ inputRequests, requestState: await mintState(call, asked) }) }
}

type Way =
  | { readonly by: 'form'; readonly params: ReturnType<typeof formParams> }
  /** The page lets in only who signs in there: its address gives no power, so it may go through the host. */
  | { readonly by: 'url'; readonly params: { readonly url: string; readonly message: string } }

/** How this host's user can be asked: by a form where its answer would be enough, or by a page; null: not at all. */
export async function wayTo(call: Call, asking: Question): Promise<Way | null> {
  const { needs, subject_id } = asking
  if ((needs === 'host' || needs === 'none') && showsForms(call) && !(await isMinted(call)))
    return { by: 'form', params: formParams(asking) }
  const url = opensUrls(call) ? await decideUrl(call.deps.bursar, subject_id) : null
  return url === null ? null : { by: 'url', params: { url, message: termsText(asking) } }
}

/** Whether an agent made the credential, for another: no user of the owner's sits before that one. */
export async function isMinted({ deps: { bursar, caller } }: Call): Promise<boolean> {
  return caller.credentialId !== null && (await bursar.store.read.credentials(caller.credentialId)).length > 1
}

/** Takes the answer that a client of 2026-07-28 came back with. Sent again, it changes nothing. */
export async function answered(call: Call, round: Round, channel: Channel): Promise<string> {
  const response = inputResponse(call.ctx.mcpReq.inputResponses, ANSWER)
  if (response.kind !== 'elicit' || !isFirstAnswer(round)) return ''
  if (round.by === 'url') return visited(call, round, response)
  return withProgress(call, 'Applying the answer.', () => applied(call, round, response, channel))
}

async function unreachable(call: Call, { subject_id, needs }: Question, channel: Channel): Promise<string> {
  const known = (await call.deps.bursar.store.read.one('approvals', { subjectId: subject_id }))?.asked
  if (known !== 'no_channel') await call.deps.desk.unanswered(subject_id, channel, 'no_channel')
  return showsForms(call) ? `This amount needs an approval stronger than a form: ${needs}.` : ''
}

const asks = new Map<string, number>()

function mayAskAgain(subjectId: string): boolean {
  const before = asks.get(subjectId) ?? 0
  if (before >= ASKS_MAX) return false
  asks.set(subjectId, before + 1)
  const [oldest] = asks.keys()
  if (asks.size > SUBJECTS_MAX && oldest !== undefined) asks.delete(oldest)
  return true
}

interface Put {
  readonly asked: Asked
  readonly params: Way['params']
}

/** Asks over a connection of the 2025 era, and takes the answer. */
async function pushed(call: Call, asking: Question, { asked, params }: Put, channel: Channel): Promise<string> {
  const { desk, log } = call.deps
  const answer = await brought(call, asking, params)
  if (typeof answer !== 'string')
    return asked.by === 'url' ? visited(call, asked, answer) : applied(call, asked, answer, channel)
  log('debug', 'A host brought no answer.', { subject: asked.subject, outcome: answer })
  await desk.unanswered(asked.subject, channel, answer)
  return answer === 'timed_out' ? 'Your user did not answer in time.' : ''
}

/** What the host brings within the time that it gives a call, or why it brings nothing. */
async function brought(call: Call, asking: Question, params: Put['params']): Promise<FormAnswer | Unanswered> {
  const { ctx, timing, deps } = call
  const left = millis(asking.expires_at) - deps.bursar.clock.now()
  const timeout = Math.max(1, Math.min(timing.formWithinMs, left))
  const signal = AbortSignal.any([ctx.mcpReq.signal, call.closing])
  const whole = 'url' in params ? { mode: 'url' as const, elicitationId: randomUUID(), ...params } : params
  const request = { method: 'elicitation/create' as const, params: whole }
  try {
    const send = (): Promise<FormAnswer> => ctx.mcpReq.send(request, { timeout, signal })
    return await withProgress(call, 'Waiting for your answer to a question.', send)
  } catch (error) {
    return whyNot(error, signal)
  }
}

function whyNot(error: unknown, signal: AbortSignal): Unanswered {
  if (signal.aborted) return 'dismissed'
  if (!(error instanceof SdkError)) return 'declined_by_host'
  return error.code === SdkErrorCode.RequestTimeout ? 'timed_out' : 'dismissed'
}

/** What an answer does. Only an explicit choice decides; everything else leaves the question open for the CLI. */
async function applied(call: Call, asked: Asked, answer: FormAnswer, channel: Channel): Promise<string> {
  const { subject, digest } = asked
  const { desk } = call.deps
  const choice = answer.action === 'accept' ? choiceOf(answer.content) : null
  const unread = performance.now() - asked.asked < call.timing.readMs
  try {
    if (answer.action === 'cancel') return await open(call, asked, channel, 'dismissed')
    if (answer.action === 'decline' && !unread) await desk.deny(subject, channel, null)
    else if (choice === null) return await open(call, asked, channel, 'declined_by_host')
    else if (choice.approve) await desk.approve(subject, digest, channel, {})
    else await desk.deny(subject, channel, choice.reason)
    return ''
  } catch (error) {
    if (!(error instanceof BursarError)) throw error
    // Decided meanwhile, over another channel: what is stored is the answer.
    if (error.code === 'not_pending') return ''
    return `The answer did not count. ${error.code}: ${error.message} ${error.hint}`
  }
}

/** A visit is no answer: what the user decides there is stored by the console. Nor is none: the question stays open. */
async function visited(call: Call, asked: Asked, { action }: FormAnswer): Promise<string> {
  if (action === 'accept') return 'Your user was sent there.'
  const unread = performance.now() - asked.asked < call.timing.readMs
  return open(call, asked, 'url', action === 'decline' && unread ? 'declined_by_host' : 'dismissed')
}

const OPEN_NOTES = {
  dismissed: 'Your user closed the question without an answer.',
  declined_by_host: 'Your host answered by itself; no human did.',
} as const

async function open(
  call: Call,
  { subject }: Asked,
  channel: Channel,
  outcome: keyof typeof OPEN_NOTES,
): Promise<string> {
  await call.deps.desk.unanswered(subject, channel, outcome)
  return OPEN_NOTES[outcome]
}
