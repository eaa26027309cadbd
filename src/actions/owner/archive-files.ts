import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BursarError } from '../../core/errors.ts'
import type { NoteKey } from '../../core/note.ts'
import type { Kept, ReadFile } from '../../core/verify/index.ts'
import type { StoredEvent } from '../../ports.ts'

/** One event of a file: the text that was hashed, and where. */
export interface FiledEvent {
  readonly journal: string
  readonly seq: number
  readonly body: string
  readonly leaf: Buffer
}

/** Some lines of a file, all of one journal, by their bytes. `to` is beyond the last one. */
interface Lines {
  readonly from: number
  to: number
}

const NAME = /^bursar-([0-9]{4}-(?:0[1-9]|1[0-2]))\.jsonl$/
const EVENT = /^\{"event":(\{.*\}),"leaf":"([A-Za-z0-9+/]{43}=)"\}$/s
/** No event is as long. In bytes. */
const LINE_MAX = 16 * 1024 * 1024
const NEWLINE = 10

export function nameOf(month: string): string {
  return `bursar-${month}.jsonl`
}

/** A month's file as it is on the disk, read once and found to be of this instance; its events are read as they are asked for. */
export class MonthFile implements ReadFile {
  readonly name: string
  readonly month: string
  readonly digest: string
  /** How many events it has. */
  readonly events: number
  private readonly path: string
  private readonly lines: ReadonlyMap<string, readonly Lines[]>

  private constructor(path: string, month: string, found: Found) {
    this.path = path
    this.name = nameOf(month)
    this.month = month
    this.digest = found.digest
    this.events = found.events
    this.lines = found.lines
  }

  /** @throws `argument_invalid` where it cannot be read, or is of another instance or month */
  static async open(folder: string, month: string, key: NoteKey): Promise<MonthFile> {
    const path = join(folder, nameOf(month))
    const found = await scan(path)
    if (found.month !== month || found.vkey !== key.vkey)
      throw new BursarError('argument_invalid', `${path} is not the archive of this bursar's ${month}.`)
    return new MonthFile(path, month, found)
  }

  get journals(): Iterable<string> {
    return this.lines.keys()
  }

  /** The events of one journal in the order of the file. What cannot be read as an event is left out. */
  async *of(journal: string): AsyncIterable<FiledEvent> {
    for (const { from, to } of this.lines.get(journal) ?? [])
      for await (const { line } of linesIn(this.path, from, to)) {
        const event = eventIn(line)
        if (event) yield event
      }
  }
}

interface Found {
  readonly vkey: unknown
  readonly month: unknown
  readonly digest: string
  readonly events: number
  readonly lines: ReadonlyMap<string, Lines[]>
}

async function scan(path: string): Promise<Found> {
  const hash = createHash('sha256')
  const lines = new Map<string, Lines[]>()
  let header: Record<string, unknown> = {}
  const last = { journal: '', lines: { from: 0, to: 0 } }
  let events = 0
  for await (const { line, from, to } of linesIn(path, 0, undefined, (bytes) => hash.update(bytes))) {
    if (from === 0) header = headerIn(line)
    const event = eventIn(line)
    if (!event) continue
    events += 1
    if (events > 1 && last.journal === event.journal) last.lines.to = to
    else {
      Object.assign(last, { journal: event.journal, lines: { from, to } })
      lines.set(event.journal, [...(lines.get(event.journal) ?? []), last.lines])
    }
  }
  return { vkey: header.vkey, month: header.month, digest: hash.digest('hex'), events, lines }
}

function headerIn(line: Buffer): Record<string, unknown> {
  try {
    return JSON.parse(line.toString()) as Record<string, unknown>
  } catch {
    return {}
  }
}

function eventIn(line: Buffer): FiledEvent | null {
  const [, body, leaf] = EVENT.exec(line.toString()) ?? []
  if (body === undefined || leaf === undefined) return null
  try {
    const { journal, seq } = JSON.parse(body) as { journal?: unknown; seq?: unknown }
    if (typeof journal !== 'string' || !Number.isSafeInteger(seq)) return null
    return { journal, seq: seq as number, body, leaf: Buffer.from(leaf, 'base64') }
  } catch {
    return null
  }
}

/** Lines with the bytes at which they begin, and at which the next one does. @throws `argument_invalid` */
async function* linesIn(path: string, from: number, to?: number, seen?: (bytes: Buffer) => void) {
  let rest: Buffer = Buffer.alloc(0)
  let at = from
  try {
    for await (const chunk of createReadStream(path, { start: from, ...(to !== undefined && { end: to - 1 }) })) {
      seen?.(chunk as Buffer)
      rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
      let begin = 0
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, begin)) {
        yield { line: rest.subarray(begin, end), from: at + begin, to: at + end + 1 }
        begin = end + 1
      }
      rest = rest.subarray(begin)
      at += begin
      if (rest.length > LINE_MAX) throw new BursarError('argument_invalid', `${path} is no archive: a line has no end.`)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof BursarError || code === undefined) throw error
    throw new BursarError('argument_invalid', `${path} cannot be read: the system answers ${code}.`)
  }
  if (rest.length > 0) yield { line: rest, from: at, to: at + rest.length }
}

/** The files of a folder, oldest first, and what is in them. */
export class ArchiveFolder {
  readonly files: readonly MonthFile[]

  private constructor(files: readonly MonthFile[]) {
    this.files = files
  }

  /** @throws `argument_invalid` where the folder cannot be read, or a file in it is of another instance */
  static async open(folder: string, key: NoteKey): Promise<ArchiveFolder> {
    const files: MonthFile[] = []
    for (const month of monthsIn(folder)) files.push(await MonthFile.open(folder, month, key))
    return new ArchiveFolder(files)
  }

  /** Events of one journal, in their order, with the bodies that are archived. */
  async *whole(journal: string, events: AsyncIterable<Stored> | Iterable<Stored>): AsyncIterable<Stored & Kept> {
    const open = this.files.map((file) => new Cursor(file, journal))
    try {
      for await (const event of events) {
        if (event.body !== null) yield event
        else yield { ...event, ...((await filedAt(open, event.seq)) ?? {}) }
      }
    } finally {
      for (const cursor of open) await cursor.close()
    }
  }
}

type Stored = StoredEvent & Kept

async function filedAt(
  cursors: readonly Cursor[],
  seq: number,
): Promise<{ readonly body: string; readonly file: ReadFile } | null> {
  for (const cursor of cursors) {
    const body = await cursor.at(seq)
    if (body !== null) return { body, file: cursor.file }
  }
  return null
}

/** Reads the events of one journal in one file, as far as it was asked for. */
class Cursor {
  readonly file: MonthFile
  private readonly events: AsyncIterator<FiledEvent>
  private next: FiledEvent | null | undefined

  constructor(file: MonthFile, journal: string) {
    this.file = file
    this.events = file.of(journal)[Symbol.asyncIterator]()
  }

  /** Of places that are asked for in their order. */
  async at(seq: number): Promise<string | null> {
    while (this.next === undefined || (this.next !== null && this.next.seq < seq)) {
      const { done, value } = await this.events.next()
      this.next = done ? null : (value as FiledEvent)
    }
    return this.next?.seq === seq ? this.next.body : null
  }

  async close(): Promise<void> {
    await this.events.return?.()
  }
}

function monthsIn(folder: string): readonly string[] {
  try {
    if (statSync(folder).isDirectory())
      return readdirSync(folder)
        .flatMap((name) => NAME.exec(name)?.[1] ?? [])
        .sort()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new BursarError('argument_invalid', `${folder} cannot be read: the system answers ${code}.`)
  }
  throw new BursarError('argument_invalid', `${folder} is not a folder.`)
}
