import mcc from 'mcc'
import { BursarError } from './errors.ts'

/** Everyday names whose words the published descriptions do not use; each is looked up there by these words. */
const EVERYDAY: Readonly<Record<string, readonly string[]>> = {
  software: ['software', 'computer programming', 'applications (excludes games)'],
  cloud: ['computer network services', 'computer programming'],
  saas: ['software', 'computer programming', 'applications (excludes games)'],
  groceries: ['grocery'],
  restaurants: ['restaurants', 'fast food'],
  travel: ['travel agencies', 'airlines', 'railways', 'lodging'],
  gambling: ['gambling', 'betting', 'casino'],
}

interface Category {
  readonly code: string
  readonly name: string
  readonly words: string
}

const table: readonly Category[] = mcc.all.map((row) => ({
  code: row.mcc,
  name: row.edited_description,
  words: [row.edited_description, row.combined_description, row.usda_description, row.irs_description]
    .join('\n')
    .toLowerCase(),
}))
const byCode = new Map(table.map((category) => [category.code, category]))

/** The published name of an ISO 18245 code, for people. */
export function categoryName(code: string): string {
  return byCode.get(code)?.name ?? code
}

/**
 * All ISO 18245 codes that a number (`"5734"`) or a name (`"software"`, `"airlines"`) stands for, in rising order.
 * A name stands for the codes whose published description holds it as whole words.
 *
 * @throws `argument_invalid` for a number or name that the table does not have.
 */
export function categoriesOf(text: string): readonly string[] {
  const asked = text
    .trim()
    .toLowerCase()
    .replace(/[_\s]+/g, ' ')
  if (/^[0-9]{4}$/.test(asked) && byCode.has(asked)) return [asked]
  const phrases = Object.hasOwn(EVERYDAY, asked) ? (EVERYDAY[asked] ?? []) : [asked]
  const found = /^[a-z][a-z0-9 ,&()/-]{2,60}$/.test(asked) ? phrases.flatMap(withPhrase) : []
  if (found.length === 0)
    throw new BursarError(
      'argument_invalid',
      'A merchant category is a four-digit MCC such as "5734" or a name such as "software" or "airlines".',
    )
  return [...new Set(found)].sort()
}

/** The one code that a payment to this kind of merchant carries: the last of {@link categoriesOf}, since the
 * table lists single brands before the general class. */
export function categoryOf(text: string): string {
  const asked = text.trim().toLowerCase()
  const words = Object.hasOwn(EVERYDAY, asked) ? (EVERYDAY[asked]?.[0] ?? asked) : asked
  const codes = /^[0-9]{4}$/.test(asked) ? categoriesOf(asked) : categoriesOf(words)
  return codes.at(-1) as string
}

function withPhrase(phrase: string): string[] {
  const pattern = new RegExp(`(^|[^a-z])${phrase.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}([^a-z]|$)`)
  return table.filter((category) => pattern.test(category.words)).map((category) => category.code)
}
