import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import type { Command } from 'commander'
import { showWallet } from '../../actions/owner/inspect.ts'
import { exportLines, verifyExport, verifyStore } from '../../actions/owner/journal.ts'
import { BursarError } from '../../core/errors.ts'
import type { JournalEvent } from '../../core/event.ts'
import type { Bursar } from '../../ports.ts'
import { EVENT_COLUMNS } from '../columns.ts'
import { Ended, EXIT } from '../failure.ts'
import { JSON_OPTION, positiveInteger } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

interface ListOptions extends JsonOption {
  readonly wallet?: string
  readonly instance?: true
  readonly payment?: string
  readonly limit: number
}

interface VerifyOptions extends JsonOption {
  readonly vkey?: string
  readonly checkpoint?: readonly string[]
}

export function journalCommand(root: Command, shell: Shell): void {
  const journal = root.command('journal').description('What happened, for good: list, verify, export')
  journal
    .command('list')
    .description('List the last events, oldest first')
    .option('--wallet <wallet>', 'only of this wallet: id or name')
    .option('--instance', 'only of the instance: owner, agents, starts and stops')
    .option('--payment <payment>', 'only what is about this pay_ id')
    .option('--limit <count>', 'how many', positiveInteger, 50)
    .option(...JSON_OPTION)
    .action((options: ListOptions) =>
      shell.withBursar(({ bursar }) => shell.output.list(options, lastEvents(bursar, options), EVENT_COLUMNS)),
    )
  verifyCommand(journal, shell)
  journal
    .command('export')
    .description('Write all journals as JSON lines, which `journal verify FILE` checks anywhere')
    .option('--out <file>', 'a file that does not exist yet (default: stdout)')
    .option(...JSON_OPTION)
    .action((options: JsonOption & { out?: string }) => exportAction(shell, options))
}

function verifyCommand(journal: Command, shell: Shell): void {
  journal
    .command('verify')
    .description('Check every event, checkpoint and balance, of this bursar or of an export')
    .argument('[file]', 'what `journal export` wrote; needs no bursar here')
    .option('--vkey <key>', 'the key that must have signed an export (default: the one that it names itself)')
    .option('--checkpoint <file...>', 'checkpoints that were kept elsewhere: the journal must still hold what they say')
    .option(...JSON_OPTION)
    .action(async (file: string | undefined, options: VerifyOptions) => {
      const kept = options.checkpoint?.map(readText)
      const report =
        file === undefined
          ? await shell.withBursar(({ bursar, noteKey }) => verifyStore(bursar, noteKey, kept))
          : await verifyExport(readable(file), options.vkey ?? null, kept)
      shell.output.show(options, report)
      if (report.ok) return
      const [first] = report.problems
      const place = first?.seq == null ? '' : ` at event ${first.seq}`
      shell.terminal.err(`The journal does not hold: ${first?.journal ?? ''}${place}: ${first?.why ?? ''}\n`)
      throw new Ended(EXIT.journal)
    })
}

/** The end of one journal, or of all by time. With a payment, all that names it. */
function lastEvents(bursar: Bursar, { wallet, instance, payment, limit }: ListOptions): readonly JournalEvent[] {
  const { read } = bursar.store
  const only = instance ? 'instance' : wallet && showWallet(bursar, wallet).wallet_id
  const found = read
    .heads()
    .filter(({ journal }) => only === undefined || journal === only)
    .flatMap(({ journal, size }) => {
      const from = payment === undefined ? Math.max(0, size - limit) : 0
      const bodies = Array.from(read.events(journal, from), ({ body }) => body)
      const about = payment === undefined ? bodies : bodies.filter((body) => body.includes(payment))
      return about.map((body) => JSON.parse(body) as JournalEvent)
    })
  // Ids of a journal and places in it break ties: the order is always the same.
  const order = (a: JournalEvent, b: JournalEvent) =>
    compare(a.ts, b.ts) || compare(a.journal, b.journal) || a.seq - b.seq
  return found.sort(order).slice(-limit)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

async function exportAction(
  { output, terminal, withBursar }: Shell,
  options: JsonOption & { out?: string },
): Promise<void> {
  const { out } = options
  await withBursar(({ bursar, noteKey }) => {
    const lines = exportLines(bursar, noteKey)
    if (out === undefined) {
      for (const line of lines) terminal.out(lineOf(line))
      return
    }
    const file = created(out)
    try {
      for (const line of lines) writeSync(file, lineOf(line))
    } finally {
      closeSync(file)
    }
    output.show(options, { export: out, vkey: noteKey.vkey })
  })
}

function lineOf(line: string): string {
  return line.endsWith('\n') ? line : `${line}\n`
}

function created(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new BursarError('already_exists', `There is something at ${path}.`)
    throw new BursarError('argument_invalid', `${path} cannot be written: the system answers ${code}.`)
  }
}

function readable(path: string): string {
  closeSync(opened(path))
  return path
}

function readText(path: string): string {
  const file = opened(path)
  try {
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function opened(path: string): number {
  try {
    if (statSync(path).isFile()) return openSync(path, 'r')
  } catch (error) {
    throw new BursarError(
      'argument_invalid',
      `${path} cannot be read: the system answers ${(error as NodeJS.ErrnoException).code}.`,
    )
  }
  throw new BursarError('argument_invalid', `${path} is not a file.`)
}
