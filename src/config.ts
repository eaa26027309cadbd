import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { BursarError } from './core/errors.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** How to run. Never what may be spent: that is in the database, where only the owner changes it. */
export interface Config {
  /** Absolute paths. */
  readonly home: Home
  readonly database: DatabaseConfig
  readonly agent: string
  readonly agentKey: string | null
  /** The operator's name for this run; null: one is made up. */
  readonly session: string | null
  readonly ownerPassphrase: string | null
  /** Absolute path of a file that holds the passphrase of the accounts' keys; null: there is none, or it is elsewhere. */
  readonly vaultPassphraseFile: string | null
  readonly log: LogLevel
}

/** One file for one machine, or a server for any number of them. */
export type DatabaseConfig =
  /** Absolute. */
  | { readonly kind: 'file'; readonly path: string }
  /** One or more hosts, as libpq has it. It may hold a password: never show it. */
  | { readonly kind: 'postgres'; readonly url: string }

/** Where everything is kept. One directory, mode 0700. */
export interface Home {
  readonly directory: string
  /** The sandbox card network's own books. */
  readonly cards: string
  /** Signs the journals' checkpoints. */
  readonly journalKey: string
  /** Signs approvals; sealed under the owner's passphrase. */
  readonly ownerKey: string
  /** The passphrase of an embedded sandbox, which bursar made up. Nothing reads it but people. */
  readonly ownerPassphrase: string
  /** By which nodes chains are reached. Their URLs may hold secrets. */
  readonly networks: string
  /** By which ways the owner is told of things. All of it is secret. */
  readonly channels: string
  /** A folder: the keys of accounts on chains, each sealed in a file of its own. */
  readonly accounts: string
  /** Opens the accounts of sandbox wallets where the owner keeps no passphrase elsewhere. */
  readonly vaultPassphrase: string
  /** Says that the passphrase is in the keychain of the system. */
  readonly vaultKeychain: string
}

/** Every variable that bursar reads, with what it is for, as `bursar --help` lists them. */
export const VARIABLES = {
  BURSAR_HOME: 'the directory of data and keys (default: by the conventions of the system)',
  BURSAR_DATABASE_URL: 'the database: file:PATH (default: bursar.db in BURSAR_HOME), or postgres://…',
  BURSAR_AGENT: 'which agent `bursar mcp` serves: its name or id (default: default)',
  BURSAR_AGENT_KEY: 'the key that `bursar agent add` printed for that agent',
  BURSAR_SESSION: 'a name for this run, to which session limits apply (default: one per process)',
  BURSAR_OWNER_PASSPHRASE: "the owner's passphrase, for automation; otherwise it is asked for",
  BURSAR_VAULT_PASSPHRASE_FILE:
    'a private file with the passphrase that the keys of accounts on chains are sealed with',
  BURSAR_LOG: `how much to log on stderr: ${LOG_LEVELS.join(', ')} (default: warn)`,
} as const
type Variable = keyof typeof VARIABLES

type Environment = Readonly<Record<string, string | undefined>>

/** No control characters, no spaces at the ends: nobody means them, and shells and editors leave them behind. */
const CLEAN = /^(?!\s)[^\p{Cc}]+(?<!\s)$/u

const schema = z.strictObject({
  BURSAR_HOME: z.string().regex(CLEAN, 'must be a path').optional(),
  BURSAR_DATABASE_URL: z.string().regex(CLEAN, 'must be file:PATH or postgres://…').optional(),
  BURSAR_AGENT: z
    .string()
    .regex(/^[\w.@:-]{1,100}$/, 'must be the name or the id of an agent')
    .default('default'),
  BURSAR_AGENT_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{16,200}$/, 'must be the key that `bursar agent add` printed')
    .optional(),
  BURSAR_SESSION: z
    .string()
    .regex(/^[\w.@:-]{1,100}$/, 'must be 1 to 100 letters, digits or _ . @ : -')
    .optional(),
  BURSAR_OWNER_PASSPHRASE: z.string().min(1, 'must not be empty').optional(),
  BURSAR_VAULT_PASSPHRASE_FILE: z.string().regex(CLEAN, 'must be a path').optional(),
  BURSAR_LOG: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('warn'),
} satisfies Record<Variable, z.ZodType>)

/**
 * Reads the environment.
 *
 * @throws `config_invalid`, which names every variable that is unknown or malformed, and never shows a value.
 */
export function configOf(environment: Environment): Config {
  const ours = Object.entries(environment).filter(([name, value]) => name.startsWith('BURSAR_') && value !== undefined)
  const parsed = schema.safeParse(Object.fromEntries(ours))
  if (!parsed.success) throw new BursarError('config_invalid', parsed.error.issues.map(sentence).join(' '))
  const { data } = parsed
  const directory = resolve(data.BURSAR_HOME ?? defaultHome(environment, process.platform))
  return {
    home: homeOf(directory),
    database: databaseOf(data.BURSAR_DATABASE_URL ?? `file:${join(directory, 'bursar.db')}`),
    agent: data.BURSAR_AGENT,
    agentKey: data.BURSAR_AGENT_KEY ?? null,
    session: data.BURSAR_SESSION ?? null,
    ownerPassphrase: data.BURSAR_OWNER_PASSPHRASE ?? null,
    vaultPassphraseFile:
      data.BURSAR_VAULT_PASSPHRASE_FILE === undefined ? null : resolve(data.BURSAR_VAULT_PASSPHRASE_FILE),
    log: data.BURSAR_LOG,
  }
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return `${issue.path.join('.')} ${issue.message}.`
  return `There is no setting ${issue.keys.join(', ')}; there are ${Object.keys(VARIABLES).join(', ')}.`
}

function homeOf(directory: string): Home {
  return {
    directory,
    cards: join(directory, 'sandbox-cards.db'),
    journalKey: join(directory, 'journal.key'),
    ownerKey: join(directory, 'owner.key'),
    ownerPassphrase: join(directory, 'owner.passphrase'),
    networks: join(directory, 'networks.json'),
    channels: join(directory, 'channels.json'),
    accounts: join(directory, 'accounts'),
    vaultPassphrase: join(directory, 'vault.passphrase'),
    vaultKeychain: join(directory, 'vault.keychain'),
  }
}

/** XDG on Linux and its like, and what macOS and Windows have in its place. */
export function defaultHome(environment: Environment, platform: NodeJS.Platform): string {
  // The XDG Base Directory Specification: a relative path is to be ignored.
  if (environment.XDG_DATA_HOME?.startsWith('/')) return join(environment.XDG_DATA_HOME, 'bursar')
  const user = homedir()
  if (platform === 'darwin') return join(user, 'Library', 'Application Support', 'bursar')
  if (platform === 'win32') return join(environment.LOCALAPPDATA ?? join(user, 'AppData', 'Local'), 'bursar')
  return join(user, '.local', 'share', 'bursar')
}

function databaseOf(url: string): DatabaseConfig {
  if (!/^postgres(ql)?:/i.test(url)) return { kind: 'file', path: fileOf(url) }
  if (!/^postgres(ql)?:\/\/[^/]*\/[^/?]+(\?.*)?$/i.test(url)) throw invalid('must be postgres://USER@HOST/DATABASE')
  return { kind: 'postgres', url }
}

/** `file:PATH`, relative to the working directory, or a whole `file://` URL. */
function fileOf(url: string): string {
  const path = /^file:(?!\/\/)(.+)$/.exec(url)?.[1]
  if (path === ':memory:') throw invalid('must be a file: what is only in memory is lost with the process')
  if (path !== undefined) return resolve(path)
  try {
    return fileURLToPath(url)
  } catch {
    throw invalid('must be file:PATH or postgres://…')
  }
}

function invalid(problem: string): BursarError {
  return new BursarError('config_invalid', `BURSAR_DATABASE_URL: ${problem}.`)
}
