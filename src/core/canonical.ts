import { hash } from 'node:crypto'
import * as jcs from 'canonicalize'

// The package is CommonJS, but its types describe an ES module: what TypeScript calls `default.default` is `default`.
const serialize = jcs.default as unknown as (value: unknown) => string

const LONE_SURROGATE = /\p{Surrogate}/u

/** Nesting beyond this is refused. It also ends the walk through a value that contains itself. */
const DEPTH_MAX = 64

/**
 * The one JSON text of a value (RFC 8785). Properties that are `undefined` are left out, as in JSON.
 *
 * @throws TypeError on what JSON cannot carry unchanged: bigint, NaN, infinities, integers beyond 2^53, lone surrogates,
 * functions, symbols, `undefined` at the root or in an array, objects that are not plain, nesting over 64 levels.
 */
export function canonical(value: unknown): string {
  assertJson(value, 0)
  return serialize(value)
}

/** SHA-256. Strings are hashed as UTF-8. */
export function sha256(data: Uint8Array | string): Buffer {
  // One-shot, and by way of a string: on Node 20, 2.4 times as fast as createHash and 1.6 times as asking for a Buffer.
  return Buffer.from(hash('sha256', data, 'binary'), 'binary')
}

/** SHA-256 over the canonical JSON of a value, hex. @throws TypeError as {@link canonical}. */
export function digestOf(value: unknown): string {
  return hash('sha256', canonical(value), 'hex')
}

/** The bytes of standard, padded base64 (RFC 4648 §4) in its only spelling; null for any other text. */
export function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}

function assertJson(value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      if (LONE_SURROGATE.test(value)) throw new TypeError('Not JSON: a string with half a surrogate pair.')
      return
    case 'boolean':
      return
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`Not JSON: ${value}.`)
      if (Number.isInteger(value) && !Number.isSafeInteger(value))
        throw new TypeError('Not JSON that all programs read alike: an integer beyond 2^53.')
      return
    case 'object':
      if (value !== null) assertContainer(value, depth)
      return
    default:
      throw new TypeError(`Not JSON: a value of type ${typeof value}.`)
  }
}

function assertContainer(value: object, depth: number): void {
  if (depth >= DEPTH_MAX) throw new TypeError(`Not JSON that bursar keeps: more than ${DEPTH_MAX} levels.`)
  if (Array.isArray(value)) {
    // By index, not forEach: holes must be seen.
    for (let i = 0; i < value.length; i++) assertJson(value[i], depth + 1)
    return
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError('Not JSON: an object that is not plain.')
  if (Object.getOwnPropertySymbols(value).length > 0) throw new TypeError('Not JSON: a property named by a symbol.')
  for (const [key, item] of Object.entries(value)) {
    if (LONE_SURROGATE.test(key)) throw new TypeError('Not JSON: a name with half a surrogate pair.')
    if (item !== undefined) assertJson(item, depth + 1)
  }
}
