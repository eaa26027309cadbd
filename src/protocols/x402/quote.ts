import { ResourceInfoSchema } from '@x402/core/schemas'
import type { Quote } from '../../core/offer.ts'
import type { WebResponse } from '../../ports/web.ts'
import { type Fields, isObject, isReturnable, objectIn, objectInHeader } from './json.ts'
import { ENTRY_BYTES, offerOf } from './offer.ts'

/** How many entries of a seller's list are read. */
const ENTRIES = 32
/** Of a body, which v1 is in. */
const BODY_BYTES = ENTRIES * ENTRY_BYTES
const RESOURCE_BYTES = 2 * 1024
const IDENTIFIER_BYTES = 1024
const URL_CHARACTERS = 2_000
const WORDS_CHARACTERS = 2_000

/** What the seller wants: in the header of v2, or without that header in the body of v1. Null for any other answer. */
export function quote(response: WebResponse): Quote | null {
  if (response.status !== 402) return null
  const header = response.header('payment-required')
  if (header !== null) return quoteOf(2, objectInHeader(header))
  if (response.truncated || response.body.length > BODY_BYTES) return null
  return quoteOf(1, objectIn(response.body))
}

function quoteOf(version: 1 | 2, required: Fields | null): Quote | null {
  if (required?.x402Version !== version || !Array.isArray(required.accepts)) return null
  const entries: readonly unknown[] = required.accepts.slice(0, ENTRIES)
  if (entries.length === 0) return null
  const sold = version === 2 ? objectOrEmpty(required.resource) : soldOfV1(objectOrEmpty(entries[0]))
  return {
    version,
    offers: entries.map((entry, i) => offerOf(version, entry, i)).filter((offer) => offer !== null),
    resource: version === 2 && isResource(sold) ? sold : null,
    resourceUrl: urlOf(sold.url),
    identifier: version === 2 ? identifierOf(required) : null,
    words: { error: wordsOf(required.error), description: wordsOf(sold.description) },
  }
}

/** In v1 every entry says it, and nothing of it is sent back. */
function soldOfV1({ resource, description }: Fields): Fields {
  return { url: resource, description }
}

/** One that the official schema lets through in a payment too: whoever checks payments by it would refuse any other. */
function isResource(sold: Fields): boolean {
  return isReturnable(sold, RESOURCE_BYTES) && ResourceInfoSchema.safeParse(sold).success
}

function urlOf(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > URL_CHARACTERS) return null
  return /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text).href : null
}

/**
 * The whole extension `payment-identifier`, which is sent back with `info.id` in it. Null where there is an id already:
 * what the seller wrote may not be overwritten (x402 v2 §5.1.2).
 */
function identifierOf({ extensions }: Fields): Fields | null {
  const offered = objectOrEmpty(extensions)['payment-identifier']
  if (!isReturnable(offered, IDENTIFIER_BYTES) || !isObject(offered.info)) return null
  const { required = false, id } = offered.info
  return typeof required === 'boolean' && id === undefined ? offered : null
}

function wordsOf(text: unknown): string | null {
  return typeof text === 'string' ? text.slice(0, WORDS_CHARACTERS) : null
}

function objectOrEmpty(value: unknown): Fields {
  return isObject(value) ? value : {}
}
