import type { CallToolResult } from '@modelcontextprotocol/server'
import { answered, ask } from './ask.ts'
import type { Call } from './deps.ts'
import { roundOf } from './round.ts'
import type { ToolAnswer } from './tool.ts'

/** What a call does that a human may have to decide on. */
export interface Decision<View> {
  /** Does it, once: it is stored before anyone is asked. */
  begin(): Promise<View>
  /** The id of what was stored, if it now waits for a human. */
  waiting(view: View): string | null
  /** As it stands now, and carried on where an answer lets it. */
  read(id: string): View | Promise<View>
  answer(view: View, note: string): CallToolResult
}

/**
 * One call, whichever way its human is asked. A client of 2026-07-28 calls twice: the second time nothing is begun, the
 * subject is the one that the signed state names, whatever the arguments say now.
 */
export async function decided<View>(call: Call, { begin, waiting, read, answer }: Decision<View>): Promise<ToolAnswer> {
  const round = roundOf(call)
  if (round !== null) {
    const note = await answered(call, round, 'form')
    return answer(await read(round.subject), note)
  }
  const view = await begin()
  const id = waiting(view)
  if (id === null) return answer(view, '')
  const outcome = await ask(call, id, 'form')
  return 'round' in outcome ? outcome.round : answer(await read(id), outcome.note)
}
