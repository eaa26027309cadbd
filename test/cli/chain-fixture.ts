import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Chain, startChain } from '../support/chain.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'
import { newHome, owner } from './fixture.ts'

/** A chain that bursar knows nothing of, and two nodes of it, each behind a path that nobody may show. */
export interface Scene {
  readonly chain: Chain
  readonly nodes: readonly [NodeProxy, NodeProxy]
  readonly urls: readonly [string, string]
  stop(): Promise<void>
}

export const URL_SECRET = 's3cret-of-the-node'

export async function startScene(): Promise<Scene> {
  const chain = await startChain()
  const nodes = [await startProxy(chain.url), await startProxy(chain.url)] as const
  const [first, second] = nodes.map(({ url }) => `${url}/v2/${URL_SECRET}?key=${URL_SECRET}`)
  return {
    ...{ chain, nodes, urls: [first!, second!] },
    async stop() {
      for (const node of nodes) await node.stop()
      await chain.stop()
    },
  }
}

/** The arguments that describe the token of the chain. */
export function tokenOf({ token }: Chain, changed: { name?: string; decimals?: string } = {}): string[] {
  const { name = 'USD Coin', decimals = '6' } = changed
  return ['--token', token, '--token-name', name, '--token-version', '2', '--decimals', decimals]
}

/** A home of its own with the network, and a wallet on it. */
export async function homeWithWallet(scene: Scene, ...options: string[]) {
  const home = await newHome()
  const { chain, urls } = scene
  await owner(home, 'network', 'set', chain.network, '--node', urls[0], ...tokenOf(chain))
  const wallet = await owner(
    home,
    'wallet',
    'create',
    'shopping',
    '--asset',
    'USDC',
    '--network',
    chain.network,
    ...options,
  )
  return { home, wallet, account: addressOf(wallet.account), relayer: addressOf(wallet.relayer.relayer) }
}

export function addressOf(account: string): `0x${string}` {
  return account.slice(account.lastIndexOf(':') + 1) as `0x${string}`
}

/** What is written in a file of the home; null where there is none. */
export function textIn(home: string, ...path: string[]): string | null {
  try {
    return readFileSync(join(home, ...path), 'utf8')
  } catch {
    return null
  }
}
