import { send } from './api.ts'

/** A channel of web push that the owner has set up. */
export interface PushChannel {
  readonly name: string
  /** Whose notices the browser takes (RFC 8292), base64url. */
  readonly public_key: string
  /** SHA-256 of the address of each browser that is told, base64url. */
  readonly subscribed: readonly string[]
}

/** How it stands with web push in this browser. */
export interface Here {
  readonly permission: NotificationPermission
  readonly subscription: PushSubscription | null
  /** As the server names it. */
  readonly digest: string | null
}

const WORKER = '/console/sw.js'
const SCOPE = '/console'

/** Null where this browser has no web push, or none for this address. */
export async function here(): Promise<Here | null> {
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) return null
  const registration = await navigator.serviceWorker.getRegistration(SCOPE)
  const subscription = (await registration?.pushManager.getSubscription()) ?? null
  const digest = subscription && (await digestOf(subscription.endpoint))
  return { permission: Notification.permission, subscription, digest }
}

/** Whether this browser is told by a channel: it and the server say so. */
export function isOn({ public_key, subscribed }: PushChannel, { subscription, digest }: Here): boolean {
  return subscription !== null && keyOf(subscription) === public_key && digest !== null && subscribed.includes(digest)
}

/**
 * A browser takes notices under one key at a time: another channel's ends.
 *
 * @throws Error, Problem; then nothing is on
 */
export async function turnOn(channel: PushChannel, channels: readonly PushChannel[]): Promise<void> {
  // First, since only what a human does just now may ask.
  if ((await Notification.requestPermission()) !== 'granted')
    throw new Error('This browser does not let the console show notifications. Its settings for this page decide.')
  await navigator.serviceWorker.register(WORKER, { scope: SCOPE, updateViaCache: 'none' })
  const { pushManager } = await navigator.serviceWorker.ready
  const before = await pushManager.getSubscription()
  if (before && keyOf(before) !== channel.public_key) await endAll(before, channels)
  const key = bytesOf(channel.public_key)
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
  const { endpoint, keys } = subscription.toJSON()
  try {
    await send('/push/subscribe', { channel: channel.name, subscription: { endpoint, keys } })
  } catch (error) {
    await subscription.unsubscribe()
    throw error
  }
}

/** In the browser in any case: what is sent to it then comes to nothing, and the server notices. */
export async function turnOff({ name }: PushChannel, subscription: PushSubscription): Promise<void> {
  try {
    await send('/push/unsubscribe', { channel: name, endpoint: subscription.endpoint })
  } finally {
    await subscription.unsubscribe()
  }
}

async function endAll(subscription: PushSubscription, channels: readonly PushChannel[]): Promise<void> {
  const digest = await digestOf(subscription.endpoint)
  const told = channels.find(({ subscribed }) => subscribed.includes(digest))
  await (told ? turnOff(told, subscription) : subscription.unsubscribe())
}

async function digestOf(endpoint: string): Promise<string> {
  return base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(endpoint)))
}

function keyOf({ options }: PushSubscription): string {
  return options.applicationServerKey ? base64url(options.applicationServerKey) : ''
}

function base64url(bytes: ArrayBuffer): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function bytesOf(encoded: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(encoded.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
}
