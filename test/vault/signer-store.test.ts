import * as fs from 'node:fs'
import { join } from 'node:path'
import type { Hex } from 'viem'
import { parseTransaction, recoverTypedDataAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { freezeWallet } from '../../src/actions/owner/freeze.ts'
import { fundedFact } from '../../src/actions/owner/fund.ts'
import { createWallet } from '../../src/actions/owner/wallets.ts'
import { question } from '../../src/actions/question.ts'
import { transferBooks } from '../../src/actions/transfer/books.ts'
import type { RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import type { Fact } from '../../src/core/event.ts'
import { NETWORKS } from '../../src/core/network.ts'
import { type Authorization, authorizationOf, type TypedData, typedDataOf } from '../../src/core/transfer.ts'
import type { Payment, Transfer, Wallet } from '../../src/core/types.ts'
import type { Bursar, Rail } from '../../src/ports.ts'
import { makeAccount } from '../../src/vault/accounts.ts'
import { makeVaultPassphrase, vaultPassphrases } from '../../src/vault/passphrase.ts'
import { vaultOf } from '../../src/vault/signer.ts'
import { makePurse } from '../support/purse.ts'
import { refusal } from './signer-fixture.ts'

const NETWORK = NETWORKS.find(({ id }) => id === 'eip155:84532')!
const PAYEE = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC'
const TERMS = { type: 'usdc', amount: '30.00', currency: 'USDC', expires_in: '1d', purpose: 'Data' }

/** A rail that begins nothing and says nothing, so that a payment stays authorized or in doubt. */
const silent = {
  serves: ({ asset }: Pick<Wallet, 'asset'>) => asset !== null,
  provision: async () => ({ railRef: 'test_1', display: '•••• 0001' }),
  setStatus: async () => undefined,
  pay: () => Promise.reject(new Error('no answer')),
  find: async () => null,
  refund: null,
  changes: async () => ({ records: [], cursor: null }),
  accounts: null,
} as unknown as Rail

/** A wallet with a key of its own and 50 USDC, an approved instrument, and a payment of 1.50 that nobody has sent yet. */
async function makePayment() {
  const purse = await makePurse()
  const { store, clock } = purse.bursar
  fs.chmodSync(purse.folder, 0o700)
  const sources = { file: null, home: purse.folder }
  const { passphrase } = await makeVaultPassphrase(sources, { keychain: false, live: false })
  const folder = join(purse.folder, 'accounts')
  const address = await makeAccount(folder, passphrase)
  const account = `${NETWORK.id}:${address}`
  const bursar: Bursar = { ...purse.bursar, rails: { ...purse.bursar.rails, usdc: silent } }
  const chain = { network: NETWORK, account, relayer: account }
  await createWallet(bursar, purse.authority, { name: 'base', currency: 'USDC', mode: 'sandbox', chain })
  const wallet = (await store.read.one('wallets', { name: 'base' })) as Wallet
  const funded = fundedFact(purse.authority, wallet, '50.00', 0n)
  const deposit = { tx_hash: `0x${'11'.repeat(32)}`, position: 0, from: PAYEE, block: 1 }
  const fact = { ...funded, details: { ...funded.details, deposit } } as Fact
  await store.update({ walletId: wallet.id }, () => ({ facts: [fact], result: null }))
  const request = await requestInstrument(bursar, purse.caller, TERMS)
  const proof = hostProof(purse.authority.ownerId, (await question(bursar, request.request_id)).digest, 'test')
  const { instrument } = (await approve(bursar, request.request_id, proof, {})) as RequestView
  const view = await pay(bursar, purse.caller, {
    ...{ instrument_id: instrument!.instrument_id, amount: '1.50', payee: { address: PAYEE }, purpose: 'One row' },
  })
  const payment = (await store.read.one('payments', { id: view.payment_id })) as Payment
  const vault = vaultOf({
    ...{ read: store.read, clock, folder, passphrases: () => vaultPassphrases(sources) },
    tokenOf: (asset) => (asset === wallet.asset ? NETWORK.usdc : null),
  })
  return { purse, bursar, wallet, payment, vault, account, address }
}

describe('signing from real books', () => {
  it('signs a payment in doubt and carries what was stored, until it is stopped', async () => {
    const { purse, bursar, wallet, payment, vault, account, address } = await makePayment()
    expect(payment.status).toBe('in_doubt')
    const authorization: Authorization = authorizationOf(payment, wallet)
    const typedData: TypedData = typedDataOf(authorization, NETWORK.usdc)
    const payer = await vault.payer(account)
    const signature = (await payer.sign(typedData, payment.id)) as Hex
    expect(await recoverTypedDataAddress({ ...typedData, signature } as never)).toBe(address)

    const stored = await transferBooks(bursar.store, bursar.clock).sign({
      authorization,
      signature,
      fromBlock: 1,
      proof: null,
    })
    const transfer = stored as Transfer
    const relayer = await vault.relayer(account)
    const terms = { chainId: 84532, nonce: 0, gas: 120_000n, maxFeePerGas: 1_000_000n, maxPriorityFeePerGas: 1_000n }
    const { raw } = (await relayer.carry(transfer))(terms)
    expect(parseTransaction(raw as Hex)).toMatchObject({ to: NETWORK.usdc.address.toLowerCase(), chainId: 84532 })

    for (const id of [undefined, null, {}, [payment.id], 1, true])
      await expect(payer.sign(typedData, id as never)).rejects.toThrow(refusal('not_authorized'))
    await freezeWallet(bursar, purse.authority, wallet.id)
    await expect(payer.sign(typedData, payment.id)).rejects.toThrow(refusal('stopped'))
  })
})
