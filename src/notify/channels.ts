import { createHash } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { type Channel, type Notice, Undelivered } from '../ports/notice.ts'
import type { Definition } from './definition.ts'
import { post } from './post.ts'
import { textOf } from './text.ts'

type Of<K extends Definition['kind']> = Extract<Definition, { kind: K }>
const JSON_BODY = { 'content-type': 'application/json' }

/** Signed as https://www.standardwebhooks.com says. The id is the notice's: who gets it twice can drop one. */
export function webhook({ name, url, secret }: Of<'webhook'>): Channel {
  const signer = new Webhook(secret)
  return {
    name,
    async send(notice, signal) {
      const { id, kind, at, ...data } = notice
      const body = JSON.stringify({ type: `bursar.${kind}`, timestamp: at, data })
      const now = new Date()
      const headers = {
        ...{ ...JSON_BODY, 'webhook-id': id, 'webhook-timestamp': String(Math.floor(now.getTime() / 1000)) },
        'webhook-signature': signer.sign(id, now, body),
      }
      await post(url, headers, body, signal)
    },
  }
}

/** An incoming webhook. In text, Slack reads only these three characters as its own. */
export function slack({ name, url }: Of<'slack'>): Channel {
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return {
    name,
    async send(notice, signal) {
      const text = escaped(`${notice.title}\n${textOf(notice)}`)
      const body = { text, mrkdwn: false, unfurl_links: false, unfurl_media: false }
      await post(url, JSON_BODY, JSON.stringify(body), signal)
    },
  }
}

/** What cannot wait comes louder: https://docs.ntfy.sh/publish/#message-priority. */
const PRIORITY: { readonly [K in Notice['kind']]: string } = {
  ...{ ask: '4', over_capture: '5', in_doubt: '4', frozen: '4', denied: '3', limit_reached: '3', test: '3' },
}

export function ntfy({ name, url, token }: Of<'ntfy'>): Channel {
  return {
    name,
    async send(notice, signal) {
      const headers = {
        ...{ 'content-type': 'text/plain; charset=utf-8', title: notice.title, priority: PRIORITY[notice.kind] },
        ...(notice.link !== null && { click: notice.link }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      }
      await post(url, headers, textOf(notice), signal)
    },
  }
}

const MAIL_TIMES = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 15_000, dnsTimeout: 10_000 }

/** Plain text. Unless the server is on this machine, only encrypted. */
export function email({ name, smtp, from, to }: Of<'email'>): Channel {
  const { protocol, hostname } = new URL(smtp)
  const isNear = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  return {
    name,
    async send(notice, signal) {
      const { createTransport } = await import('nodemailer')
      const requireTLS = protocol === 'smtp:' && !isNear
      const transport = createTransport({ url: smtp, ...MAIL_TIMES, requireTLS })
      const over = () => transport.close()
      signal.addEventListener('abort', over, { once: true })
      try {
        await transport.sendMail({
          ...{ from, to: [...to], subject: `bursar: ${notice.title}`, text: textOf(notice) },
          ...{ messageId: `<${notice.id}@bursar.invalid>`, disableFileAccess: true, disableUrlAccess: true },
        })
      } catch {
        throw new Undelivered('The mail server did not take it.')
      } finally {
        signal.removeEventListener('abort', over)
        transport.close()
      }
    },
  }
}

const PUSH_BYTES_MAX = 3_000
const DAY_SECONDS = 86_400
const GONE = [404, 410]

/** Encrypted to each browser (RFC 8291), sent under our own key (RFC 8292). `forget`: the browser wants no more. */
export function webpush(one: Of<'webpush'>, forget: (endpoint: string) => void): Channel {
  const { name, subject, public_key: publicKey, private_key: privateKey, subscriptions } = one
  const taken = new Set<string>()
  return {
    name,
    async send(notice, signal) {
      const { default: push } = await import('web-push')
      const payload = pushText(notice)
      const topic = createHash('sha256').update(notice.id).digest('base64url').slice(0, 32)
      const options = { TTL: DAY_SECONDS, topic, vapidDetails: { subject, publicKey, privateKey } }
      // At once: one that hangs takes no time from the others.
      const waiting = subscriptions.filter(({ endpoint }) => !taken.has(`${notice.id} ${endpoint}`))
      const tell = async (to: (typeof waiting)[number]): Promise<void> => {
        const { headers, body } = push.generateRequestDetails(to, payload, options)
        const texts = Object.entries(headers).map(([header, value]) => [header, String(value)] as const)
        const status = await post(to.endpoint, Object.fromEntries(texts), new Uint8Array(body ?? []), signal, GONE)
        if (GONE.includes(status)) forget(to.endpoint)
        taken.add(`${notice.id} ${to.endpoint}`)
      }
      const sent = await Promise.allSettled(waiting.map(tell))
      const failures = sent.filter(({ status }) => status === 'rejected')
      if (failures.length > 0) throw new Undelivered(`${failures.length} of ${subscriptions.length} browsers.`)
      taken.clear()
    },
  }
}

/** Push services take no more than 4 KB. */
function pushText({ id, kind, at, title, facts, link, checkpoint }: Notice): string {
  for (let count = facts.length; ; count -= 1) {
    const text = JSON.stringify({ id, kind, at, title, facts: facts.slice(0, count), link, checkpoint })
    if (Buffer.byteLength(text) <= PUSH_BYTES_MAX || count === 0) return text
  }
}
