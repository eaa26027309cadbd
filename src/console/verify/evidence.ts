import { canonical } from '../../core/canonical.ts'
import { HASH_BYTES } from '../../core/merkle.ts'
import type { Text } from '../../core/types.ts'
import type { Evidence, Kept } from '../../core/verify/index.ts'

export interface Export extends Evidence {
  readonly vkey: string
}

/**
 * Takes in the lines of a journal export. The bytes that are hashed are the canonical JSON of each event, however its line was
 * written.
 */
export class ExportReader {
  private vkey = ''
  private readonly found = new Map<string, Kept[]>()
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

  /** Of an event that is archived the server has no more than its leaf. */
  private event({ event, archived, leaf: text }: Record<string, unknown>): void {
    const said = event ?? archived
    if (typeof said !== 'object' || said === null || typeof text !== 'string')
      throw new Error('This is not a journal export.')
    const { journal: named, type } = said as { journal?: unknown; type?: unknown }
    const journal = String(named)
    const leaf = Buffer.from(text, 'base64')
    if (!event && leaf.length !== HASH_BYTES) throw new Error('This is not a journal export.')
    const stored: Kept = event ? { body: canonical(event), leaf } : { body: null, type: String(type), leaf }
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
