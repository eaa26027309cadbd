import { BursarError } from '../../core/errors.ts'
import { plain } from '../../core/text.ts'

/** Nesting beyond this is no request of ours. */
const DEPTH_MAX = 16

/** What of valid JSON matters here: texts whole, and what opens, closes and parts. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g

/**
 * A body of JSON. One that names a member twice is refused: who checks a request on its way may read the first of the two, and we
 * the last.
 *
 * @throws `argument_invalid`
 */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BursarError('argument_invalid', 'The body is no JSON.')
  }
  assertPlain(text)
  return value
}

/** Walks valid JSON once. A text is a name where an object is open and a colon follows. */
function assertPlain(json: string): void {
  const open: (Set<string> | null)[] = []
  let before = ''
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : null)
      if (open.length > DEPTH_MAX)
        throw new BursarError('argument_invalid', `The body is nested more than ${DEPTH_MAX} levels deep.`)
    } else if (token === '}' || token === ']') open.pop()
    else if (token === ':') take(open.at(-1) ?? new Set(), JSON.parse(before) as string)
    before = token
  }
}

function take(names: Set<string>, name: string): void {
  if (names.has(name))
    throw new BursarError('argument_invalid', `The body names ${JSON.stringify(plain(name, 40))} twice.`)
  names.add(name)
}
