import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = dirname(fileURLToPath(import.meta.url))
const INSTALLED = join(FOLDER, 'node_modules')
const SUITE = join(INSTALLED, '@modelcontextprotocol/conformance')
const NODE_MIN = 22

/** The packages of the suite, which are apart from the others, as their lock says. @throws Error with what npm said */
export function installSuite(): void {
  const { packages } = JSON.parse(readFileSync(join(FOLDER, 'package-lock.json'), 'utf8'))
  const { version } = packages['node_modules/@modelcontextprotocol/conformance']
  if (existsSync(join(SUITE, 'package.json')) && versionOf(SUITE) === version) return
  process.stderr.write('conformance: installing the official suite and a Node that runs it ...\n')
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
  const { status, stderr } = spawnSync('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], {
    ...{ cwd: FOLDER, encoding: 'utf8', env: { ...process.env, PATH }, shell: process.platform === 'win32' },
  })
  if (status !== 0) throw new Error(`The conformance suite could not be installed.\n${stderr}`)
}

/** The program that runs the suite: this Node where it is new enough, or the one that was installed with it. */
export function nodeForSuite(): string | null {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MIN) return process.execPath
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const path = join(INSTALLED, name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return existsSync(path) ? path : null
}

export interface Outcome {
  readonly status: number | null
  readonly output: string
  /** How many checks there were of each kind: `SUCCESS`, `FAILURE`, `WARNING`, … */
  readonly counts: Readonly<Record<string, number>>
  /** Scenarios in which a check failed, those that the suite does not score, too. */
  readonly failed: readonly string[]
}

/** What is expected to fail against a revision of the specification. */
export function baselineOf(revision: string): readonly string[] {
  return Array.from(readFileSync(pathOf(revision), 'utf8').matchAll(/^ {2}- (\S+)$/gm), ([, name = '']) => name)
}

/** Runs what a revision of the specification asks of a server. */
export async function runSuite(node: string, revision: string, url: string, results: string): Promise<Outcome> {
  const main = join(SUITE, 'dist/index.js')
  const args = ['--url', url, '--requirements', revision, '--expected-failures', pathOf(revision), '-o', results]
  const child = spawn(node, [main, 'server', ...args], { cwd: results, stdio: ['ignore', 'pipe', 'pipe'] })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => said.push(data))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, output: Buffer.concat(said).toString(), ...checksIn(results) }
}

/** The suite's own look at the baseline leaves out what it does not score, so that its files are read here. */
function checksIn(results: string): Pick<Outcome, 'counts' | 'failed'> {
  const counts: Record<string, number> = {}
  const failed: string[] = []
  for (const folder of readdirSync(results)) {
    const checks = JSON.parse(readFileSync(join(results, folder, 'checks.json'), 'utf8')) as { status: string }[]
    for (const { status } of checks) counts[status] = (counts[status] ?? 0) + 1
    const [, scenario = folder] = /^server-(.+)-\d{4}-\d{2}-\d{2}T/.exec(folder) ?? []
    if (checks.some(({ status }) => status === 'FAILURE')) failed.push(scenario)
  }
  return { counts, failed }
}

function pathOf(revision: string): string {
  return join(FOLDER, `expected-failures.${revision}.yml`)
}

function versionOf(path: string): string {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).version
}
