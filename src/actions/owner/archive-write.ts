import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { BursarError } from '../../core/errors.ts'
import { nameOf } from './archive-files.ts'

/** Lines are gathered to so many characters before they are written. */
const GATHER = 256 * 1024

/** A file of a month that is being written. It has its name only once all of it is on the disk. */
export class MonthWriter {
  private readonly folder: string
  private readonly month: string
  private readonly part: string
  private readonly file: number
  private lines: string[] = []
  private length = 0

  /** @throws `argument_invalid` where the folder cannot be written to */
  constructor(folder: string, month: string, header: object) {
    this.folder = folder
    this.month = month
    this.part = join(folder, `${nameOf(month)}.${randomBytes(6).toString('hex')}.part`)
    for (const name of leftIn(folder, month)) rmSync(join(folder, name))
    this.file = said(this.part, () => openSync(this.part, 'wx', 0o600))
    this.line(JSON.stringify(header))
  }

  line(text: string): void {
    this.lines.push(text)
    this.length += text.length
    if (this.length > GATHER) this.flush()
  }

  /** @throws `already_exists` where somebody else wrote the month meanwhile */
  finish(): void {
    this.flush()
    said(this.part, () => fsyncSync(this.file))
    closeSync(this.file)
    // Never over another file, which renaming would be.
    said(join(this.folder, nameOf(this.month)), () => linkSync(this.part, join(this.folder, nameOf(this.month))))
    rmSync(this.part)
  }

  /** Gives up: nothing of it stays. */
  drop(): void {
    rmSync(this.part, { force: true })
  }

  private flush(): void {
    const bytes = Buffer.from(this.lines.map((line) => `${line}\n`).join(''))
    for (let at = 0; at < bytes.length; ) at += said(this.part, () => writeSync(this.file, bytes, at))
    this.lines = []
    this.length = 0
  }
}

/** What was made in a folder is there after a power cut, too. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** What a run that was killed left of a month. No file has been made of it. */
function leftIn(folder: string, month: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith(`${nameOf(month)}.`) && name.endsWith('.part'))
}

function said<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new BursarError('already_exists', `There is something at ${path}.`)
    throw new BursarError('argument_invalid', `${path} cannot be written: the system answers ${code}.`)
  }
}
