import Table from 'cli-table3'
import { createColors } from 'picocolors'
import { plain } from '../core/text.ts'
import type { Terminal } from './program.ts'

export interface JsonOption {
  readonly json?: true
}

type Cell = string | number | boolean | null | undefined

/** One column of a table, or one line of a list of details. */
export interface Column<Row> {
  readonly title: string
  readonly of: (row: Row) => Cell
  readonly align?: 'right'
}

/** Writes answers: JSON for programs, tables for people. Whatever goes into a table is made safe to show first. */
export interface Output {
  list<Row>(options: JsonOption, rows: readonly Row[], columns: readonly Column<Row>[]): void
  show(options: JsonOption, view: object): void
  /** As {@link show}, but one list of the view is a table below it. */
  showWith<View extends object, Row>(options: JsonOption, view: View, rows: ListOf<View, Row>): void
  /** Text for people beside an answer. With `--json` it goes to stderr, and only where somebody is there to read it. */
  note(options: JsonOption, text: string): void
}

export interface ListOf<View, Row> {
  readonly name: keyof View
  readonly columns: readonly Column<Row>[]
}

const CELL_MAX = 60
const DETAIL_MAX = 600

export function outputOf(terminal: Terminal): Output {
  const colors = createColors(terminal.colors)
  const json = (value: unknown) => terminal.out(`${JSON.stringify(value, null, 2)}\n`)
  const output: Output = {
    list(options, rows, columns) {
      if (options.json) return json(rows)
      if (rows.length === 0) return terminal.out('There is none.\n')
      const table = new Table({
        head: columns.map(({ title }) => colors.bold(title)),
        colAligns: columns.map(({ align }) => align ?? 'left'),
        chars: BARE,
        style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
      })
      for (const row of rows) table.push(columns.map(({ of }) => text(of(row), CELL_MAX)))
      terminal.out(`${trimmed(table.toString())}\n`)
    },
    show(options, view) {
      if (options.json) return json(view)
      const lines = detailsOf(view)
      const width = Math.max(...lines.map(([label]) => label.length))
      for (const [label, value] of lines)
        terminal.out(`${colors.bold(label.padEnd(width))}  ${text(value, DETAIL_MAX)}\n`)
    },
    showWith<View extends object, Row>(options: JsonOption, view: View, { name, columns }: ListOf<View, Row>) {
      if (options.json) return json(view)
      const { [name]: rows, ...others } = view
      output.show(options, others)
      terminal.out(`\n${String(name)}\n`)
      output.list(options, rows as readonly Row[], columns)
    },
    note(options, words) {
      if (!options.json) terminal.out(words)
      else if (terminal.interactive) terminal.err(words)
    },
  }
  return output
}

/** Facts and, last and apart from them, somebody else's words about them. */
export function factLines(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(...facts.map(([label]) => label.length))
  return facts.map(([label, value]) => `  ${label.padEnd(width)}  ${plain(value, DETAIL_MAX)}\n`).join('')
}

function text(cell: Cell, max: number): string {
  return cell === null || cell === undefined || cell === '' ? '-' : plain(String(cell), max)
}

/** Every value of a view by its own name, nested ones as `instrument.status`. Lists of things are one line for each. */
function detailsOf(view: object, prefix = ''): (readonly [string, Cell])[] {
  return Object.entries(view).flatMap(([name, value]): (readonly [string, Cell])[] => {
    const label = prefix + name
    if (typeof value !== 'object' || value === null) return [[label, value as Cell]]
    if (!Array.isArray(value)) return detailsOf(value, `${label}.`)
    if (value.every((item) => typeof item !== 'object')) return [[label, value.join(', ')]]
    return value.map((item, i): readonly [string, Cell] => [`${label}.${i + 1}`, summary(item)])
  })
}

function summary(item: object): string {
  return Object.entries(item)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(' ')
}

function trimmed(table: string): string {
  return table.replace(/ +$/gm, '')
}

const NOTHING = ['top', 'bottom', 'left', 'right', 'mid', 'left-mid', 'mid-mid', 'right-mid', 'middle'] as const
const CORNERS = ['top-mid', 'top-left', 'top-right', 'bottom-mid', 'bottom-left', 'bottom-right'] as const
const BARE = Object.fromEntries([...NOTHING, ...CORNERS].map((place) => [place, '']))
