import { existsSync } from 'node:fs'
import { CommanderError } from 'commander'
import { BursarError, type Code } from '../core/errors.ts'
import { Dismissed, type Program, type Terminal } from './program.ts'

/** What the program ends with. Documented in `bursar --help`. */
export const EXIT = { ok: 0, failed: 1, usage: 2, journal: 3, doctor: 4 } as const

export const EXIT_CODES = {
  [EXIT.ok]: 'done',
  [EXIT.failed]: 'refused or failed; stderr says why',
  [EXIT.usage]: 'wrong usage or configuration',
  [EXIT.journal]: '`journal verify` found that a journal does not hold',
  [EXIT.doctor]: '`doctor` found problems, or a wallet differs from its chain',
} as const

const CONFIGURATION: readonly Code[] = ['config_invalid', 'agent_unknown', 'schema_newer']

/** Hints are for agents unless said otherwise; an owner at the command line does other things next. */
const OWNER_HINTS: Partial<Record<Code, string>> = {
  not_found: 'List what there is, for example with `bursar wallet list` or `bursar request list`.',
  argument_invalid: 'Correct what is named and run it again; `--help` shows the usage.',
  amount_invalid: 'Give the amount as a plain decimal in the currency of the wallet, such as 49.00.',
  insufficient_funds: 'Put money in with `bursar wallet fund`.',
  rail_unavailable: 'Nothing was lost. Try again in a minute.',
}

/** A command that ran and whose answer is no: the answer is out already, only the exit code is left to give. */
export class Ended extends Error {
  override readonly name = 'Ended'
  readonly exitCode: number
  constructor(exitCode: number) {
    super(`exit ${exitCode}`)
    this.exitCode = exitCode
  }
}

interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** Says on stderr what went wrong and what to do next, and returns the exit code. */
export function fail(error: unknown, json: boolean, terminal: Terminal, program: Program): number {
  if (error instanceof Ended) return error.exitCode
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
  const failure = failureOf(error, program)
  // Commander has said it in words already.
  if (json) terminal.err(`${JSON.stringify({ error: failure })}\n`)
  else if (!(error instanceof CommanderError)) terminal.err(lines(failure))
  if (error instanceof CommanderError) return EXIT.usage
  return error instanceof BursarError && CONFIGURATION.includes(error.code) ? EXIT.usage : EXIT.failed
}

function failureOf(error: unknown, program: Program): Failure {
  if (error instanceof CommanderError)
    return {
      code: 'usage',
      message: withoutSecrets(error.message).replace(/^error: /, ''),
      hint: 'Run it with --help.',
    }
  if (error instanceof Dismissed) return { code: 'dismissed', message: 'No answer, so nothing was changed.', hint: '' }
  if (error instanceof BursarError) {
    const hint = OWNER_HINTS[error.code] ?? error.hint
    return { code: error.code, message: error.message, hint: hint + whereIsPassphrase(error, program) }
  }
  program.reportBug(error)
  return {
    code: 'internal',
    message: 'bursar failed in a way that it should not.',
    hint: 'This is a bug. The log line above says where; please report it.',
  }
}

/** What was typed in the wrong place is quoted to whoever typed it, but for URLs of nodes and private keys. */
export function withoutSecrets(text: string): string {
  return text.replace(/[a-z]+:\/\/[^\s']+|(?:0x)?[0-9a-f]{64}/gi, '…')
}

function lines({ code, message, hint }: Failure): string {
  return `${code}: ${message}\n${hint && `${hint}\n`}`
}

/** An embedded sandbox has a passphrase that nobody chose. It is not read for the owner: that would make it no secret. */
function whereIsPassphrase(error: BursarError, program: Program): string {
  if (error.code !== 'passphrase_wrong') return ''
  const { ownerPassphrase } = program.config().home
  return existsSync(ownerPassphrase) ? ` The passphrase of this sandbox is in ${ownerPassphrase}.` : ''
}
