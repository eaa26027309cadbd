import { createHash } from 'node:crypto'
import { z } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { BursarError } from '../../core/errors.ts'
import type { PushDesk } from '../../ports/notice.ts'
import { bodyOf, type Desk } from './desk.ts'

const ENDPOINT_MAX = 1_000
const KEY_MAX = 200

const CHANNEL = z.string().max(64)
const ENDPOINT = z.string().max(ENDPOINT_MAX)
const KEY = z.string().max(KEY_MAX)
/** `PushSubscriptionJSON` (Push API). */
const SUBSCRIBE = z.strictObject({
  channel: CHANNEL,
  subscription: z.strictObject({
    endpoint: ENDPOINT,
    expirationTime: z.number().nullish(),
    keys: z.strictObject({ p256dh: KEY, auth: KEY }),
  }),
})
const UNSUBSCRIBE = z.strictObject({ channel: CHANNEL, endpoint: ENDPOINT })

/**
 * Which browsers are told what happens. Whoever is signed in may have theirs told: what is sent there holds facts, and decides
 * nothing, so it takes no passkey. Like all that is said of channels it is in their file, and not in the journal.
 */
export function pushRoutes(desk: Desk): Hono {
  const app = new Hono()
  app.get('/push', async (c) => {
    await desk.signedIn(c.req.raw)
    const channels = desk.deps.push?.channels() ?? []
    return c.json({
      channels: channels.map(({ name, publicKey, endpoints }) => ({
        ...{ name, public_key: publicKey, subscribed: endpoints.map(digestOf) },
      })),
    })
  })
  app.post('/push/subscribe', async (c) => {
    const { owner } = await desk.signedIn(c.req.raw)
    const { channel, subscription } = await bodyOf(c, SUBSCRIBE)
    const { endpoint, keys } = subscription
    pushOf(desk).subscribe(channel, { endpoint, keys })
    const { host } = new URL(endpoint)
    desk.deps.log('info', 'A browser is told what happens from now on.', { channel, host, owner_id: owner.id })
    return c.json({ channel, subscribed: true })
  })
  app.post('/push/unsubscribe', async (c) => {
    await desk.signedIn(c.req.raw)
    const { channel, endpoint } = await bodyOf(c, UNSUBSCRIBE)
    pushOf(desk).unsubscribe(channel, endpoint)
    return c.json({ channel, subscribed: false })
  })
  return app
}

/** By this a browser finds itself. The address of another's is not told: whoever has it could take it off the list. */
function digestOf(endpoint: string): string {
  return createHash('sha256').update(endpoint).digest('base64url')
}

/** @throws `not_found` */
function pushOf({ deps }: Desk): PushDesk {
  if (!deps.push) throw new BursarError('not_found', 'There is no such channel of web push.')
  return deps.push
}
