import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as viem from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type Chain, startChain } from '../support/chain.ts'
import { bundled } from '../support/children.ts'
import { type NodeProxy, startProxy } from '../support/node-proxy.ts'

const KEY = generatePrivateKey()
const PAYER = privateKeyToAccount(KEY)
const SHOP = privateKeyToAccount(generatePrivateKey()).address
const USED = viem.parseAbiItem('event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)')
const TERMS = 'address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce'
const TYPES = { TransferWithAuthorization: viem.parseAbiParameters(TERMS) }

let chain: Chain

beforeEach(async () => {
  chain = await startChain()
  await chain.mint(PAYER.address, 1_000n)
})
afterEach(() => chain.stop())

function domain() {
  return { name: 'USD Coin', version: '2', chainId: chain.publicClient.chain.id, verifyingContract: chain.token }
}

/** Another authorization at every call, over 100 units to the shop. */
function authorization(more: object = {}) {
  const nonce = generatePrivateKey()
  const terms = { from: PAYER.address, to: SHOP, value: 100n, validAfter: 0n, validBefore: 2n ** 40n, nonce }
  return { ...terms, ...more }
}

/** Signed by the payer, sent by a stranger: whether it succeeded. */
async function relay(message: ReturnType<typeof authorization>, form: 'vrs' | 'bytes' = 'vrs'): Promise<boolean> {
  const types = { domain: domain(), types: TYPES, primaryType: 'TransferWithAuthorization' } as const
  const signature = await PAYER.signTypedData({ ...types, message })
  const { r, s, yParity } = viem.parseSignature(signature)
  const last = form === 'bytes' ? [signature] : [27 + yParity, r, s]
  const args = [...Object.values(message), ...last]
  const data = viem.encodeFunctionData({ abi: chain.abi, functionName: 'transferWithAuthorization', args })
  const [from] = await chain.rpc<viem.Address[]>('eth_accounts')
  return succeeded(await chain.rpc('eth_sendTransaction', [{ from, to: chain.token, data }]))
}

async function succeeded(hash: viem.Hex): Promise<boolean> {
  return (await chain.publicClient.waitForTransactionReceipt({ hash })).status === 'success'
}

function read(functionName: string, args: readonly unknown[] = []): Promise<unknown> {
  return chain.publicClient.readContract({ address: chain.token, abi: chain.abi, functionName, args })
}

const rawOf = (hash: viem.Hex) => chain.rpc<viem.Hex | null>('eth_getRawTransactionByHash', [hash])
const hashOf = async (block: number) => (await chain.publicClient.getBlock({ blockNumber: BigInt(block) })).hash
const numberOf = async (blockTag: viem.BlockTag) => Number((await chain.publicClient.getBlock({ blockTag })).number)

describe('the token', () => {
  it("has the domain of USDC's", async () => {
    expect(await read('DOMAIN_SEPARATOR')).toBe(viem.domainSeparator({ domain: domain() }))
    expect(await Promise.all(['name', 'version', 'decimals'].map((name) => read(name)))).toEqual(['USD Coin', '2', 6])
  })

  it.each(['vrs', 'bytes'] as const)('moves once for an authorization, however often it is sent (%s)', async (form) => {
    const terms = authorization()
    expect(await read('authorizationState', [PAYER.address, terms.nonce])).toBe(false)
    expect([await relay(terms, form), await relay(terms, form), await relay(terms)]).toEqual([true, false, false])
    expect(await read('authorizationState', [PAYER.address, terms.nonce])).toBe(true)
    expect([await chain.balance(PAYER.address), await chain.balance(SHOP)]).toEqual([900n, 100n])
    const logs = await chain.publicClient.getLogs({ address: chain.token, event: USED, fromBlock: 0n })
    expect(logs.map(({ args }) => args)).toEqual([{ authorizer: PAYER.address, nonce: terms.nonce }])
  })

  it.each([
    ['validBefore', 0n, false],
    ['validBefore', 1n, true],
    ['validAfter', 0n, false],
    ['validAfter', -1n, true],
  ])('compares %s with the second of the block: %i from it is %s', async (name, distance, valid) => {
    const then = (await chain.now()) + 1_000
    const terms = authorization({ [name]: BigInt(then) + distance })
    await chain.rpc('evm_setNextBlockTimestamp', [then])
    expect(await relay(terms)).toBe(valid)
    expect(await chain.now()).toBe(then)
  })

  it('moves nothing from or to who is on the blacklist', async () => {
    for (const account of [PAYER.address, SHOP]) {
      await chain.blacklist(account)
      expect(await relay(authorization())).toBe(false)
      await chain.blacklist(account, false)
      expect(await relay(authorization())).toBe(true)
    }
  })

  it('moves nothing while it is paused, and says why', async () => {
    await chain.pause()
    const call = { address: chain.token, abi: viem.erc20Abi, functionName: 'transfer', args: [SHOP, 1n] } as const
    const asked = chain.publicClient.simulateContract({ ...call, account: PAYER.address })
    await expect(asked).rejects.toThrow('Pausable: paused')
    expect(await relay(authorization())).toBe(false)
    await chain.pause(false)
    expect(await relay(authorization())).toBe(true)
  })
})

describe('the chain', () => {
  it('has `safe` and `finalized` as many blocks behind as it is told', async () => {
    const numbers = () => Promise.all((['latest', 'safe', 'finalized'] as const).map(numberOf))
    await chain.mine(70)
    const [latest = 0] = await numbers()
    expect(await numbers()).toEqual([latest, latest - 1, latest - 2])
    await chain.stop()
    chain = await startChain({ slotsInAnEpoch: 32 })
    await chain.mine(70)
    expect(await numbers()).toEqual([71, 39, 7])
  })

  it('takes a transfer back in a reorg; the same bytes sent again land', async () => {
    await chain.give(PAYER.address, viem.parseEther('1'))
    const hash = await chain.transfer(KEY, SHOP, 100n)
    const raw = await rawOf(hash)
    await chain.mine(2)
    const height = await numberOf('latest')
    const hashes = () => Promise.all([3, 2, 1, 0].map((back) => hashOf(height - back)))
    const before = await hashes()
    await chain.reorg(3)
    expect(await chain.rpc('eth_getTransactionReceipt', [hash])).toBe(null)
    expect([await rawOf(hash), await chain.balance(SHOP)]).toEqual([null, 0n])
    expect(await numberOf('latest')).toBe(height)
    expect((await hashes()).map((one, at) => one === before[at])).toEqual([true, false, false, false])
    expect(await chain.rpc('eth_sendRawTransaction', [raw])).toBe(hash)
    expect(await succeeded(hash)).toBe(true)
    expect([await chain.balance(PAYER.address), await chain.balance(SHOP)]).toEqual([900n, 100n])
  })

  it.each([
    ['is killed', 'SIGKILL', 'setInterval(() => {}, 1000)'],
    ['is told to end', 'SIGTERM', 'setInterval(() => {}, 1000)'],
    ['exits', null, 'process.exit()'],
    ['has nothing more to do', null, ''],
  ] as const)('leaves no node behind when its process %s', async (_, signal, then) => {
    const script = await bundled('test/support/chain.ts')
    const folder = mkdtempSync(join(tmpdir(), 'bursar-'))
    onTestFinished(() => [folder, dirname(script)].forEach((gone) => void rmSync(gone, { recursive: true })))
    const program = `import { startChain } from '${pathToFileURL(script)}'
      const { url } = await startChain()
      process.stdout.write(url, () => { ${then} })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      ...{ stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TMPDIR: folder, TEMP: folder } },
    })
    const [url] = (await once(child.stdout!, 'data')) as [Buffer]
    if (signal) {
      expect((await fetch(`${url}`)).status).toBeGreaterThan(0)
      expect(readdirSync(folder)).toHaveLength(1)
      child.kill(signal)
    }
    await expect.poll(() => fetch(`${url}`).catch(() => 'gone'), { timeout: 5_000 }).toBe('gone')
    await expect.poll(() => readdirSync(folder), { timeout: 5_000 }).toEqual([])
  })
})

describe('the proxy', () => {
  let proxy: NodeProxy
  beforeEach(async () => {
    proxy = await startProxy(chain.url)
  })
  afterEach(() => proxy.stop())

  async function post(body: object): Promise<unknown> {
    const init = { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(1_000) }
    return (await fetch(proxy.url, init)).json()
  }

  /** The result, or the message of the error. */
  async function ask(method: string, ...params: unknown[]): Promise<unknown> {
    const answer = (await post({ jsonrpc: '2.0', id: 7, method, params })) as { result?: unknown; error?: Error }
    return answer.error ? answer.error.message : answer.result
  }

  it('is honest until it is told otherwise, and answers batches in their order', async () => {
    const batch = ['eth_chainId', 'eth_nonsense', 'eth_chainId'].map((method, id) => ({ jsonrpc: '2.0', id, method }))
    const answers = [{ id: 0, result: '0x7a69' }, { id: 1, error: { code: -32601 } }, { id: 2 }]
    expect(await post(batch)).toMatchObject(answers)
    expect(Object.fromEntries(proxy.calls)).toEqual({ eth_chainId: 2, eth_nonsense: 1 })
  })

  it('lags: what is in the last blocks has not happened yet', async () => {
    const data = viem.encodeFunctionData({ abi: viem.erc20Abi, functionName: 'balanceOf', args: [SHOP] })
    const call = { to: chain.token, data }
    await chain.mine(5)
    const before = await numberOf('latest')
    const hash = await chain.mint(SHOP, 9n)
    const { blockHash, blockNumber } = await chain.publicClient.getTransactionReceipt({ hash })
    const at = viem.toHex(blockNumber)
    await chain.mine()
    const tagged = (tag: string) => ask('eth_getBlockByNumber', tag, false) as Promise<{ number: viem.Hex }>
    const view = async () => ({
      numbers: [await ask('eth_blockNumber'), (await tagged('finalized')).number].map(Number),
      balances: [await ask('eth_call', call), await ask('eth_call', call, 'pending'), await ask('eth_call', call, at)],
      logs: ((await ask('eth_getLogs', { fromBlock: at, toBlock: 'latest' })) as object[]).length,
      block: Boolean(await ask('eth_getBlockByHash', blockHash, false)),
      receipt: Boolean(await ask('eth_getTransactionReceipt', hash)),
    })
    const [none, nine] = [0n, 9n].map((units) => viem.toHex(units, { size: 32 }))
    const now = { numbers: [before + 2, before], balances: [nine, nine, nine], logs: 1, block: true, receipt: true }
    expect(await view()).toEqual(now)
    proxy.lag(2)
    const then = { numbers: [before, before - 2], balances: [none, none, 'header not found'], logs: 0 }
    expect(await view()).toEqual({ ...then, block: false, receipt: false })
  })

  it('lies, and says the truth again once mended', async () => {
    proxy.lie('eth_getBalance', ([address], honest) => [address, honest])
    expect(await ask('eth_getBalance', SHOP, 'latest')).toEqual([SHOP, '0x0'])
    proxy.lie('eth_getBalance', () => Promise.reject(new Error('No such state.')))
    expect(await ask('eth_getBalance', SHOP, 'latest')).toBe('No such state.')
    proxy.mend()
    expect(await ask('eth_getBalance', SHOP, 'latest')).toBe('0x0')
  })

  it('is down, fails, hangs and is slow', async () => {
    proxy.down()
    await expect(ask('eth_chainId')).rejects.toThrow('fetch failed')
    proxy.down(false)
    proxy.failOnce('eth_chainId')
    expect([await ask('eth_chainId'), await ask('eth_chainId')]).toEqual(['Internal error', '0x7a69'])
    proxy.delay(200)
    const begin = Date.now()
    expect(await ask('eth_chainId')).toBe('0x7a69')
    expect(Date.now() - begin).toBeGreaterThanOrEqual(195)
    proxy.hang('eth_chainId')
    await expect(ask('eth_chainId')).rejects.toThrow('timeout')
  })

  it('drops the reply to what the node has done', async () => {
    await chain.give(PAYER.address, viem.parseEther('1'))
    const hash = await chain.transfer(KEY, SHOP, 100n)
    const raw = await rawOf(hash)
    await chain.reorg(1)
    proxy.dropReply('eth_sendRawTransaction')
    await expect(ask('eth_sendRawTransaction', raw)).rejects.toThrow('fetch failed')
    expect([await succeeded(hash), await chain.balance(SHOP)]).toEqual([true, 100n])
    expect(await ask('eth_sendRawTransaction', raw)).toMatch(/already imported|nonce too low/)
  })
})
