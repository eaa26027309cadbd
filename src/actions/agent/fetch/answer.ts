import { formatUnits } from '../../../core/money.ts'
import type { Quote } from '../../../core/offer.ts'
import { plain } from '../../../core/text.ts'
import type { WebResponse } from '../../../ports/web.ts'
import type { AnswerView, PriceView } from '../../wire.ts'
import type { Priced } from './attempt.ts'
import type { Errand } from './errand.ts'

/** The most characters of a body that an agent is given. */
export const BODY_MAX = 100_000
const WORDS_MAX = 200

/** The types that there is a use for. Any other is somebody's own words: it is not passed on. */
const TEXTS = [
  ...[
    'json',
    'ld+json',
    'problem+json',
    'xml',
    'yaml',
    'javascript',
    'x-ndjson',
    'graphql',
    'sql',
    'rss+xml',
    'atom+xml',
  ],
  'x-www-form-urlencoded',
].map((subtype) => `application/${subtype}`)
const TYPES: ReadonlySet<string> = new Set([
  ...TEXTS,
  ...['plain', 'html', 'csv', 'markdown', 'xml', 'css', 'javascript', 'event-stream', 'calendar'].map(
    (s) => `text/${s}`,
  ),
  ...['png', 'jpeg', 'gif', 'webp', 'svg+xml', 'avif'].map((s) => `image/${s}`),
  ...['mpeg', 'wav', 'ogg', 'mp4'].map((s) => `audio/${s}`),
  ...['mp4', 'webm'].map((s) => `video/${s}`),
  ...['octet-stream', 'pdf', 'zip', 'gzip', 'wasm', 'cbor', 'protobuf', 'vnd.apache.parquet'].map(
    (s) => `application/${s}`,
  ),
])

/** An answer as data. Neither its headers nor where it was redirected to is passed on: nothing in them is for an agent. */
export function answerView({ status, header, body, truncated }: WebResponse): AnswerView {
  const [type = '', ...parameters] = (header('content-type') ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  const charset = parameters.find((part) => part.startsWith('charset='))?.slice('charset='.length)
  const { text, ...encoding } = bodyOf(body, type, charset?.replaceAll('"', ''))
  const isCut = truncated || text.length > BODY_MAX
  return {
    status,
    content_type: TYPES.has(type) ? type : null,
    // What is cut in the middle of a character is no text.
    body: Buffer.from(text.slice(0, BODY_MAX)).toString(),
    ...encoding,
    ...(isCut && { truncated: true }),
  }
}

/** Text where it says that it is, or says nothing and is; else bytes. */
function bodyOf(body: Buffer, type: string, charset = 'utf-8'): { text: string; encoding?: 'base64' } {
  const isText = type.startsWith('text/') || TEXTS.includes(type) || /\+(json|xml)$/.test(type)
  const decoded = isText || type === '' ? decode(body, charset, !isText) : null
  if (decoded !== null) return { text: decoded }
  return { text: body.toString('base64'), encoding: 'base64' }
}

function decode(body: Buffer, charset: string, fatal: boolean): string | null {
  try {
    return new TextDecoder(charset, { fatal }).decode(body)
  } catch {
    return null
  }
}

export function priceView({ means }: Errand, { offer, payee }: Priced, { words }: Quote): PriceView {
  const { currency, decimals } = (means as NonNullable<Errand['means']>).wallet
  const says = plain(words.description ?? words.error ?? '', WORDS_MAX)
  return {
    amount: formatUnits(offer.amount, decimals),
    currency,
    payee,
    protocol: 'x402',
    ...(says !== '' && { seller_says: says }),
  }
}
