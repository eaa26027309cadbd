// Compiles contracts/TestUSDC.sol for the local chain, when the contract or what it is compiled with has changed.
//
//   node scripts/contracts.mjs   compile, or say that there is nothing to do
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(import.meta.url)
const ROOT = dirname(dirname(SCRIPT))
const PACKAGES = join(ROOT, 'node_modules')
const NAME = 'TestUSDC'
const SOURCE = join(ROOT, 'contracts', `${NAME}.sol`)
const OUTPUT = join(PACKAGES, '.cache', 'bursar-contracts', `${NAME}.json`)

const SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  // The arguments of an authorization are more than the EVM's stack has room for.
  viaIR: true,
  outputSelection: { '*': { [NAME]: ['abi', 'evm.bytecode.object'] } },
}

/**
 * The contract as it is now. The compiler takes seconds and hundreds of megabytes, and installs handlers for the whole
 * process: it runs in a process of its own.
 *
 * @returns {Promise<{ abi: readonly object[], bytecode: `0x${string}` }>}
 */
export async function compiled() {
  const madeFrom = fingerprint()
  const found = cached(madeFrom)
  if (found) return found
  const child = spawn(process.execPath, [SCRIPT], { stdio: ['ignore', 'ignore', 'pipe'] })
  const said = []
  child.stderr.on('data', (data) => said.push(data))
  const [status] = await once(child, 'close')
  const made = cached(madeFrom)
  if (made) return made
  throw new Error(`${NAME}.sol was not compiled (status ${status}).\n${Buffer.concat(said)}`)
}

function cached(madeFrom) {
  try {
    const { abi, bytecode, ...rest } = JSON.parse(readFileSync(OUTPUT, 'utf8'))
    return rest.madeFrom === madeFrom ? { abi, bytecode } : null
  } catch {
    return null
  }
}

/** Of everything that the result depends on. */
function fingerprint() {
  const versions = ['solc', '@openzeppelin/contracts'].map((name) => {
    const { version } = JSON.parse(readFileSync(join(PACKAGES, name, 'package.json'), 'utf8'))
    return `${name} ${version}`
  })
  const parts = [readFileSync(SOURCE, 'utf8'), ...versions, JSON.stringify(SETTINGS)]
  return createHash('sha256').update(parts.join('\0')).digest('hex')
}

async function compile() {
  const { default: solc } = await import('solc')
  const file = `contracts/${NAME}.sol`
  const input = {
    language: 'Solidity',
    sources: { [file]: { content: readFileSync(SOURCE, 'utf8') } },
    settings: SETTINGS,
  }
  const read = (path) => ({ contents: readFileSync(join(PACKAGES, path), 'utf8') })
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }))
  const problems = output.errors ?? []
  if (problems.length > 0) throw new Error(problems.map(({ formattedMessage }) => formattedMessage).join('\n'))
  const { abi, evm } = output.contracts[file][NAME]
  return { abi, bytecode: `0x${evm.bytecode.object}` }
}

/** Whoever reads meanwhile sees the old file or the new one, whole; of several writers the last one stays. */
function keep(contract) {
  mkdirSync(dirname(OUTPUT), { recursive: true })
  const draft = `${OUTPUT}.${process.pid}`
  try {
    writeFileSync(draft, JSON.stringify(contract))
    renameSync(draft, OUTPUT)
  } finally {
    rmSync(draft, { force: true })
  }
}

if (process.argv[1] === SCRIPT) {
  const madeFrom = fingerprint()
  const where = relative(process.cwd(), OUTPUT)
  if (cached(madeFrom)) console.error(`contracts: ${where} is up to date`)
  else {
    keep({ madeFrom, ...(await compile()) })
    console.error(`contracts: wrote ${where}`)
  }
}
