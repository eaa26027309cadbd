import type { ClientCapabilities, ElicitRequestFormParams } from '@modelcontextprotocol/server'
import { CLIENT_CAPABILITIES_META_KEY } from '@modelcontextprotocol/server'
import * as z from 'zod'
import type { Question } from '../actions/wire.ts'
import { kindOf } from '../core/ids.ts'
import { plain } from '../core/text.ts'
import type { Call } from './deps.ts'

const REASON_MAX = 200
/** Above all that a fact can be: what a human approves is shown whole. */
const FACT_MAX = 4_000
const WORDS_MAX = 500

const REQUESTED: ElicitRequestFormParams['requestedSchema'] = {
  type: 'object',
  properties: {
    decision: {
      type: 'string',
      title: 'Decision',
      description: 'approve: exactly what is stated above. deny: nothing is allowed.',
      enum: ['approve', 'deny'],
    },
    reason: {
      type: 'string',
      title: 'Reason (optional)',
      description: 'Kept in the journal.',
      maxLength: REASON_MAX,
    },
  },
  required: ['decision'],
}

const CONTENT = z.object({
  decision: z.enum(['approve', 'deny']),
  reason: z.string().max(REASON_MAX).nullish(),
})

/** What a host brings back from a form. */
export interface FormAnswer {
  readonly action: 'accept' | 'decline' | 'cancel'
  readonly content?: unknown
}

/** What the form asks of the host; `mode` is left to its default, which 2025-06-18 has no word for. */
export function formParams(question: Question): Omit<ElicitRequestFormParams, 'mode'> {
  return { message: termsText(question), requestedSchema: REQUESTED }
}

/** The human's choice, or null when the content is not what the form asked for: hosts and hooks send all sorts. */
export function choiceOf(content: unknown): { approve: boolean; reason: string | null } | null {
  const result = CONTENT.safeParse(content)
  if (!result.success) return null
  return { approve: result.data.decision === 'approve', reason: plain(result.data.reason ?? '', REASON_MAX) || null }
}

/**
 * The question as a human reads it: first the facts from the store, then, quoted and marked as the agent's, its own
 * words. Each is one line, so that no value can pass for another fact.
 */
export function termsText(question: Question): string {
  const what = kindOf(question.subject_id) === 'payment' ? 'make a payment' : 'get an instrument to pay with'
  return [
    `An AI agent asks to ${what}. These are the terms as bursar holds them (${question.subject_id}):`,
    '',
    ...question.facts.map(([label, value]) => `${label}: ${plain(value, FACT_MAX)}`),
    `Answer by: ${question.expires_at}. No answer means no.`,
    '',
    `The agent's own claim, which bursar cannot check: ${quoted(question.words, WORDS_MAX)}`,
  ].join('\n')
}

/** Somebody else's words, as data between quotation marks. */
export function quoted(text: string, max: number): string {
  return JSON.stringify(plain(text, max))
}

/** Whether the host can show a form: it says so by `elicitation: {}` or `elicitation: {form: …}`. */
export function showsForms(call: Call): boolean {
  const elicitation = capabilities(call)?.elicitation
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined)
}

/** Whether the host can send its user to an address: it says so by `elicitation: {url: …}`. */
export function opensUrls(call: Call): boolean {
  return capabilities(call)?.elicitation?.url !== undefined
}

function capabilities({ era, ctx, mcp }: Call): ClientCapabilities | undefined {
  if (era === 'legacy') return mcp.server.getClientCapabilities()
  return (ctx.mcpReq.envelope as Record<string, ClientCapabilities> | undefined)?.[CLIENT_CAPABILITIES_META_KEY]
}
