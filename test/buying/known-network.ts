import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Hex } from 'viem'
import { setUp } from '../../src/actions/owner/setup.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { transferBooks } from '../../src/actions/transfer/books.ts'
import { assetId, chainIdOf, NETWORKS, type Network } from '../../src/core/network.ts'
import type { Bursar } from '../../src/ports.ts'
import { chainOf } from '../../src/rails/usdc/chain.ts'
import { usdcRail } from '../../src/rails/usdc/rail.ts'
import { openSqlite } from '../../src/store/sqlite/index.ts'
import { systemIds } from '../../src/system.ts'
import { makeKeyPair, signerOf } from '../../src/vault/keys.ts'
import { PrivateKey } from '../../src/vault/private-key.ts'
import { payerOf, relaySignerOf } from '../../src/vault/signer.ts'
import { clock } from '../chain/scene.ts'
import { type Chain, startChain } from '../support/chain.ts'
import type { ChainPurse } from '../support/chain-purse.ts'
import { sellers } from './shop.ts'

/** A test network whose USDC names itself as the token of the tests does. Version 1 of the protocol has a name for it. */
export const FUJI = NETWORKS.find(({ id }) => id === 'eip155:43113') as Network

/** A chain that is that network to whoever asks it: the token of the tests is where Circle's is. */
export async function startFuji(): Promise<Chain> {
  const chain = await startChain({ chainId: chainIdOf(FUJI.id) })
  const token = FUJI.usdc.address as Hex
  await chain.rpc('anvil_setCode', [token, await chain.publicClient.getCode({ address: chain.token })])
  return Object.create(chain, { token: { value: token }, asset: { value: assetId(FUJI.id, FUJI.usdc) } }) as Chain
}

/** As `openChainPurse`, on a network that bursar knows by itself. */
export async function openFujiPurse(folder: string, { url }: Chain): Promise<ChainPurse> {
  const [owner, journal] = [makeKeyPair(), makeKeyPair()]
  const publicKey = Buffer.from(journal.publicKey, 'base64')
  const path = join(folder, 'bursar.db')
  const store = openSqlite({ path, clock, journalKey: { publicKey, sign: signerOf(journal) } })
  const keyOf = (role: string) => new PrivateKey(createHash('sha256').update(`${role} of ${folder}`).digest())
  const [payer, relayer] = [keyOf('wallet'), keyOf('relayer')]
  const signing = { read: store.read, clock, tokenOf: () => FUJI.usdc }
  const usdc = usdcRail({
    chains: new Map([[FUJI.id, chainOf({ network: FUJI, nodes: [url] })]]),
    books: transferBooks(store, clock),
    vault: {
      payer: (account) => payerOf(signing, account, payer),
      relayer: (account) => relaySignerOf(signing, account, relayer),
    },
    clock,
  })
  const bursar: Bursar = { store, rails: { usdc }, clock, ids: systemIds, notify: { changed() {} }, sellers }
  await setUp(bursar, { ownerName: 'owner', publicKey: owner.publicKey, version: 'test' })
  const { ownerId } = (await store.read.one('wallets', { name: 'sandbox' }))!
  const authority = { ownerId, channel: 'test', sign: signerOf(owner) }
  const account = ({ address }: PrivateKey) => `${FUJI.id}:${address}`
  await createWallet(bursar, authority, {
    ...{ name: 'usdc', currency: 'USDC', mode: 'sandbox' },
    chain: { network: FUJI, account: account(payer), relayer: account(relayer) },
  })
  const agentId = (await store.read.one('agents', { name: 'default' }))!.id
  return {
    ...{ bursar, authority, publicKey, path, network: FUJI },
    ...{ address: payer.address, relayerAddress: relayer.address },
    wallet: (await store.read.one('wallets', { name: 'usdc' }))!,
    caller: { agentId, sessionId: systemIds.make('session'), credentialId: null },
    close: () => store.close(),
  }
}
