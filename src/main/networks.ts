import { existsSync } from 'node:fs'
import * as z from 'zod'
import type { Home } from '../config.ts'
import { addressOf } from '../core/account.ts'
import { BursarError } from '../core/errors.ts'
import { chainIdOf, NETWORKS, ownNetwork, type Token } from '../core/network.ts'
import type { ChainAccess } from '../ports/chain.ts'
import { parseJson, readFile, unreadable } from '../vault/files.ts'
import { replaceFile } from './private-file.ts'

/** What two of them say must agree, and a third is one more to wait for. */
const NODES_MAX = 3
const URL_MAX = 2_000
const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '[::1]']

/** No message says what it was given: a URL may hold a secret, and may stand in the wrong place. */
const entry = z.strictObject({
  nodes: z
    .array(z.string('must be a URL').max(URL_MAX, 'is too long').refine(mayBeAsked, 'must be https://…'), 'is missing')
    .min(1, 'has none')
    .max(NODES_MAX, `has more than ${NODES_MAX}`)
    .refine((nodes) => new Set(nodes).size === nodes.length, 'names one twice'),
  token: z
    .strictObject({
      address: z.string('must be an address').transform(checksummed),
      name: z.string('must be a text').min(1, 'is empty').max(100, 'is too long'),
      version: z.string('must be a text').min(1, 'is empty').max(20, 'is too long'),
      decimals: z.int('must be a number from 0 to 9').min(0, 'is below 0').max(9, 'is above 9'),
    })
    .optional(),
})
type Entry = z.infer<typeof entry>

/** Encrypted, or on this machine: who can change what a node answers can make bursar believe in money. */
function mayBeAsked(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.includes(url.hostname))
}

function checksummed(text: string, context: z.RefinementCtx): string {
  try {
    return addressOf(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'is not an address, or its checksum is wrong' })
    return z.NEVER
  }
}

/** The networks that the owner set up. @throws `config_invalid`, which names the entry and shows nothing of it */
export function readNetworks(home: Home): readonly ChainAccess[] {
  if (!existsSync(home.networks)) return []
  const text = readFile(home.networks)
  const entries = parseJson(home.networks, text)
  if (!text.trimStart().startsWith('{')) throw unreadable(home.networks, 'it is not a JSON object')
  return Object.entries(entries).map(([id, value], i) => {
    const name = NAME.test(id) ? id : `entry ${i + 1}`
    return accessOf(id, value, (why) => new BursarError('config_invalid', `${home.networks}, ${name}: ${why}`))
  })
}

/** A network as the owner names it. Nobody is asked, and nothing is written. @throws `argument_invalid` */
export function networkAccess(id: string, nodes: readonly string[], token: Token | null): ChainAccess {
  const value = { nodes, ...(token !== null && { token }) }
  return accessOf(id, value, (why) => new BursarError('argument_invalid', `The network cannot be set up: ${why}`))
}

/** In place of what was set up under its id. @throws `config_invalid` as {@link readNetworks}: what is damaged is not replaced */
export function setNetwork(home: Home, access: ChainAccess): void {
  const others = readNetworks(home).filter(({ network }) => network.id !== access.network.id)
  write(home, [...others, access])
}

/** False where it was not set up. @throws `config_invalid` as {@link readNetworks} */
export function removeNetwork(home: Home, id: string): boolean {
  const networks = readNetworks(home)
  const others = networks.filter(({ network }) => network.id !== id)
  if (others.length === networks.length) return false
  write(home, others)
  return true
}

/** What is safe to say of a key of the file. */
const NAME = /^eip155:[0-9]{1,16}$/

function accessOf(id: string, value: unknown, problem: (why: string) => BursarError): ChainAccess {
  if (!NAME.test(id)) throw problem('its name is not a CAIP-2 id of an EVM chain, such as eip155:84532.')
  chainIdOf(id)
  const { data, error } = entry.safeParse(value)
  if (!data) throw problem(error.issues.map(sentence).join(' '))
  const known = NETWORKS.find((network) => network.id === id)
  if (known && data.token) throw problem(`the token of ${known.name} is known, and no other is taken there.`)
  if (known) return { network: known, nodes: data.nodes }
  if (!data.token)
    throw problem('bursar does not know this network, so it needs its token: address, name, version and decimals.')
  return { network: ownNetwork(id, data.token), nodes: data.nodes }
}

function sentence({ code, path, message }: z.core.$ZodIssue): string {
  const where = path.map(String).join('.') || 'it'
  if (code === 'unrecognized_keys') return `${where} has something that is neither of what there is.`
  const known = code === 'invalid_type' && path.length === 0 ? 'is not an object' : message
  return `${where} ${known}.`
}

function write(home: Home, networks: readonly ChainAccess[]): void {
  const text = JSON.stringify(
    Object.fromEntries(networks.map((access) => [access.network.id, entryOf(access)])),
    null,
    2,
  )
  replaceFile(home.networks, `${text}\n`)
}

function entryOf({ network, nodes }: ChainAccess): Entry {
  const known = NETWORKS.includes(network)
  return { nodes: [...nodes], ...(!known && { token: network.usdc }) }
}
