import { z } from '@hono/zod-openapi'

/** Pieces of which the schemas of bodies, queries and answers are made. */

const ID_MAX = 64
export const PAGE_MAX = 200

/**
 * Somebody's text, bounded: what is sent is kept for good. Half of a surrogate pair is no text: it is replaced, so that an
 * attempt that carries one can still be recorded.
 */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .overwrite((value) => Buffer.from(value).toString())

/** An id as it is sent. Whether it is one, and whose, is looked up: to all others it is not there. */
export const sentId = () => text(ID_MAX)
/** A decimal string as it is sent. What it may be the action says: a bad amount is an attempt too, and goes on record. */
export const sentAmount = () => text(ID_MAX)

/** A whole number in a query, where everything is text. */
export const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .openapi({ type: 'integer', minimum: min, maximum: max })

export const id = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[0-9a-f-]{36}$`))
export const amount = () => z.string().regex(/^\d+(\.\d+)?$/)
export const time = () => z.iso.datetime()
export const count = () => z.int().min(0)

/** Which page of a list. */
export const PAGE = {
  limit: whole(1, PAGE_MAX).optional().describe('At most this many; 50 unless given.'),
  cursor: sentId().optional().describe('`next_cursor` of the page before.'),
}

export const nextCursor = () => z.string().optional().describe('There is more: the `cursor` of the next page.')
