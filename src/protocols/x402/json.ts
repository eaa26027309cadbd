import { canonical, fromBase64 } from '../../core/canonical.ts'

/** A JSON object that a seller wrote. */
export type Fields = Readonly<Record<string, unknown>>

/** Of base64, for 16 KiB of JSON. */
const HEADER_CHARACTERS = 4 * Math.ceil((16 * 1024) / 3)

/** The object in a header: standard base64 of JSON, at most 16 KiB of it. Null for anything else. */
export function objectInHeader(value: string): Fields | null {
  const bytes = value.length <= HEADER_CHARACTERS ? fromBase64(value) : null
  return bytes && objectIn(bytes)
}

/** The object that bytes are the JSON of, in UTF-8 without a byte order mark. Null for any other bytes. */
export function objectIn(bytes: Buffer): Fields | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text, withoutPrototypes)
    return isObject(value) ? value : null
  } catch {
    // Not UTF-8, not JSON, or nested so deep that it cannot be walked through.
    return null
  }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether it can be sent back as it came: an object that all programs read alike (RFC 7493), of at most so many bytes. */
export function isReturnable(value: unknown, bytesMax: number): value is Fields {
  if (!isObject(value)) return false
  try {
    // Two levels down, as it is sent: what is nested too deep for that is seen here.
    return Buffer.byteLength(canonical([[value]])) - '[[]]'.length <= bytesMax
  } catch {
    return false
  }
}

/** Assigned somewhere, such a property would set what an object inherits. No honest seller has one. */
function withoutPrototypes(name: string, value: unknown): unknown {
  if (name === '__proto__') throw new SyntaxError('A property is named __proto__.')
  return value
}
