import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import type { Command } from 'commander'
import { ArchiveFolder } from '../../actions/owner/archive-files.ts'
import { showWallet } from '../../actions/owner/inspect.ts'
import { exportLines, verifyExport, verifyStore } from '../../actions/owner/journal.ts'
import { BursarError } from '../../core/errors.ts'
import type { JournalEvent } from '../../core/event.ts'
import type { NoteKey } from '../../core/note.ts'
import type { Bursar } from '../../ports.ts'
import { EVENT_COLUMNS, type Listed } from '../columns.ts'
import { Ended, EXIT } from '../failure.ts'
import { JSON_OPTION, positiveInteger } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'
import { journalArchiveCommand } from './journal-archive.ts'

interface ListOptions extends JsonOption {
  readonly wallet?: string
  readonly instance?: true
  readonly payment?: string
  readonly limit: number
}

interface VerifyOptions extends JsonOption {
  readonly vkey?: string
  readonly checkpoint?: readonly string[]
  readonly archive?: string
}

interface ExportOptions extends JsonOption {
  readonly out?: string
  readonly archive?: string
}

const ARCHIVE_OPTION = ['--archive <dir>', 'where the files of `journal archive` are'] as const

export function journalCommand(root: Command, shell: Shell): void {
  const journal = root.command('journal').description('What happened, for good: list, verify, export, archive')
  journal
    .command('list')
    .description('List the last events, oldest first')
    .option('--wallet <wallet>', 'only of this wallet: id or name')
    .option('--instance', 'only of the instance: owner, agents, starts and stops')
    .option('--payment <payment>', 'only what is about this pay_ id')
    .option('--limit <count>', 'how many', positiveInteger, 50)
    .option(...JSON_OPTION)
    .action((options: ListOptions) =>
      shell.withBursar(async ({ bursar }) => {
        const { found, archived } = await lastEvents(bursar, options)
        shell.output.list(options, found, EVENT_COLUMNS)
        if (archived > 0) shell.output.note(options, `${archived} archived events were not searched.\n`)
      }),
    )
  verifyCommand(journal, shell)
  journal
    .command('export')
    .description('Write all journals as JSON lines, which `journal verify FILE` checks anywhere')
    .option('--out <file>', 'a file that does not exist yet (default: stdout)')
    .option(...ARCHIVE_OPTION)
    .option(...JSON_OPTION)
    .action((options: ExportOptions) => exportAction(shell, options))
  journalArchiveCommand(journal, shell)
}

function verifyCommand(journal: Command, shell: Shell): void {
  journal
    .command('verify')
    .description('Check every event, checkpoint and balance, of this bursar or of an export')
    .argument('[file]', 'what `journal export` wrote; needs no bursar here')
    .option('--vkey <key>', 'the key that must have signed an export (default: the one that it names itself)')
    .option('--checkpoint <file...>', 'checkpoints that were kept elsewhere: the journal must still hold what they say')
    .option(...ARCHIVE_OPTION)
    .option(...JSON_OPTION)
    .action(async (file: string | undefined, options: VerifyOptions) => {
      const report = await reportOf(shell, file, options)
      shell.output.show(options, report)
      if (!report.complete) shell.terminal.err(notRead(report.archived))
      if (report.ok) return
      const [first] = report.problems
      const place = first?.seq == null ? '' : ` at event ${first.seq}`
      shell.terminal.err(`The journal does not hold: ${first?.journal ?? ''}${place}: ${first?.why ?? ''}\n`)
      throw new Ended(EXIT.journal)
    })
}

function reportOf(shell: Shell, file: string | undefined, { vkey, checkpoint, archive }: VerifyOptions) {
  const kept = checkpoint?.map(readText)
  if (file === undefined)
    return shell.withBursar(async ({ bursar, noteKey }) =>
      verifyStore(bursar, noteKey, kept, await folderAt(archive, noteKey)),
    )
  if (archive !== undefined)
    throw new BursarError('argument_invalid', 'An export is made whole when it is made: `journal export --archive`.')
  return verifyExport(readable(file), vkey ?? null, kept)
}

async function folderAt(path: string | undefined, key: NoteKey): Promise<ArchiveFolder | null> {
  return path === undefined ? null : ArchiveFolder.open(path, key)
}

function notRead(count: number): string {
  return `${count} archived events were not read: of them only the leaves were verified, and neither approvals nor tables were compared with what they say. \`journal verify --archive DIR\` verifies all.\n`
}

/** The end of one journal, or of all by time. With a payment, all that names it; `archived`: where that could not be told. */
async function lastEvents(
  bursar: Bursar,
  { wallet, instance, payment, limit }: ListOptions,
): Promise<{ readonly found: readonly Listed[]; readonly archived: number }> {
  const { read } = bursar.store
  const only = instance ? 'instance' : wallet && (await showWallet(bursar, wallet)).wallet_id
  const found: Listed[] = []
  let archived = 0
  for (const { journal, size } of await read.heads()) {
    if (only !== undefined && journal !== only) continue
    const from = payment === undefined ? Math.max(0, size - limit) : 0
    for await (const { seq, type, body, leaf } of read.events(journal, from)) {
      if (body === null && payment !== undefined) archived += 1
      else if (body === null) found.push({ journal, seq, type, archived: true, leaf: leaf.toString('base64') })
      else if (payment === undefined || body.includes(payment)) found.push(JSON.parse(body) as JournalEvent)
    }
  }
  // Ids of a journal and places in it break ties: the order is always the same.
  const order = (a: Listed, b: Listed) =>
    compare(timeOf(a), timeOf(b)) || compare(a.journal, b.journal) || a.seq - b.seq
  return { found: found.sort(order).slice(-limit), archived }
}

/** What is archived was before all others. */
function timeOf(event: Listed): string {
  return event.archived ? '' : event.ts
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

async function exportAction({ output, terminal, withBursar }: Shell, options: ExportOptions): Promise<void> {
  const { out } = options
  await withBursar(async ({ bursar, noteKey }) => {
    const lines = exportLines(bursar, noteKey, await folderAt(options.archive, noteKey))
    if (out === undefined) {
      for await (const line of lines) terminal.out(lineOf(line))
      return
    }
    const file = created(out)
    try {
      for await (const line of lines) writeSync(file, lineOf(line))
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
