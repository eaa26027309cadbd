import type { Readable, Writable } from 'node:stream'
import { isCancel, select } from '@clack/prompts'
import type { ElicitRequestFormParams, ElicitResult } from '@modelcontextprotocol/client'
import type { Stage } from './stage.ts'

/** Brings a question of a server before a human, as a host does on form elicitation. */
export type Human = (form: ElicitRequestFormParams) => Promise<ElicitResult>

/** The human at the terminal: shown the message as it came, and asked for every choice that has to be made. */
export function humanAt(stage: Stage, input: Readable, output: Writable): Human {
  return async (form) => {
    stage.quote(form.message.split('\n'))
    const content: Record<string, string> = {}
    for (const { name, title, values } of choicesOf(form)) {
      const options = values.map((value) => ({ value, label: value }))
      const chosen = await select({ message: title, options, input, output })
      if (isCancel(chosen)) return { action: 'cancel' }
      content[name] = chosen
    }
    return { action: 'accept', content }
  }
}

/** Stands in where nobody is at a terminal, and says so: takes the first value of every choice, which is to approve. */
export function standIn(stage: Stage): Human {
  return async (form) => {
    stage.quote(form.message.split('\n'))
    const content = Object.fromEntries(choicesOf(form).map(({ name, values }) => [name, values[0] ?? '']))
    const said = Object.values(content).join(', ')
    stage.note(`There is no terminal here, so the demonstration answers in your place: ${said}.`)
    return { action: 'accept', content }
  }
}

interface Choice {
  readonly name: string
  readonly title: string
  readonly values: readonly string[]
}

/** What has to be chosen. What may be left empty is not asked for. */
function choicesOf({ requestedSchema }: ElicitRequestFormParams): Choice[] {
  const { properties, required = [] } = requestedSchema
  return required.flatMap((name) => {
    const field = properties[name]
    return field && 'enum' in field && field.enum ? [{ name, title: field.title ?? name, values: field.enum }] : []
  })
}
