import { z } from '@hono/zod-openapi'

/** What a browser's authenticator answers: bounded, and what it says besides is left out. */

const BYTES_MAX = 8_000
const base64url = () =>
  z
    .string()
    .max(BYTES_MAX)
    .regex(/^[A-Za-z0-9_-]*$/)
const ID_MAX = 1_400

const credential = {
  id: base64url().max(ID_MAX),
  rawId: base64url().max(ID_MAX),
  type: z.literal('public-key'),
  authenticatorAttachment: z.string().max(30).nullish(),
  clientExtensionResults: z.unknown().transform(() => ({})),
}

export const REGISTRATION = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(),
    attestationObject: base64url(),
    transports: z.array(z.string().max(30)).max(10).optional(),
  }),
})

export const AUTHENTICATION = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url(),
    authenticatorData: base64url(),
    signature: base64url(),
    userHandle: base64url().nullish(),
  }),
})

export const SUBJECT = z.string().max(64)
export const STATEMENT = z.string().max(20_000)
export const SIGNED = z.strictObject({ statement: STATEMENT, response: AUTHENTICATION })

/** As REST and the journal write it; the actions judge the amounts. */
export const NARROWING = z.strictObject({
  amount: z.string().max(64).optional(),
  usage_limit: z.int().min(1).max(1_000_000).optional(),
  per_payment_max: z.string().max(64).optional(),
  expires_in_ms: z
    .int()
    .min(1)
    .max(10 * 366 * 24 * 60 * 60 * 1000)
    .optional(),
})
