import type { Token } from '../core/network.ts'
import type { ChainAccess } from '../ports/chain.ts'

/** Networks as the owner set them up, the accounts whose keys are sealed here, and what nodes say. */
export interface Chains {
  /** @throws `config_invalid` where what was set up cannot be read */
  networks(): readonly ChainAccess[]
  /** A network as the owner names it. Nobody is asked and nothing is written. @throws `argument_invalid` */
  access(id: string, nodes: readonly string[], token: Token | null): ChainAccess
  /** In place of what was set up under its id. @throws `config_invalid` */
  set(access: ChainAccess): void
  /** False where it was not set up. @throws `config_invalid` */
  remove(id: string): boolean
  /** Asks every node by itself, and then all of them together. Takes a few seconds at most, and never throws. */
  examine(access: ChainAccess): Promise<ChainReport>
  /** What an account has for fees. @throws `rail_unavailable` */
  coins(access: ChainAccess, address: string): Promise<Coins>
  /** EIP-55 addresses of which there is a key. */
  accounts(): readonly string[]
  /**
   * Makes the key of an account, or seals one that was made elsewhere. Returns its EIP-55 address.
   *
   * @throws `argument_invalid` for what is no private key; `config_invalid` where it cannot be sealed as it must be
   */
  keep(privateKey: string | null, wanted: Sealing): Promise<string>
  /** Opens the key of an account, to say whether it can be. @throws `key_unavailable`, `passphrase_wrong`, `config_invalid` */
  openedBy(address: string): Promise<string>
}

export interface Sealing {
  /** For real money: never under a passphrase that lies beside it. */
  readonly live: boolean
  /** Under a passphrase in the keychain of the system. */
  readonly keychain: boolean
}

/** wei. */
export interface Coins {
  readonly balance: bigint
  /** About what one transfer takes now. */
  readonly transfer: bigint
}

export interface ChainReport {
  readonly nodes: readonly NodeReport[]
  /** What all of them say; null where one of them gave no answer, or they disagree. */
  readonly head: ChainHead | null
}

export interface NodeReport {
  /** Of its URL, the rest of which may hold a secret. */
  readonly host: string
  /** Null: it has the network and its token as they should be. */
  readonly problem: string | null
  /** Whether it answered at all. */
  readonly answered: boolean
}

export interface ChainHead {
  /** The newest block. */
  readonly block: number
  /** Seconds since the epoch. */
  readonly at: number
  /** Of the newest finalized block. */
  readonly finalizedAt: number
}
