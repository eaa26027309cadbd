import type { WalletView } from '../actions/wire.ts'
import { BursarError } from '../core/errors.ts'
import { chainIdOf, networkOf } from '../core/network.ts'
import type { ChainAccess } from '../ports/chain.ts'
import type { ChainReport, Chains } from './chains.ts'

/** A network as people and programs see it: of its nodes the hosts alone, since the rest of a URL may hold a secret. */
export interface NetworkView {
  readonly network: string
  readonly name: string
  readonly mode: 'sandbox' | 'live'
  /** What fees are paid in. */
  readonly native: string
  readonly token: ChainAccess['network']['usdc']
  readonly nodes: readonly string[]
}

export function networkView({ network, nodes }: ChainAccess): NetworkView {
  const { id, name, testnet, native, usdc } = network
  const hosts = nodes.map((url) => new URL(url).host)
  return { network: id, name, mode: testnet ? 'sandbox' : 'live', native, token: usdc, nodes: hosts }
}

/** What is wrong with a network, in one sentence for each node; null when nothing is. */
export function problemOf({ nodes, head }: ChainReport): string | null {
  const problems = nodes.flatMap(({ host, problem }) => (problem === null ? [] : [`${host}: ${problem}`]))
  if (problems.length > 0) return problems.join(' ')
  return head === null ? 'The nodes disagree.' : null
}

/** @throws `argument_invalid` for what is no network; `config_invalid` where it is not set up */
export function accessTo(chains: Chains, networkId: string): ChainAccess {
  // First of all, since what is wrong may be a URL, which is not to be shown.
  chainIdOf(networkId)
  const found = chains.networks().find(({ network }) => network.id === networkId)
  if (found) return found
  throw new BursarError(
    'config_invalid',
    `The network ${networkId} is not set up here. Run \`bursar network set ${networkId} --node URL\`.`,
  )
}

/** The network that a wallet's money is on. @throws `wrong_state` for money on cards; `config_invalid` as {@link accessTo} */
export function networkFor(chains: Chains, { asset }: WalletView): ChainAccess {
  if (asset === undefined) throw new BursarError('wrong_state', 'The money of this wallet is not on a chain.')
  return accessTo(chains, networkOf(asset))
}

/** What asks a chain. @throws `rail_unavailable` where the chain gives no answer, which is all that its errors say */
export async function asking<T>({ network }: ChainAccess, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && error.constructor === Error)
      throw new BursarError(
        'rail_unavailable',
        `${network.name} gave no answer that can be used. \`bursar network list --check\` says more.`,
      )
    throw error
  }
}
