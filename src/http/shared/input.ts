import { BursarError } from '../../core/errors.ts'
import { checked } from './checked.ts'
import { parseJson } from './json.ts'
import { Refused } from './problem.ts'
import type { Input, Route } from './route.ts'

/** What a request asks for, checked against its route. @throws `argument_invalid` */
export async function inputOf(
  request: Request,
  params: Readonly<Record<string, string>>,
  { query, body, method }: Route,
): Promise<Omit<Input<Route>, 'key'>> {
  const said = queryOf(request.url)
  return {
    params: params as never,
    query: query ? checked(query, said, 'query') : none(said, 'query'),
    body: method === 'get' ? {} : await bodyOf(request, body),
    gone: request.signal,
  }
}

async function bodyOf(request: Request, schema: Route['body']): Promise<object> {
  const bytes = await request.arrayBuffer()
  // What needs no arguments may be asked for without any.
  if (bytes.byteLength === 0) return schema ? checked(schema, {}, 'body') : {}
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw new UnsupportedType()
  const value = parseJson(textOf(bytes))
  return schema ? checked(schema, value, 'body') : none(value, 'body')
}

export class UnsupportedType extends Refused {
  constructor() {
    super('argument_invalid', 'A body is of the type application/json.', { accept: 'application/json' })
  }
}

function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new BursarError('argument_invalid', 'The body is no UTF-8.')
  }
}

/** @throws `argument_invalid` for a name that is there twice: who reads the first may be told something else than who reads the last */
function queryOf(url: string): object {
  const { searchParams } = new URL(url)
  const names = [...searchParams.keys()]
  if (new Set(names).size < names.length)
    throw new BursarError('argument_invalid', 'query: an argument is there twice.')
  return Object.fromEntries(searchParams)
}

function none(value: unknown, what: string): object {
  const isEmpty =
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  if (!isEmpty) throw new BursarError('argument_invalid', `${what}: there are no arguments here.`)
  return {}
}
