import * as z from 'zod'
import type { JsonObject } from './tool.ts'

/** Arguments and answers that several tools share. Every text is bounded: what an agent sends is kept for good. */

const ID_MAX = 64

/** Half of a surrogate pair is no text: it is replaced, so that an attempt that carries one can still be recorded. */
export const text = (max: number): z.ZodString =>
  z
    .string()
    .max(max)
    .overwrite((value) => Buffer.from(value).toString())
export const id = (): z.ZodString => text(ID_MAX)
/** A decimal string. What it may be, the action says: a bad amount is an attempt too, and goes on record. */
export const amount = (): z.ZodString => text(ID_MAX)

const STRING = { type: 'string' }
const OPTIONAL = { type: ['string', 'null'] }
const OBJECT = { type: 'object' }

const REFUSAL = object({ code: STRING, rule: STRING, message: STRING, hint: STRING })
const APPROVAL = object({ needs: STRING, asked: OPTIONAL, expires_at: STRING, command: STRING, url: STRING })

/** Closed against nothing: clients must bear fields that come later. */
export function object(properties: JsonObject, required: readonly string[] = []): JsonObject {
  return { type: 'object', properties, ...(required.length > 0 && { required }) }
}

export function list(items: JsonObject): JsonObject {
  return { type: 'array', items }
}

/** A request, or why there is none. */
export const REQUEST = object(
  { request_id: STRING, status: STRING, instrument: OBJECT, reason: STRING, refusal: REFUSAL, approval: APPROVAL },
  ['status'],
)

/** A payment, or why there is none. */
export const PAYMENT = object(
  {
    payment_id: STRING,
    status: STRING,
    amount: OPTIONAL,
    currency: OPTIONAL,
    payee: OBJECT,
    instrument: OBJECT,
    receipt: OBJECT,
    refusal: REFUSAL,
    approval: APPROVAL,
    replayed: { type: 'boolean' },
  },
  ['status'],
)

/** An answer of the web, a price, or the payment that there is instead. `status`: HTTP, or the payment's. */
export const FETCH = object(
  {
    status: { type: ['integer', 'string'] },
    content_type: OPTIONAL,
    body: STRING,
    price: OBJECT,
    payment: OBJECT,
    response: OBJECT,
    refusal: REFUSAL,
    approval: APPROVAL,
  },
  ['status'],
)

export const BUDGET = object({ wallets: list(OBJECT), instruments: list(OBJECT) }, ['wallets', 'instruments'])
export const PAYMENTS = object({ payments: list(OBJECT), next_cursor: STRING }, ['payments'])
export const CANCELED = object(
  { id: STRING, status: STRING, given_back: { type: ['object', 'null'] }, refusal: REFUSAL },
  ['status'],
)
