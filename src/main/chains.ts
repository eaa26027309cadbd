import { setTimeout as sleep } from 'node:timers/promises'
import type { ChainHead, Chains, NodeReport } from '../cli/chains.ts'
import type { Config } from '../config.ts'
import { BursarError } from '../core/errors.ts'
import { TRANSFER_GAS } from '../core/transfer.ts'
import type { ChainAccess } from '../ports/chain.ts'
import { importAccount, listAccounts, makeAccount, openAccount } from '../vault/accounts.ts'
import { makeVaultPassphrase, type PassphraseSources, vaultPassphrases } from '../vault/passphrase.ts'
import { prepareDirectory } from './home.ts'
import { networkAccess, readNetworks, removeNetwork, setNetwork } from './networks.ts'

/** A person waits. */
const ANSWER_WITHIN_MS = 6_000

const ORIGINS = {
  file: 'BURSAR_VAULT_PASSPHRASE_FILE',
  keychain: 'the keychain of this system',
  home: 'vault.passphrase, beside it',
} as const

export function chainsOf({ home, vaultPassphraseFile }: Config): Chains {
  const sources: PassphraseSources = { file: vaultPassphraseFile, home: home.directory }
  return {
    networks: () => readNetworks(home),
    access: networkAccess,
    set: (access) => setNetwork(home, access),
    remove: (id) => removeNetwork(home, id),
    async examine(access) {
      const nodes = await Promise.all(access.nodes.map((url) => examineNode({ ...access, nodes: [url] })))
      const whole = nodes.every(({ problem }) => problem === null)
      return { nodes, head: whole ? await headOf(access) : null }
    },
    coins: (access, address) => coinsOf(access, address),
    accounts: () => listAccounts(home.accounts),
    async keep(privateKey, wanted) {
      prepareDirectory(home.directory)
      const { passphrase } = await makeVaultPassphrase(sources, wanted)
      if (privateKey === null) return makeAccount(home.accounts, passphrase)
      return importAccount(home.accounts, passphrase, privateKey)
    },
    openedBy: (address) => openedBy(home.accounts, sources, address),
  }
}

async function examineNode(access: ChainAccess): Promise<NodeReport> {
  const host = new URL(access.nodes[0] as string).host
  const chain = await chainAt(access)
  try {
    await inTime(chain.check())
    return { host, problem: null, answered: true }
  } catch (error) {
    const { OtherChain } = await import('../rails/usdc/chain.ts')
    if (error instanceof OtherChain) return { host, problem: error.message, answered: true }
    return { host, problem: 'It gave no answer.', answered: false }
  }
}

async function headOf(access: ChainAccess): Promise<ChainHead | null> {
  const chain = await chainAt(access)
  try {
    const [{ number, timestamp }, finalized] = await inTime(
      Promise.all([chain.block('one_block'), chain.block('finalized')]),
    )
    return { block: number, at: timestamp, finalizedAt: finalized.timestamp }
  } catch {
    return null
  }
}

async function coinsOf(access: ChainAccess, address: string) {
  const chain = await chainAt(access)
  try {
    const [balance, { maxFeePerGas }] = await inTime(Promise.all([chain.nativeBalance(address), chain.fees()]))
    return { balance, transfer: maxFeePerGas * TRANSFER_GAS }
  } catch {
    throw new BursarError('rail_unavailable', `${access.network.name} could not be asked.`)
  }
}

async function openedBy(folder: string, sources: PassphraseSources, address: string): Promise<string> {
  let refused: unknown = new BursarError('key_unavailable', 'There is no passphrase to open it with.')
  for await (const { passphrase, from } of vaultPassphrases(sources)) {
    try {
      await openAccount(folder, passphrase, address)
      return ORIGINS[from]
    } catch (error) {
      if (!(error instanceof BursarError) || error.code !== 'passphrase_wrong') throw error
      refused = error
    }
  }
  throw refused
}

async function chainAt(access: ChainAccess) {
  const { chainOf } = await import('../rails/usdc/chain.ts')
  return chainOf(access)
}

/** @throws Error when it takes too long */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = new AbortController()
  try {
    return await Promise.race([
      answer,
      sleep(ANSWER_WITHIN_MS, null, { signal: late.signal }).then(() => Promise.reject(new Error('It took too long.'))),
    ])
  } finally {
    late.abort()
  }
}
