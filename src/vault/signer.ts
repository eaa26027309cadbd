import { addressIn } from '../core/account.ts'
import { BursarError } from '../core/errors.ts'
import type { Payer, RelaySigner, Vault } from '../ports/chain.ts'
import { openAccount } from './accounts.ts'
import type { VaultPassphrase } from './passphrase.ts'
import type { Key, PrivateKey } from './private-key.ts'
import { type Books, dailyMaxOf, readAuthorization, readGas, readTransfer } from './reading.ts'

export interface VaultOptions extends Books {
  /** Of the accounts' keys, as `accounts.ts` keeps them. */
  readonly folder: string
  /** Each is tried in its turn, and none is asked for before it is needed. */
  readonly passphrases: () => AsyncIterable<Pick<VaultPassphrase, 'passphrase'>>
}

/**
 * The keys of the accounts in a folder. Each is opened when it is first needed and stays open in this process, in
 * memory that nothing prints; what could not be opened is tried again the next time.
 */
export function vaultOf(options: VaultOptions): Vault {
  const keys = new Map<string, Promise<PrivateKey>>()
  const keyOf = (address: string): Promise<PrivateKey> => {
    const known = keys.get(address)
    if (known) return known
    const opening = opened(options, address)
    keys.set(address, opening)
    opening.catch(() => keys.delete(address))
    return opening
  }
  return {
    payer: async (account) => payerOf(options, account, await keyOf(addressIn(account))),
    relayer: async (account) => relaySignerOf(options, account, await keyOf(addressIn(account))),
  }
}

/** A payer whose key is anywhere: it may sign what the books say, wherever that is done. */
export async function payerOf(books: Books, account: string, key: Key): Promise<Payer> {
  const { digestOf } = await import('./encoding.ts')
  const { signatureHex } = await import('./private-key.ts')
  return {
    async sign(typedData, paymentId) {
      const digest = digestOf(await readAuthorization(books, account, typedData, paymentId))
      return signatureHex(await key.signDigest(digest))
    },
  }
}

/** Signs while a step is decided, so its key is here. */
export async function relaySignerOf(books: Books, account: string, key: PrivateKey): Promise<RelaySigner> {
  const { signedTransaction } = await import('./encoding.ts')
  return {
    async carry(carries) {
      const stored = carries && (await readTransfer(books, account, carries))
      const dailyMax = await dailyMaxOf(books, account)
      return (terms) => {
        readGas(account, terms, dailyMax)
        return signedTransaction(key, stored, terms)
      }
    },
  }
}

/** @throws `key_unavailable`. `bursar doctor` opens it by itself and says more. */
async function opened({ folder, passphrases }: VaultOptions, address: string): Promise<PrivateKey> {
  let why = 'There is no passphrase to open the key of this account with.'
  try {
    for await (const { passphrase } of passphrases()) {
      const key = await openedWith(folder, passphrase, address)
      if (key) return key
      why = 'The key of this account does not open with the passphrase that is set up here.'
    }
  } catch (error) {
    if (!(error instanceof BursarError)) throw error
    why =
      error.code === 'key_unavailable' ? error.message : 'The key of this account, or its passphrase, cannot be read.'
  }
  throw new BursarError('key_unavailable', why)
}

/** Null for a passphrase that is not the key's. */
async function openedWith(folder: string, passphrase: string, address: string): Promise<PrivateKey | null> {
  try {
    return await openAccount(folder, passphrase, address)
  } catch (error) {
    if (error instanceof BursarError && error.code === 'passphrase_wrong') return null
    throw error
  }
}
