// A chain of your own with a token for play, to try wallets in USDC on. It is gone when you stop it.
//
//   node docs/examples/local-chain.mjs                     start it, and say how bursar is told of it
//   node docs/examples/local-chain.mjs usdc ADDRESS 25.00  give somebody tokens
//   node docs/examples/local-chain.mjs eth ADDRESS 1       give somebody coins, for fees
//   node docs/examples/local-chain.mjs mine 10             make blocks, so that earlier ones become final
//
// Needs a checkout with its development packages: npm install.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { encodeFunctionData, getContractAddress, numberToHex, parseEther, parseUnits } from 'viem'
import { compiled } from '../../scripts/contracts.mjs'

const [PORT, CHAIN_ID] = [Number(process.env.CHAIN_PORT ?? 8545), 31337]
const URL = `http://127.0.0.1:${PORT}`
/** The last of the accounts whose keys every such chain knows. The token is the first thing that it makes. */
const HOUSE = '0xa0Ee7A142d267C1f36714E4a8F75612F20a79720'
const TOKEN = getContractAddress({ from: HOUSE, nonce: 0n })

async function ask(method, ...params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const answer = await fetch(URL, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const { result, error } = await answer.json()
  if (error) throw new Error(error.message)
  return result
}

async function start() {
  const child = spawn(
    anvil(),
    ['--port', `${PORT}`, '--chain-id', `${CHAIN_ID}`, '--slots-in-an-epoch', '1', '--silent'],
    {
      stdio: 'inherit',
    },
  )
  child.on('exit', (code) => process.exit(code ?? 0))
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill())
  const { bytecode } = await compiled()
  for (let tries = 0; ; tries++) {
    const answered = await ask('eth_chainId').catch(() => null)
    if (answered) break
    if (tries > 100) throw new Error('The chain did not start.')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await ask('eth_sendTransaction', { from: HOUSE, data: bytecode })
  process.stdout.write(`A chain is at ${URL}. Tell bursar of it:

  bursar network set eip155:${CHAIN_ID} --node ${URL} \\
    --token ${TOKEN} --token-name 'USD Coin' --token-version 2 --decimals 6\n`)
}

/** The program in the package for this platform. */
function anvil() {
  const above = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
  const machine = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  const own = createRequire(above).resolve(`@foundry-rs/anvil-${machine}/package.json`)
  return join(dirname(own), 'bin', process.platform === 'win32' ? 'anvil.exe' : 'anvil')
}

async function mint(address, amount) {
  const { abi } = await compiled()
  const data = encodeFunctionData({ abi, functionName: 'mint', args: [address, parseUnits(amount, 6)] })
  return ask('eth_sendTransaction', { from: HOUSE, to: TOKEN, data })
}

const [verb = 'start', first, second] = process.argv.slice(2)
if (verb === 'start') await start()
else if (verb === 'usdc' && second) process.stdout.write(`${await mint(first, second)}\n`)
else if (verb === 'eth' && second) await ask('anvil_setBalance', first, numberToHex(parseEther(second)))
else if (verb === 'mine' && first) await ask('anvil_mine', numberToHex(Number(first)))
else {
  process.stderr.write('usage: local-chain.mjs [usdc ADDRESS AMOUNT | eth ADDRESS AMOUNT | mine BLOCKS]\n')
  process.exitCode = 2
}
