import { Webhook } from 'standardwebhooks'
import * as z from 'zod'
import type { PushSubscription } from '../ports/notice.ts'

const TEXT_MAX = 2_000
const RECEIVERS_MAX = 20
export const SUBSCRIPTIONS_MAX = 20
const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '[::1]']
export const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

/** Encrypted, or on this machine. */
function isSafe(text: string, encrypted: string, plain: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url?.protocol === encrypted || (url?.protocol === plain && LOOPBACK.includes(url.hostname))
}

/** A name of the public internet, encrypted: not an address in numbers, and nothing of this machine or without a domain. */
export function isPublic(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') return false
  return (
    /^(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]+$/.test(url.hostname) && !/\.(?:localhost|local|internal)$/.test(url.hostname)
  )
}

/** Encrypted from the beginning, or as soon as it begins. */
function isMailServer(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return (url?.protocol === 'smtps:' || url?.protocol === 'smtp:') && url.hostname !== ''
}

// No message says what it was given: it may be a secret in the wrong place.
const text = () => z.string('must be a text').min(1, 'is empty').max(TEXT_MAX, 'is too long')
const web = () => text().refine((url) => isSafe(url, 'https:', 'http:'), 'must be https://…')
const ascii = () => text().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces')
const address = () => text().regex(/^[^\s@<>,;"]+@[^\s@<>,;"]+$/, 'must be an address, such as me@example.com')
const base64url = () => text().regex(/^[A-Za-z0-9_-]+=*$/, 'must be base64url')

const bytesOf = (encoded: string): Buffer => Buffer.from(encoded, 'base64url')

export const subscription = z.strictObject({
  endpoint: web(),
  // A point of P-256, uncompressed, and 16 bytes (RFC 8291, §3.1 and §3.2).
  keys: z.strictObject({
    p256dh: base64url().refine((key) => bytesOf(key).length === 65 && bytesOf(key)[0] === 4, 'is no key'),
    auth: base64url().refine((secret) => bytesOf(secret).length === 16, 'is no secret'),
  }),
}) satisfies z.ZodType<PushSubscription>

function isSecret(secret: string): boolean {
  try {
    return secret.startsWith('whsec_') && new Webhook(secret) instanceof Webhook
  } catch {
    return false
  }
}

const name = z.string('must be a text').regex(NAME, 'must be up to 32 lower-case letters, digits and dashes')

/** What is needed to reach a receiver. All of it may be secret. */
export const definition = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ kind: z.literal('webhook'), name, url: web() },
    secret: text().refine(isSecret, 'must be whsec_ and a key in base64'),
  }),
  z.strictObject({ kind: z.literal('slack'), name, url: web() }),
  z.strictObject({ kind: z.literal('ntfy'), name, url: web(), token: ascii().optional() }),
  z.strictObject({
    ...{ kind: z.literal('email'), name },
    smtp: text().refine((url) => isMailServer(url), 'must be smtps://…'),
    from: address(),
    to: z.array(address(), 'is missing').min(1, 'is missing').max(RECEIVERS_MAX, 'has too many'),
  }),
  z.strictObject({
    ...{ kind: z.literal('webpush'), name, public_key: base64url(), private_key: base64url() },
    subject: text().refine((url) => url.startsWith('mailto:') || isSafe(url, 'https:', 'https:'), 'must be mailto:…'),
    subscriptions: z.array(subscription).max(SUBSCRIPTIONS_MAX, 'has too many'),
  }),
])
export type Definition = z.infer<typeof definition>
export type Kind = Definition['kind']

/** What is safe to show of a definition: of a URL its host alone. */
export function shown(one: Definition): string {
  switch (one.kind) {
    case 'webhook':
    case 'slack':
    case 'ntfy':
      return new URL(one.url).host
    case 'email':
      return `${one.to.join(', ')} by ${new URL(one.smtp).host}`
    case 'webpush':
      return `${one.subscriptions.length} browsers`
  }
}
