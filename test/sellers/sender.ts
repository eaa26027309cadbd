import { type Address, createWalletClient, type Hex, http, parseEther } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { Chain } from '../support/chain.ts'

/** A new key that can pay for gas. */
export async function fundedKey(chain: Chain): Promise<Hex> {
  const key = generatePrivateKey()
  await chain.give(privateKeyToAccount(key).address, parseEther('10'))
  return key
}

/** A new address that nobody has the key of. */
export function newAddress(): Address {
  return privateKeyToAccount(generatePrivateKey()).address
}

/**
 * Sends transactions of one account one after another, each with the number that the node says. viem's own counter is
 * one for all chains of a process, and leaves a gap where one of several at once is refused: what comes after it hangs.
 */
export class Sender {
  readonly address: Address
  private readonly chain: Chain
  private readonly wallet
  private last: Promise<unknown> = Promise.resolve()

  constructor(chain: Chain, key: Hex) {
    const account = privateKeyToAccount(key)
    this.chain = chain
    this.address = account.address
    this.wallet = createWalletClient({ account, chain: chain.publicClient.chain, transport: http(chain.url) })
  }

  /**
   * The hash, as soon as the node has it.
   *
   * @param gas without it the node says how much, and refuses what would be reverted
   */
  send(to: Address, data: Hex, gas?: bigint): Promise<Hex> {
    const { address, chain, wallet } = this
    const send = async () => {
      const nonce = await chain.publicClient.getTransactionCount({ address, blockTag: 'pending' })
      return wallet.sendTransaction({ to, data, nonce, ...(gas !== undefined && { gas }) })
    }
    const sent = this.last.then(send)
    this.last = sent.catch(() => undefined)
    return sent
  }
}
