import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as viem from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { unstick } from './pool.ts'

export interface ChainOptions {
  readonly chainId?: number
  /** Whole seconds between blocks. Without it every transaction gets a block at once. */
  readonly blockTimeSeconds?: number
  /** How many blocks `safe` is behind `latest`; `finalized` is twice as far. */
  readonly slotsInAnEpoch?: number
}

/** An account of the node's own, which mints and rules the token. The other nine are for whoever wants them. */
const HOUSE = '0xa0Ee7A142d267C1f36714E4a8F75612F20a79720'
const BURNT = '0x000000000000000000000000000000000000dEaD'
const SETTLE_MS = 60_000
const POLL_MS = 5

/**
 * Owns the node, and ends it when the pipe from whoever started it closes: at `stop()`, at the end of that process, and
 * also when that process was killed and could do nothing more. The node leaves states on disk, which go with it.
 */
const KEEPER = `
const { mkdtempSync, rmSync } = require('node:fs')
const states = mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'bursar-chain-'))
const [program, ...args] = [...process.argv.slice(1), '--cache-path', states]
const node = require('node:child_process').spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
process.on('exit', () => rmSync(states, { recursive: true, force: true }))
node.on('exit', (code) => process.exit(code ?? 0))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => node.kill('SIGKILL'))
process.stdin.on('close', () => node.kill('SIGKILL')).resume()
`

/** Starts a chain with the token on it and nothing else. */
export async function startChain(options: ChainOptions = {}): Promise<Chain> {
  const { chainId = 31337, blockTimeSeconds = 0, slotsInAnEpoch = 1 } = options
  const { abi, bytecode } = await contract()
  const [keeper, url] = await startNode(['--chain-id', `${chainId}`, '--slots-in-an-epoch', `${slotsInAnEpoch}`])
  const chain = new Chain(keeper, url, abi, chainId, blockTimeSeconds)
  try {
    await chain.rpc('anvil_setLoggingEnabled', [false])
    const hash = await chain.rpc<viem.Hex>('eth_sendTransaction', [{ from: HOUSE, data: bytecode }])
    await chain.publicClient.waitForTransactionReceipt({ hash })
    await chain.automine()
    return chain
  } catch (error) {
    await chain.stop()
    throw error
  }
}

export class Chain {
  readonly url: string
  readonly network: `eip155:${number}`
  readonly token = viem.getContractAddress({ from: HOUSE, nonce: 0n })
  /** The token's CAIP-19 name, as `network` is the chain's CAIP-2 name. */
  readonly asset: string
  /** Of the token, all of it. */
  readonly abi: viem.Abi
  readonly publicClient: viem.PublicClient<viem.HttpTransport, viem.Chain>
  private readonly keeper: ChildProcess
  private readonly blockTime: number
  private lastSent: Promise<unknown> = Promise.resolve()
  private mines = true
  private reorgs = 0n

  constructor(keeper: ChildProcess, url: string, abi: viem.Abi, chainId: number, blockTime: number) {
    const [name, nativeCurrency] = ['Local', { name: 'Ether', symbol: 'ETH', decimals: 18 }]
    const chain = viem.defineChain({ id: chainId, name, nativeCurrency, rpcUrls: { default: { http: [url] } } })
    const transport = viem.http(url, { retryCount: 0 })
    // Without a cache: `getBlockNumber` would answer what was so a moment ago.
    this.publicClient = viem.createPublicClient({ chain, transport, pollingInterval: 20, cacheTime: 0 })
    this.keeper = keeper
    this.url = url
    this.network = `eip155:${chainId}`
    this.asset = `${this.network}/erc20:${this.token}`
    this.abi = abi
    this.blockTime = blockTime
  }

  /** @throws viem's errors, with what the node said. */
  rpc<T = unknown>(method: string, params: readonly unknown[] = []): Promise<T> {
    return this.publicClient.request({ method, params } as never) as Promise<T>
  }

  // The next five give the hash of a transaction: once it has succeeded, or at once where `automine` is off.

  mint(to: viem.Address, units: bigint): Promise<viem.Hex> {
    return this.byHouse('mint', [to, units])
  }

  blacklist(account: viem.Address, on = true): Promise<viem.Hex> {
    return this.byHouse('blacklist', [account, on])
  }

  pause(on = true): Promise<viem.Hex> {
    return this.byHouse('pause', [on])
  }

  /** Signed with the key that is given, which pays the gas: `give` it some. */
  async transfer(privateKey: viem.Hex, to: viem.Address, units: bigint): Promise<viem.Hex> {
    const { chain } = this.publicClient
    const account = privateKeyToAccount(privateKey)
    const wallet = viem.createWalletClient({ account, chain, transport: viem.http(this.url) })
    const nonce = await this.publicClient.getTransactionCount({ address: account.address, blockTag: 'pending' })
    const data = viem.encodeFunctionData({ abi: viem.erc20Abi, functionName: 'transfer', args: [to, units] })
    return this.settled(await wallet.sendTransaction({ to: this.token, data, nonce }))
  }

  /**
   * Burns what a wallet has, without its key: what its owner may do elsewhere at any time. It uses one of the wallet's
   * nonces, but costs it no gas. `reorg` cannot keep it, since nobody signed it.
   */
  async takeAway(from: viem.Address, units: bigint): Promise<viem.Hex> {
    const data = viem.encodeFunctionData({ abi: viem.erc20Abi, functionName: 'transfer', args: [BURNT, units] })
    const balance = await this.publicClient.getBalance({ address: from })
    await this.rpc('anvil_impersonateAccount', [from])
    await this.give(from, balance + viem.parseEther('1'))
    try {
      return await this.settled(await this.rpc('eth_sendTransaction', [{ from, to: this.token, data }]))
    } finally {
      await this.rpc('anvil_stopImpersonatingAccount', [from])
      // Where nothing is mined yet, it still has to pay.
      if (this.mines) await this.give(from, balance)
    }
  }

  /** Sets what an address has of the chain's own money: as of the latest block, and a reorg of that block undoes it. */
  async give(address: viem.Address, wei: bigint): Promise<void> {
    await this.rpc('anvil_setBalance', [address, viem.toHex(wei)])
  }

  balance(address: viem.Address): Promise<bigint> {
    const call = { address: this.token, abi: viem.erc20Abi, functionName: 'balanceOf', args: [address] } as const
    return this.publicClient.readContract(call)
  }

  async mine(blocks = 1): Promise<void> {
    await unstick(this).then(() => this.rpc('anvil_mine', [viem.toHex(blocks)]))
  }

  /** Off: nothing is mined but by `mine` and `warp`. On: as the chain was started, with what has waited. */
  async automine(on = true): Promise<void> {
    // `evm_setAutomine` turns off only what it turned on; an interval of 0 turns off both.
    if (on && this.blockTime === 0) await this.rpc('evm_setAutomine', [true])
    else await this.rpc('evm_setIntervalMining', [on ? this.blockTime : 0])
    this.mines = on
  }

  /**
   * Puts other blocks in place of the last ones: as many, with other hashes, and empty. The transactions of the dropped
   * blocks are forgotten, mempool included, until someone sends them again; or they are kept, each in the block of the
   * same number. Deeper than twice `slotsInAnEpoch` it takes back what was `finalized`, which real chains do not.
   */
  async reorg(depth: number, { keepTransactions = false } = {}): Promise<void> {
    const kept = keepTransactions ? await this.rawTransactions(depth) : []
    // How far the node's clock is before the system's.
    const clock = () => this.rpc<number>('evm_increaseTime', [0])
    const before = await clock()
    // The same transactions at the same second would make the very same blocks, but for who proposes them.
    this.reorgs += 1n
    await this.rpc('anvil_setCoinbase', [viem.toHex(this.reorgs, { size: 20 })])
    await this.rpc('anvil_reorg', [depth, kept])
    // The node's clock went back to the last common block.
    await this.rpc('evm_increaseTime', [Math.max(0, before - (await clock()))])
  }

  /** Moves the clock on and mines a block. For a block of one very second there is `evm_setNextBlockTimestamp`. */
  async warp(seconds: number): Promise<void> {
    await this.rpc('evm_increaseTime', [seconds])
    await this.rpc('evm_mine')
  }

  /** The second of the latest block. The clock may be further: no block says so yet. */
  async now(): Promise<number> {
    return Number((await this.publicClient.getBlock()).timestamp)
  }

  /** Forgets a transaction that is in no block yet, or all of them. */
  async dropPending(hash?: viem.Hex): Promise<void> {
    await (hash ? this.rpc('anvil_dropTransaction', [hash]) : this.rpc('anvil_dropAllTransactions'))
  }

  async setNextBaseFee(wei: bigint): Promise<void> {
    await this.rpc('anvil_setNextBlockBaseFeePerGas', [viem.toHex(wei)])
  }

  /** Returns when the node is gone. Without it the node ends with this process. */
  async stop(): Promise<void> {
    if (this.keeper.exitCode !== null || this.keeper.signalCode !== null) return
    this.keeper.ref()
    const ended = once(this.keeper, 'exit')
    this.keeper.stdin!.end()
    await ended
  }

  /** One at a time: to several that come together the node gives the same nonce, and refuses all but one. */
  private async byHouse(functionName: string, args: readonly unknown[]): Promise<viem.Hex> {
    const data = viem.encodeFunctionData({ abi: this.abi, functionName, args })
    const send = () => this.rpc<viem.Hex>('eth_sendTransaction', [{ from: HOUSE, to: this.token, data }])
    const sent = this.lastSent.then(send)
    this.lastSent = sent.catch(() => undefined)
    return this.settled(await sent)
  }

  private async settled(hash: viem.Hex): Promise<viem.Hex> {
    for (const end = Date.now() + SETTLE_MS; this.mines && Date.now() < end; await sleep(POLL_MS)) {
      const receipt = await this.rpc<{ status: viem.Hex } | null>('eth_getTransactionReceipt', [hash])
      if (receipt?.status === '0x1') return hash
      if (receipt) throw new Error(`${hash} was reverted.`)
    }
    if (this.mines) throw new Error(`${hash} is in no block after ${SETTLE_MS / 1000} s.`)
    return hash
  }

  /** Of the last blocks, as sent, each with how many of these blocks are before its own. */
  private async rawTransactions(depth: number): Promise<[viem.Hex, number][]> {
    const first = (await this.publicClient.getBlockNumber()) - BigInt(depth) + 1n
    const found: [viem.Hex, number][] = []
    for (let index = 0; index < depth; index += 1) {
      const { transactions } = await this.publicClient.getBlock({ blockNumber: first + BigInt(index) })
      for (const hash of transactions) found.push([await this.rpc('eth_getRawTransactionByHash', [hash]), index])
    }
    return found
  }
}

async function startNode(args: readonly string[]): Promise<[ChildProcess, string]> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const command = ['-e', KEEPER, '--', nodePath(), '--host', '127.0.0.1', '--port', '0', ...args]
  const keeper = spawn(process.execPath, command, { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const url = await new Promise<string>((resolve, reject) => {
    let said = ''
    keeper.stdout.on('data', (data) => {
      said += data
      const where = /Listening on (\S+)/.exec(said)
      if (where) resolve(`http://${where[1]}`)
    })
    keeper.on('error', reject).on('exit', () => reject(new Error(`The node did not start.\n${said}`)))
  })
  // A chain that nobody stops keeps no process from ending.
  for (const one of [keeper, keeper.stdin as Socket, keeper.stdout as Socket]) one.unref()
  return [keeper, url]
}

/** The program in the package for this platform. The package above it would need a script at installation. */
function nodePath(): string {
  const machine = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  const above = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
  const own = createRequire(above).resolve(`@foundry-rs/anvil-${machine}/package.json`)
  return join(dirname(own), 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
}

/** Found from the checkout, not from this file: bundled it is elsewhere, and the compiler is in no bundle. */
export async function contract(name?: string): Promise<{ readonly abi: viem.Abi; readonly bytecode: viem.Hex }> {
  const script = join('scripts', 'contracts.mjs')
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, script)) && folder !== dirname(folder)) folder = dirname(folder)
  const { compiled } = await import(pathToFileURL(join(folder, script)).href)
  return compiled(name)
}
