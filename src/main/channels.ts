import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import type * as z from 'zod'
import type { ChannelInput, ChannelView } from '../cli/channels.ts'
import type { Home } from '../config.ts'
import { BursarError } from '../core/errors.ts'
import {
  type Definition,
  definition,
  isPublic,
  NAME,
  SUBSCRIPTIONS_MAX,
  shown,
  subscription,
} from '../notify/definition.ts'
import { channelOf, pushKeys } from '../notify/index.ts'
import type { Channel, PushDesk } from '../ports/notice.ts'
import { FILE_BYTES_MAX, parseJson, readFile, unreadable } from '../vault/files.ts'
import { replaceFile } from './private-file.ts'

const CHANNELS_MAX = 20
const SECRET_BYTES = 32

/** The channels that the owner set up. @throws `config_invalid`, which names the entry and shows nothing of it */
export function readChannels(home: Home): readonly Definition[] {
  if (!existsSync(home.channels)) return []
  const text = readFile(home.channels)
  const entries = parseJson(home.channels, text)
  if (!text.trimStart().startsWith('{')) throw unreadable(home.channels, 'it is not a JSON object')
  return Object.entries(entries).map(([name, value], i) => {
    const where = `${home.channels}, ${NAME.test(name) ? name : `entry ${i + 1}`}`
    const entry = typeof value === 'object' && value !== null ? { ...value, name } : value
    return checked(entry, (why) => new BursarError('config_invalid', `${where}: ${why}`))
  })
}

/**
 * What is needed for a channel, with what bursar makes for it: the secret that signs a webhook, the key pair of web push.
 *
 * @throws `argument_invalid`
 */
export async function channelFrom(input: ChannelInput): Promise<Definition> {
  const made =
    input.kind === 'webhook'
      ? { secret: input.secret ?? `whsec_${randomBytes(SECRET_BYTES).toString('base64')}` }
      : input.kind === 'webpush' && { ...(await pushKeys()), subscriptions: [] }
  const value = Object.fromEntries(Object.entries({ ...input, ...made }).filter(([, one]) => one !== undefined))
  return checked(value, (why) => new BursarError('argument_invalid', `The channel cannot be set up: ${why}`))
}

/** @throws `already_exists`; `argument_invalid` for one too many; `config_invalid` as {@link readChannels} */
export function addChannel(home: Home, channel: Definition): void {
  write(home, [...othersOf(home, channel), channel])
}

/** The channels beside which this one can be. @throws as {@link addChannel} */
export function othersOf(home: Home, channel: Definition): readonly Definition[] {
  const others = readChannels(home)
  if (others.some(({ name }) => name === channel.name))
    throw new BursarError('already_exists', `There is a channel ${channel.name} already.`)
  if (others.length >= CHANNELS_MAX)
    throw new BursarError('argument_invalid', `There are at most ${CHANNELS_MAX} channels.`)
  return others
}

/** False where there is none. @throws `config_invalid` as {@link readChannels} */
export function removeChannel(home: Home, name: string): boolean {
  const channels = readChannels(home)
  const others = channels.filter((one) => one.name !== name)
  if (others.length === channels.length) return false
  write(home, others)
  return true
}

export function channelView(channel: Definition): ChannelView {
  return { name: channel.name, kind: channel.kind, to: shown(channel) }
}

/** The channels as they are in the file now; read when it has changed. `broken` is told of a file that cannot be read, once. */
export function liveChannels(home: Home, broken: (error: unknown) => void): () => readonly Channel[] {
  let seen = ''
  let channels: readonly Channel[] = []
  return () => {
    const stat = statSync(home.channels, { throwIfNoEntry: false })
    const state = stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : ''
    if (state === seen) return channels
    seen = state
    try {
      channels = readChannels(home).map((one) => channelOf(one, (endpoint) => unsubscribe(home, endpoint)))
    } catch (error) {
      channels = []
      broken(error)
    }
    return channels
  }
}

/**
 * How owners' browsers come to be told. A page names the address that is then sent to: it has to look like a push service's.
 *
 * @param isPushService for tests, whose push service is on this machine
 */
export function pushDesk(home: Home, isPushService: (endpoint: string) => boolean = isPublic): PushDesk {
  return {
    channels: () =>
      readChannels(home).flatMap((one) =>
        one.kind === 'webpush' ? [{ ...keyOf(one), endpoints: endpointsOf(one) }] : [],
      ),
    subscribe(name, given) {
      const { data } = subscription.safeParse(given)
      if (!data || !isPushService(data.endpoint))
        throw new BursarError('argument_invalid', 'That is no subscription of a browser.')
      change(home, name, (before) => [...without(data.endpoint)(before), data])
    },
    unsubscribe: (name, gone) => change(home, name, without(gone)),
  }
}

type Webpush = Extract<Definition, { kind: 'webpush' }>
type Subscriptions = Webpush['subscriptions']

function without(gone: string): (before: Subscriptions) => Subscriptions {
  return (before) => before.filter(({ endpoint }) => endpoint !== gone)
}

function keyOf({ name, public_key }: Webpush): { name: string; publicKey: string } {
  return { name, publicKey: public_key }
}

function endpointsOf({ subscriptions }: Webpush): string[] {
  return subscriptions.map(({ endpoint }) => endpoint)
}

/** @throws `not_found`; `argument_invalid` for one too many: none of those that there are is pushed out */
function change(home: Home, name: string, next: (before: Subscriptions) => Subscriptions): void {
  const channels = readChannels(home)
  const channel = channels.find((one): one is Webpush => one.kind === 'webpush' && one.name === name)
  if (!channel) throw new BursarError('not_found', 'There is no such channel of web push.')
  const subscriptions = next(channel.subscriptions)
  if (subscriptions.length > SUBSCRIPTIONS_MAX)
    throw new BursarError(
      'argument_invalid',
      `There are at most ${SUBSCRIPTIONS_MAX} browsers. Turn it off in another.`,
    )
  const { length } = channel.subscriptions
  if (subscriptions.length === length && subscriptions.every((one, i) => one === channel.subscriptions[i])) return
  write(
    home,
    channels.map((one) => (one === channel ? { ...channel, subscriptions } : one)),
  )
}

function unsubscribe(home: Home, gone: string): void {
  for (const { kind, name } of readChannels(home)) if (kind === 'webpush') change(home, name, without(gone))
}

function checked(value: unknown, problem: (why: string) => BursarError): Definition {
  const { data, error } = definition.safeParse(value)
  if (!data) throw problem(error.issues.map(sentence).join(' '))
  return data
}

function sentence({ code, path, message }: z.core.$ZodIssue): string {
  const where = path.map(String).join('.') || 'it'
  if (code === 'unrecognized_keys') return `${where} has something that is none of what there is.`
  if (code === 'invalid_union') return 'its kind is none of webhook, slack, ntfy, email, webpush.'
  if (code === 'invalid_type' && path.length === 0) return 'it is not an object.'
  return `${where} ${message}.`
}

function write(home: Home, channels: readonly Definition[]): void {
  const entries = channels.map(({ name, ...entry }) => [name, entry])
  const text = `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`
  // What cannot be read again would silence all channels.
  if (Buffer.byteLength(text) > FILE_BYTES_MAX)
    throw new BursarError('argument_invalid', 'There is no room for another: remove one that is not needed.')
  replaceFile(home.channels, text)
}
