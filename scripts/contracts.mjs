// Compiles the contracts of contracts/ for the local chain, each when it or what it is compiled with has changed.
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
const NAMES = ['TestUSDC', 'TestPermit2', 'TestUptoProxy']
const sourceOf = (name) => readFileSync(join(ROOT, 'contracts', `${name}.sol`), 'utf8')
const outputOf = (name) => join(PACKAGES, '.cache', 'bursar-contracts', `${name}.json`)

const settingsOf = (name) => ({
  optimizer: { enabled: true, runs: 200 },
  // The arguments of an authorization are more than the EVM's stack has room for.
  viaIR: true,
  outputSelection: { '*': { [name]: ['abi', 'evm.bytecode.object'] } },
})

/**
 * A contract as it is now. The compiler takes seconds and hundreds of megabytes, and installs handlers for the whole
 * process: it runs in a process of its own.
 *
 * @returns {Promise<{ abi: readonly object[], bytecode: `0x${string}` }>}
 */
export async function compiled(name = 'TestUSDC') {
  const madeFrom = fingerprint(name)
  const found = cached(name, madeFrom)
  if (found) return found
  const child = spawn(process.execPath, [SCRIPT], { stdio: ['ignore', 'ignore', 'pipe'] })
  const said = []
  child.stderr.on('data', (data) => said.push(data))
  const [status] = await once(child, 'close')
  const made = cached(name, madeFrom)
  if (made) return made
  throw new Error(`${name}.sol was not compiled (status ${status}).\n${Buffer.concat(said)}`)
}

function cached(name, madeFrom) {
  try {
    const { abi, bytecode, ...rest } = JSON.parse(readFileSync(outputOf(name), 'utf8'))
    return rest.madeFrom === madeFrom ? { abi, bytecode } : null
  } catch {
    return null
  }
}

/** Of everything that the result depends on. */
function fingerprint(name) {
  const versions = ['solc', '@openzeppelin/contracts'].map((used) => {
    const { version } = JSON.parse(readFileSync(join(PACKAGES, used, 'package.json'), 'utf8'))
    return `${used} ${version}`
  })
  const parts = [sourceOf(name), ...versions, JSON.stringify(settingsOf(name))]
  return createHash('sha256').update(parts.join('\0')).digest('hex')
}

async function compile(name) {
  const { default: solc } = await import('solc')
  const file = `contracts/${name}.sol`
  const input = {
    language: 'Solidity',
    sources: { [file]: { content: sourceOf(name) } },
    settings: settingsOf(name),
  }
  const read = (path) => ({ contents: readFileSync(join(PACKAGES, path), 'utf8') })
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }))
  const problems = output.errors ?? []
  if (problems.length > 0) throw new Error(problems.map(({ formattedMessage }) => formattedMessage).join('\n'))
  const { abi, evm } = output.contracts[file][name]
  return { abi, bytecode: `0x${evm.bytecode.object}` }
}

/** Whoever reads meanwhile sees the old file or the new one, whole; of several writers the last one stays. */
function keep(name, contract) {
  const output = outputOf(name)
  mkdirSync(dirname(output), { recursive: true })
  const draft = `${output}.${process.pid}`
  try {
    writeFileSync(draft, JSON.stringify(contract))
    renameSync(draft, output)
  } finally {
    rmSync(draft, { force: true })
  }
}

if (process.argv[1] === SCRIPT) {
  for (const name of NAMES) {
    const madeFrom = fingerprint(name)
    const where = relative(process.cwd(), outputOf(name))
    if (cached(name, madeFrom)) console.error(`contracts: ${where} is up to date`)
    else {
      keep(name, { madeFrom, ...(await compile(name)) })
      console.error(`contracts: wrote ${where}`)
    }
  }
}
