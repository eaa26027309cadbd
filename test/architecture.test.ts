import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/**
 * Who may import whom. The folder is the security boundary: what agents reach cannot import what only owners may use.
 * A part may always import itself; the longest path that fits a file is its part.
 */
interface Part {
  readonly imports: readonly string[] | 'all'
  /** Files of which it may know the types, and nothing that runs. */
  readonly types?: readonly string[]
  /** Packages, by their names. */
  readonly packages?: readonly string[]
  /** Modules of Node. Without it all of them. */
  readonly node?: readonly string[]
}

const PURE = [
  'canonicalize',
  '@levischuck/tiny-cbor',
  'temporal-polyfill',
  'currency-codes',
  'iso-3166',
  'mcc',
  '@noble/hashes',
]
const HTTP = ['hono', '@hono/zod-openapi', 'zod']
const SQLITE = ['better-sqlite3', 'drizzle-orm']
/** What every part but the core may know. */
const PORTS = ['ports.ts', 'ports', 'core']

const PARTS: Readonly<Record<string, Part>> = {
  core: { imports: [], packages: PURE, node: ['node:crypto'] },
  'ports.ts': { imports: ['ports', 'core'], node: [] },
  ports: { imports: ['core'], node: [] },
  actions: { imports: PORTS },
  'actions/agent': { imports: ['actions', ...PORTS] },
  'actions/owner': { imports: ['actions', ...PORTS] },
  /** What every store does alike: journals, and what limits look at. */
  'store/shared': { imports: PORTS, node: ['node:crypto'] },
  'store/sqlite': { imports: ['store/shared', ...PORTS], packages: SQLITE },
  'store/postgres': { imports: ['store/shared', ...PORTS], packages: ['pg', 'drizzle-orm'] },
  /** Copies a purse from one store to another: it knows both. */
  'store/move': {
    imports: ['store/shared', 'store/sqlite', 'store/postgres', ...PORTS],
    packages: ['pg', ...SQLITE],
  },
  'rails/card': { imports: PORTS, packages: [...SQLITE, 'pg'] },
  'rails/usdc': { imports: PORTS, packages: ['viem'] },
  'protocols/x402': { imports: PORTS, packages: ['@x402/core'] },
  web: { imports: PORTS, packages: ['undici', 'ipaddr.js'] },
  vault: { imports: PORTS, packages: ['viem', '@noble/curves', '@noble/hashes', '@napi-rs/keyring'] },
  approvals: { imports: PORTS, packages: ['@simplewebauthn/server'] },
  notify: { imports: PORTS, packages: ['nodemailer', 'web-push', 'standardwebhooks', 'zod'] },
  mcp: {
    imports: ['mcp/pipe.ts', 'actions', 'actions/agent', ...PORTS],
    packages: ['@modelcontextprotocol/server', 'zod'],
  },
  'mcp/pipe.ts': { imports: [], packages: ['@modelcontextprotocol/server'] },
  // On the agent's side of `bursar serve`: it opens nothing.
  connect: { imports: ['mcp/pipe.ts', 'core'], packages: ['@modelcontextprotocol/client'] },
  cli: {
    imports: ['actions', 'actions/owner', 'approvals', 'config.ts', ...PORTS],
    packages: ['commander', '@clack/prompts', 'cli-table3', 'picocolors'],
  },
  // What agents reach over HTTP cannot import what owners do, either.
  'http/shared': { imports: ['actions', ...PORTS], packages: ['hono', '@hono/zod-openapi'] },
  'http/agent': { imports: ['http/shared', 'actions', 'actions/agent', ...PORTS], packages: HTTP },
  'http/mcp': {
    imports: ['http/shared', 'mcp', 'actions', ...PORTS],
    packages: [...HTTP, '@modelcontextprotocol/server', '@modelcontextprotocol/server-legacy'],
  },
  'http/owner': { imports: ['http/shared', 'actions', 'actions/owner', 'approvals', ...PORTS], packages: HTTP },
  http: {
    imports: ['http/shared', 'http/agent', 'http/mcp', 'http/owner', 'actions', 'actions/owner', 'approvals', ...PORTS],
    packages: [...HTTP, 'jose', 'rate-limiter-flexible', '@hono/node-server'],
  },
  /** Runs in the owner's browser. */
  console: {
    imports: ['core'],
    types: ['actions/wire.ts'],
    packages: [
      'preact',
      '@preact/signals',
      'chart.js',
      '@simplewebauthn/browser',
      '@picocss/pico',
      '@noble/curves',
      '@noble/hashes',
      'buffer',
    ],
    node: [],
  },
  'config.ts': { imports: ['core'], packages: ['zod'] },
  'system.ts': { imports: PORTS, packages: ['uuid'] },
  'telemetry.ts': { imports: ['config.ts', ...PORTS], node: [] },
  main: { imports: 'all', packages: [...SQLITE, 'pg', 'zod'] },
  'main.ts': { imports: 'all' },
}

const LINES_MAX = 250
const SOURCE = join(dirname(dirname(fileURLToPath(import.meta.url))), 'src')
/** A path or package has no space in it; what is between two texts that say `from` has. */
const STATEMENT = /(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"\s]+)\1/g
const TYPES = /\b(?:import|export) type\b[^'"]*?\bfrom\s*(['"])([^'"\s]+)\1/g
const COMPUTED = /\bimport\s*\(\s*(?!['"])|\brequire\s*\(|\bcreateRequire\b/
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm

type Files = ReadonlyMap<string, string>

/** Every breach of the table, in words. */
function breaches(files: Files): string[] {
  return [...files].flatMap(([file, text]) => {
    const part = partOf(file)
    if (part === null) return [`${file} belongs to no part`]
    const code = withoutTypes(file, part, text.replace(COMMENT, ''))
    const computed = COMPUTED.test(code) ? [`${file} imports something that cannot be checked`] : []
    const targets = Array.from(code.matchAll(STATEMENT), ([, , target = '']) => target)
    return [...computed, ...targets.flatMap((target) => breachesOf(file, part, target, files))]
  })
}

/** Without the statements that the part may have for their types alone. */
function withoutTypes(file: string, name: string, code: string): string {
  const { types = [] } = PARTS[name] as Part
  return code.replace(TYPES, (statement, _quote, target: string) =>
    types.includes(posix.join(posix.dirname(file), target)) ? '' : statement,
  )
}

function breachesOf(file: string, name: string, target: string, files: Files): string[] {
  const part = PARTS[name] as Part
  const may = (allowed: boolean) => (allowed ? [] : [`${file} (${name}) imports ${target}`])
  if (target.startsWith('node:')) return may(part.node?.includes(target) ?? true)
  if (!target.startsWith('.')) return may(part.packages?.includes(packageOf(target)) ?? false)
  const path = posix.join(posix.dirname(file), target)
  if (path === '../package.json') return may(name === 'main.ts')
  if (!files.has(path)) return [`${file} imports ${target}, which is not there`]
  const other = partOf(path)
  return may(other === name || part.imports === 'all' || (other !== null && part.imports.includes(other)))
}

function partOf(file: string): string | null {
  const fitting = Object.keys(PARTS).filter((name) => file === name || file.startsWith(`${name}/`))
  return fitting.sort((a, b) => b.length - a.length)[0] ?? null
}

function packageOf(target: string): string {
  const [scope = '', name = ''] = target.split('/')
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}

function sources(): Files {
  const paths = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.[cm]?[jt]sx?$/.test(path),
  )
  return new Map(paths.map((path) => [path.split(sep).join('/'), readFileSync(join(SOURCE, path), 'utf8')]))
}

describe('architecture', () => {
  const files = sources()
  const planted = (file: string, text: string) =>
    breaches(new Map([...files, [file, text]])).filter((breach) => breach.startsWith(`${file} `))

  it('security: every import is one that the table allows', () => {
    expect(breaches(files)).toEqual([])
  })

  it('every part of the table has a file', () => {
    const parts = new Set(Array.from(files.keys(), partOf))
    expect(Object.keys(PARTS).filter((name) => !parts.has(name))).toEqual([])
  })

  it(`no file has more than ${LINES_MAX} lines`, () => {
    const long = [...files].filter(([, text]) => text.trimEnd().split('\n').length > LINES_MAX)
    expect(long.map(([file]) => file)).toEqual([])
  })

  it.each([
    ['an agent surface that reaches the owner', 'mcp/x.ts', "import { fund } from '../actions/owner/fund.ts'"],
    ['an agent action that reaches the owner', 'actions/agent/x.ts', "import type { A } from '../owner/authority.ts'"],
    ['a shared action that reaches the owner', 'actions/x.ts', "export * from './owner/fund.ts'"],
    ['a lazy way to the owner', 'mcp/x.ts', "const { fund } = await import('../actions/owner/fund.ts')"],
    ['a type of the owner', 'mcp/x.ts', "type A = import('../actions/owner/authority.ts').OwnerAuthority"],
    ['an import over several lines', 'mcp/x.ts', "import {\n  fund,\n} from '../actions/owner/fund.ts'"],
    ['a surface that opens keys', 'mcp/x.ts', "import { ownerKeyFile } from '../vault/keys.ts'"],
    ['a surface that asks a chain', 'mcp/x.ts', "import { chainOf } from '../rails/usdc/chain.ts'"],
    ['a command that opens accounts', 'cli/x.ts', "import { openAccount } from '../vault/accounts.ts'"],
    ['a rail that opens keys', 'rails/usdc/x.ts', "import { openAccount } from '../../vault/accounts.ts'"],
    ['a port that does something', 'ports/x.ts', "import { readFileSync } from 'node:fs'"],
    ['an adapter that uses another', 'vault/x.ts', "import { openSqlite } from '../store/sqlite/index.ts'"],
    ['a core with a clock of its own', 'core/x.ts', "import { setTimeout } from 'node:timers/promises'"],
    ['a core with a package that is not pure', 'core/x.ts', "import { z } from 'zod'"],
    ['a core that knows the ports', 'core/x.ts', "import type { Store } from '../ports.ts'"],
    ['a console that acts by itself', 'console/x.ts', "import { fund } from '../actions/owner/fund.ts'"],
    ['more than types of what is there for them', 'console/x.ts', "import { x } from '../actions/wire.ts'"],
    ['a target that is computed', 'mcp/x.ts', 'await import(name)'],
    ['a way round imports', 'mcp/x.ts', "createRequire(import.meta.url)('../vault/keys.ts')"],
    ['a file that belongs to no part', 'utils/x.ts', ''],
  ])('security: sees %s', (_what, file, text) => {
    expect(planted(file, text)).toHaveLength(1)
  })

  it('reads every way to write an import, and no comment', () => {
    const text = "// from './nowhere.ts'\n/** import('./nowhere.ts') */\nimport './cli.ts'\n"
    expect(planted('cli/x.ts', text)).toEqual([])
  })
})
