import { PaymentRequirementsV1Schema, PaymentRequirementsV2Schema } from '@x402/core/schemas'
import { addressOf } from '../../core/account.ts'
import { assetId, chainIdOf } from '../../core/network.ts'
import type { Offer } from '../../core/offer.ts'
import { type Fields, isReturnable } from './json.ts'

/** How long one entry of a seller's list may be, as JSON. */
export const ENTRY_BYTES = 4 * 1024

const AMOUNT = /^\d{1,30}$/
const WORD = /^[a-z0-9][a-z0-9_-]{0,39}$/
const CAIP_2 = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/
const EVM = 'eip155:'
const DOMAIN_CHARACTERS = 100

/** No token names itself so: what a seller says by halves, or not in words, is nobody's domain. */
const NO_DOMAIN = { name: '', version: '' }

/**
 * What v1 calls the networks that bursar knows: `EVM_NETWORK_CHAIN_ID_MAP` of `@x402/evm` 2.27.0, where the others have
 * no name.
 */
const NETWORKS_V1: ReadonlyMap<string, string> = new Map([
  ['ethereum', 'eip155:1'],
  ['base', 'eip155:8453'],
  ['polygon', 'eip155:137'],
  ['avalanche', 'eip155:43114'],
  ['sepolia', 'eip155:11155111'],
  ['base-sepolia', 'eip155:84532'],
  ['polygon-amoy', 'eip155:80002'],
  ['avalanche-fuji', 'eip155:43113'],
])

/** What is signed on an EVM chain where `extra.assetTransferMethod` does not say: as the schemes of `@x402/evm` 2.27.0. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['exact', 'eip3009'],
  ['auth-capture', 'eip3009'],
  ['batch-settlement', 'eip3009'],
  ['upto', 'permit2'],
])

/** What both versions say, by one name for each. */
interface Entry {
  readonly scheme: string
  readonly network: string | null
  readonly amount: string
  readonly asset: string
  readonly payTo: string
  readonly timeoutSeconds: number
  readonly extra: Fields
}

/** One entry of a seller's list; null where it is not well formed: x402 v2 §5.1.2, v1 §5.1.2. */
export function offerOf(version: 1 | 2, accepted: unknown, position: number): Offer | null {
  if (!isReturnable(accepted, ENTRY_BYTES)) return null
  // With the amounts of both versions, it says one price to whoever decides and may mean the other.
  if (Object.hasOwn(accepted, 'amount') && Object.hasOwn(accepted, 'maxAmountRequired')) return null
  const entry = version === 2 ? entryOfV2(accepted) : entryOfV1(accepted)
  if (entry === null || !AMOUNT.test(entry.amount) || !Number.isSafeInteger(entry.timeoutSeconds)) return null
  const { network, timeoutSeconds, extra } = entry
  const amount = BigInt(entry.amount)
  if (amount === 0n) return null
  const scheme = wordOf(entry.scheme, 'unknown')
  const method = wordOf(extra.assetTransferMethod, (network?.startsWith(EVM) && METHODS.get(scheme)) || 'unknown')
  return {
    ...{ position, version, scheme, network, amount, timeoutSeconds, accepted, method },
    facilitator: scheme === 'upto' && method === 'permit2' ? addressOrNull(extra.facilitatorAddress) : null,
    flow: wordOf(extra.paymentFlow, 'authorization'),
    asset: assetOf(network, entry.asset),
    payTo: addressOrNull(entry.payTo),
    domain: domainOf(extra),
  }
}

function entryOfV2(accepted: Fields): Entry | null {
  const { data } = PaymentRequirementsV2Schema.safeParse(accepted)
  if (!data) return null
  const { scheme, amount, asset, payTo, maxTimeoutSeconds: timeoutSeconds, extra } = data
  return { scheme, network: networkOrNull(data.network), amount, asset, payTo, timeoutSeconds, extra: extra ?? {} }
}

function entryOfV1(accepted: Fields): Entry | null {
  const { data } = PaymentRequirementsV1Schema.safeParse(accepted)
  if (!data) return null
  const { scheme, maxAmountRequired: amount, asset, payTo, maxTimeoutSeconds: timeoutSeconds, extra } = data
  const network = NETWORKS_V1.get(data.network) ?? null
  return { scheme, network, amount, asset, payTo, timeoutSeconds, extra: extra ?? {} }
}

/** One of the protocol's own words, and not text that could say something else. */
function wordOf(value: unknown, otherwise: string): string {
  if (value === undefined || value === null) return otherwise
  return typeof value === 'string' && WORD.test(value) ? value : 'unknown'
}

function networkOrNull(text: string): string | null {
  if (!CAIP_2.test(text)) return null
  return !text.startsWith(EVM) || valueOrNull(() => chainIdOf(text)) !== null ? text : null
}

function assetOf(network: string | null, contract: string): string | null {
  const address = addressOrNull(contract)
  return network?.startsWith(EVM) && address !== null ? assetId(network, { address }) : null
}

function addressOrNull(text: unknown): string | null {
  return typeof text === 'string' ? valueOrNull(() => addressOf(text)) : null
}

/** Null where it cannot be read. */
function valueOrNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

function domainOf({ name, version }: Fields): Offer['domain'] {
  const absent = (value: unknown) => value === undefined || value === null
  if (absent(name) && absent(version)) return null
  return isShort(name) && isShort(version) ? { name, version } : NO_DOMAIN
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= DOMAIN_CHARACTERS
}
