import { canonical } from '../../core/canonical.ts'
import type { Text } from '../../core/types.ts'
import type { Evidence } from '../../core/verify/index.ts'

export interface Export extends Evidence {
  readonly vkey: string
}

/**
 * Takes in the lines of a journal export. The bytes that are hashed are the canonical JSON of each event, however its line was
 * written.
 */
export class ExportReader {
  private vkey = ''
  private readonly found = new Map<string, { body: string; leaf: Buffer }[]>()
  private readonly all: Text[] = []
  private readonly heads: { journal: string; checkpoint: string }[] = []

  /** @throws Error for a line of another form */
  line(text: string): void {
    const value = JSON.parse(text) as Record<string, unknown>
    if (typeof value.vkey === 'string') this.vkey = value.vkey
    else if (value.text) this.all.push(strings(value.text, ['digest', 'salt', 'text']))
    else if (value.head) this.heads.push(strings(value.head, ['journal', 'checkpoint']))
    else this.event(value)
  }

  /** @throws Error unless there was a header */
  end(): Export {
    if (this.vkey === '') throw new Error('This is not a journal export.')
    return {
      vkey: this.vkey,
      heads: this.heads,
      journals: () => [...this.found.keys()],
      events: (journal) => this.found.get(journal) ?? [],
      texts: () => this.all,
    }
  }

  private event({ event, leaf }: Record<string, unknown>): void {
    if (typeof event !== 'object' || event === null || typeof leaf !== 'string')
      throw new Error('This is not a journal export.')
    const journal = String((event as { journal?: unknown }).journal)
    const stored = { body: canonical(event), leaf: Buffer.from(leaf, 'base64') }
    const events = this.found.get(journal)
    if (events) events.push(stored)
    else this.found.set(journal, [stored])
  }
}

function strings<Field extends string>(value: unknown, fields: readonly Field[]): Record<Field, string> {
  const found = value as Record<Field, string>
  if (fields.some((field) => typeof found[field] !== 'string')) throw new Error('This is not a journal export.')
  return found
}
