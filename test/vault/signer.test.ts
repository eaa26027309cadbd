import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type Hex, recoverTypedDataAddress } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TypedData } from '../../src/core/transfer.ts'
import type { Payer, RelaySigner, Vault } from '../../src/ports/chain.ts'
import { importAccount } from '../../src/vault/accounts.ts'
import { PrivateKey } from '../../src/vault/private-key.ts'
import { payerOf, vaultOf } from '../../src/vault/signer.ts'
import { ACCOUNT, asked, BASE, books, OTHER, PAYER, PAYMENT, SECRET, startOver, state } from './signer-fixture.ts'

const PASSPHRASE = 'correct horse battery staple'
const root = fs.mkdtempSync(join(tmpdir(), 'bursar-signer-'))
const folder = join(root, 'accounts')
afterAll(() => fs.rmSync(root, { recursive: true }))

const passphrases = async function* () {
  yield { passphrase: PASSPHRASE }
}

let vault: Vault
let payer: Payer
let relayer: RelaySigner
beforeAll(async () => {
  await importAccount(folder, PASSPHRASE, SECRET)
  vault = vaultOf({ ...books, folder, passphrases })
  payer = await vault.payer(ACCOUNT)
  relayer = await vault.relayer(ACCOUNT)
})
beforeEach(startOver)

describe('payer', () => {
  it('signs what an authorized payment says, as any other wallet would, and always the same', async () => {
    const signature = (await payer.sign(asked(), PAYMENT)) as Hex
    expect(signature).toBe(await PAYER.signTypedData(asked() as never))
    expect(signature).toMatch(/^0x[0-9a-f]{128}(?:1b|1c)$/)
    expect(await recoverTypedDataAddress({ ...(asked() as never as object), signature } as never)).toBe(PAYER.address)
    expect(await payer.sign(asked(), PAYMENT)).toBe(signature)
    state.rows.payments = { ...state.rows.payments, status: 'in_doubt' }
    expect(await payer.sign(asked(), PAYMENT)).toBe(signature)
  })

  it('signs with s in the lower half, whatever the payment', async () => {
    const half = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n
    const recoveries = new Set<string>()
    for (let i = 0; i < 24; i++) {
      state.rows.payments = { ...state.rows.payments, id: `${PAYMENT.slice(0, -2)}${i + 10}` }
      const signature = await payer.sign(asked(), state.rows.payments.id)
      expect(signature).toBe(await PAYER.signTypedData(asked() as never))
      expect(BigInt(`0x${signature.slice(66, 130)}`)).toBeLessThanOrEqual(half)
      recoveries.add(signature.slice(130))
    }
    expect([...recoveries].sort()).toEqual(['1b', '1c'])
  })

  it('signs what the books say, not the object that it was given', async () => {
    const signature = await payer.sign(asked(), PAYMENT)
    // Says the right thing when it is looked at, and another ever after.
    let looks = 0
    const shifty = asked()
    const { message } = shifty
    Object.defineProperty(shifty, 'message', {
      enumerable: true,
      get: () => (looks++ === 0 ? message : { ...message, to: OTHER }),
    })
    expect(await payer.sign(shifty, PAYMENT)).toBe(signature)
  })

  it('works with a key that is far away', async () => {
    const near = new PrivateKey(Buffer.from(SECRET, 'hex'))
    const digests: Uint8Array[] = []
    const far = {
      address: near.address,
      async signDigest(digest: Uint8Array) {
        digests.push(digest)
        await new Promise((resolve) => setImmediate(resolve))
        return near.signDigest(digest)
      },
    }
    const remote = await payerOf(books, ACCOUNT, far)
    expect(await remote.sign(asked(), PAYMENT)).toBe(await payer.sign(asked(), PAYMENT))
    await expect(remote.sign({ ...asked(), primaryType: 'Permit' }, PAYMENT)).rejects.toThrow()
    expect(digests).toHaveLength(1)
  })

  it('security: has no other way to sign', () => {
    expect(Object.keys(payer)).toEqual(['sign'])
    expect(Object.keys(relayer)).toEqual(['carry'])
    expect(Object.keys(vault)).toEqual(['payer', 'relayer'])
  })
})

describe('vault', () => {
  const unavailable = { name: 'BursarError', code: 'key_unavailable' }

  it('opens a key once, for all who ask at once and after, on every chain', async () => {
    let asks = 0
    const counting = vaultOf({
      ...{ ...books, folder },
      passphrases: async function* () {
        asks++
        yield { passphrase: PASSPHRASE }
      },
    })
    await Promise.all([counting.payer(ACCOUNT), counting.payer(ACCOUNT), counting.relayer(ACCOUNT)])
    await counting.payer(`eip155:1:${PAYER.address}`)
    expect(asks).toBe(1)
  })

  it('tries one passphrase after the other, and again after it failed', async () => {
    const known: string[] = []
    const asks: string[] = []
    const later = vaultOf({
      ...{ ...books, folder },
      passphrases: async function* () {
        for (const passphrase of known) {
          asks.push(passphrase)
          yield { passphrase }
        }
      },
    })
    const none = later.payer(ACCOUNT)
    await expect(none).rejects.toMatchObject(unavailable)
    await expect(none).rejects.toThrow('There is no passphrase')
    known.push('SECRETTEXT')
    const wrong = await later.payer(ACCOUNT).catch((thrown) => thrown)
    expect(wrong).toMatchObject(unavailable)
    expect(inspect(wrong)).not.toContain('SECRETTEXT')
    known.push(PASSPHRASE, 'never needed')
    expect(await (await later.payer(ACCOUNT)).sign(asked(), PAYMENT)).toBe(await payer.sign(asked(), PAYMENT))
    expect(asks).toEqual(['SECRETTEXT', 'SECRETTEXT', PASSPHRASE])
  })

  it.each([
    ['no key', `${BASE.id}:${OTHER}`],
    ['no address', `${BASE.id}:../accounts`],
    ['nothing', ''],
  ])('says that it has no key for %s', async (_what, account) => {
    await expect(vault.payer(account)).rejects.toMatchObject(unavailable)
    await expect(vault.relayer(account)).rejects.toMatchObject(unavailable)
  })

  it('says so when a file cannot be read, without its words', async () => {
    const damaged = join(root, 'damaged')
    fs.mkdirSync(damaged, { mode: 0o700 })
    fs.writeFileSync(join(damaged, `${PAYER.address.toLowerCase()}.json`), 'SECRETTEXT', { mode: 0o600 })
    const error = await vaultOf({ ...books, folder: damaged, passphrases })
      .payer(ACCOUNT)
      .catch((thrown) => thrown)
    expect(error).toMatchObject(unavailable)
    expect(inspect(error)).not.toMatch(/SECRETTEXT|damaged/)
  })

  it('security: nothing that it gives shows a key or a passphrase', async () => {
    for (const thing of [vault, payer, relayer]) {
      const text = inspect(thing, { showHidden: true, depth: null, getters: true }) + JSON.stringify(thing)
      expect(text.toLowerCase()).not.toContain(SECRET.slice(0, 12))
      expect(text).not.toMatch(/battery|Uint8Array|Buffer/)
    }
    for (const data of [asked(), null, SECRET, { ...asked(), primaryType: SECRET }]) {
      const error = await payer.sign(data as TypedData, 'pay_x').catch((thrown: unknown) => thrown)
      expect(inspect(error)).not.toContain(SECRET.slice(0, 12))
    }
  })
})
