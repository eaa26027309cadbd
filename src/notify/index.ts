import type { Channel } from '../ports/notice.ts'
import { email, ntfy, slack, webhook, webpush } from './channels.ts'
import type { Definition } from './definition.ts'

/** A new key pair of web push, base64url. */
export async function pushKeys(): Promise<{ public_key: string; private_key: string }> {
  const { default: push } = await import('web-push')
  const { publicKey, privateKey } = push.generateVAPIDKeys()
  return { public_key: publicKey, private_key: privateKey }
}

/** @param forget a browser that wants no more notices is to be taken out of the definition */
export function channelOf(definition: Definition, forget: (endpoint: string) => void): Channel {
  switch (definition.kind) {
    case 'webhook':
      return webhook(definition)
    case 'slack':
      return slack(definition)
    case 'ntfy':
      return ntfy(definition)
    case 'email':
      return email(definition)
    case 'webpush':
      return webpush(definition, forget)
  }
}
