import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressOf } from '../cli/chain-fixture.ts'
import { environment, newHome, owner, ROOT, wholeWork } from '../cli/fixture.ts'

const TOKEN = '0x700b6A60ce7EaaEA56F065753d8dcB9653dbAD35'

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

describe('docs/x402.md, as it is written', { timeout: 120_000 }, () => {
  const children: ChildProcess[] = []
  const ports = { CHAIN_PORT: '', SHOP_PORT: '' }
  let home: string

  const example = (name: string, ...args: string[]) =>
    spawn(process.execPath, [join(ROOT, 'docs/examples', name), ...args], { env: environment(home, ports) })

  /** Leaves it running once it has said this. */
  async function start(name: string, said: string): Promise<void> {
    const child = example(name)
    children.push(child)
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (text) => String(text).includes(said) && resolve())
      child.on('exit', () => reject(new Error(`${name} ended.`)))
    })
  }

  /** Runs it to its end, with a human who approves. */
  async function ran(name: string, ...args: string[]): Promise<string> {
    const child = example(name, ...args)
    child.stdin.end('approve\n')
    let said = ''
    for await (const text of child.stdout) said += text
    return said
  }

  beforeAll(async () => {
    // The agent starts bursar itself.
    wholeWork()
    home = await newHome()
    ports.CHAIN_PORT = `${await freePort()}`
    ports.SHOP_PORT = `${await freePort()}`
    await start('local-chain.mjs', 'A chain is at')
    await start('x402-seller.mjs', 'Open:')
    const token = ['--token', TOKEN, '--token-name', 'USD Coin', '--token-version', '2', '--decimals', '6']
    const node = `http://127.0.0.1:${ports.CHAIN_PORT}`
    await owner(home, 'network', 'set', 'eip155:31337', '--node', node, ...token)
    const wallet = ['wallet', 'create', 'shopping', '--asset', 'USDC', '--network', 'eip155:31337']
    const { account } = await owner(home, ...wallet)
    await ran('local-chain.mjs', 'usdc', addressOf(account), '25.00')
    await owner(home, 'wallet', 'fund', 'shopping')
    await owner(home, 'wallet', 'allow', 'shopping', 'loopback')
  }, 120_000)
  afterAll(async () => {
    for (const child of children) {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
  })

  it.each([
    ['report', ['It costs 0.010000 USDC', 'HTTP 200. Payment', 'sunny, then rain', ': paid 0.010000 USDC to']],
    ['free', ['HTTP 200. Nothing was paid.', 'There will be weather.']],
    ['atlas', ['It costs 2.500000 USDC', 'max_amount_exceeded']],
    ['broken', ['the seller answered HTTP 500, and it may still be taken: do not pay again']],
    ['upfront', ['protocol_not_allowed: The seller wants the money before it has anything ready.']],
  ])('an agent goes to /%s', async (page, said) => {
    const all = await ran('agent.mjs', `http://127.0.0.1:${ports.SHOP_PORT}/${page}`, '0.05')
    expect(said.filter((text) => !all.includes(text))).toEqual([])
  })
})
