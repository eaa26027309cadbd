import type { NoteKey } from '../../core/note.ts'
import type { Problem, Report } from '../../core/verify/index.ts'
import { verify } from '../../core/verify/index.ts'
import type { Books } from './side.ts'

/** How JSON spells what PostgreSQL keeps in no text: U+0000, and half of a surrogate pair. */
const UNKEPT = /(?<!\\)(?:\\\\)*\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})/

/**
 * Verifies all of one side: its journals, checkpoints and approvals, its tables against what the journals rebuild, and the
 * checks of the database itself.
 *
 * @param kept checkpoints that what is here must still hold
 */
export async function verifyBooks({ read }: Books, key: NoteKey, kept: readonly string[] = []): Promise<Report> {
  const evidence = {
    heads: await read.heads(),
    journals: () => read.journals(),
    events: (journal: string) => read.events(journal),
    texts: () => read.texts(),
    tables: read,
  }
  const report = await verify(evidence, key, kept)
  const altered = (await read.altered()).map((why): Problem => ({ journal: 'schema', seq: null, why }))
  return { ...report, ok: report.ok && altered.length === 0, problems: [...report.problems, ...altered] }
}

/** Why PostgreSQL could not keep a purse as it is; null where it can. */
export async function whyUnkept({ read }: Books): Promise<string | null> {
  const unkept = (where: string) => `PostgreSQL cannot keep a text of this purse as it is: ${where}.`
  for (const journal of await read.journals())
    for await (const { seq, body } of read.events(journal))
      if (body !== null && UNKEPT.test(body)) return unkept(`${journal}, event ${seq}`)
  for await (const { digest, text } of read.texts()) if (text.includes('\0')) return unkept(`the text under ${digest}`)
  return null
}
