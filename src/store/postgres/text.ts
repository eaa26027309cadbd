/** What no text of the database has in it: half of a surrogate pair, and U+0000. */
const UNKEPT = /[\0\p{Surrogate}]/gu

/** A value as a literal of SQL, in JSON. */
export function literal(value: unknown): string {
  return quoted(JSON.stringify(value))
}

/** What is looked for as a literal of SQL, in JSON. */
export function sought(value: unknown): string {
  return quoted(soughtJson(value))
}

export function soughtJson(value: unknown): string {
  return JSON.stringify(value, (_name, part) => soughtText(part))
}

/**
 * A text that the database cannot hold is not in it: it is looked for with a character that nothing bursar writes has in it,
 * and so is not found.
 */
export function soughtText(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(UNKEPT, '\uFDD0') : value
}

/** A text as a literal of SQL, whatever `standard_conforming_strings` is. */
export function quoted(text: string): string {
  const doubled = text.replaceAll("'", "''")
  return doubled.includes('\\') ? ` E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}
