import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format } from 'node:util'
import type { Figure } from './measure.ts'
import { isHeld } from './measure.ts'

const DOCUMENT = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs', 'benchmarks.md')
/** What a run writes stands between these; the rest of the page is written by hand. */
const BEGIN = '<!-- measured: written by npm run bench -->'
const END = '<!-- /measured -->'

/** The figures as a Markdown table, which reads as well in a terminal. */
export function tableOf(figures: readonly Figure[]): string {
  const head = ['what', 'against', 'ratio', 'target', 'held', '']
  const lines = figures.map((figure) => [
    figure.name,
    figure.against,
    figure.ratio.toFixed(2),
    figure.target?.replace('>=', '≥').replace('<=', '≤') ?? '',
    heldOf(figure),
    figure.note ?? '',
  ])
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]?.length ?? 0)))
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [row(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...lines.map(row)].join('\n')
}

function heldOf(figure: Figure): string {
  const held = isHeld(figure)
  if (held === null) return ''
  return held ? 'yes' : 'NO'
}

/** Puts the table and the machine it was measured on into docs/benchmarks.md. */
export async function writeDocument(figures: readonly Figure[]): Promise<void> {
  const page = await readFile(DOCUMENT, 'utf8')
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (before < 0 || after < before) throw new Error('docs/benchmarks.md has lost the place for the table.')
  const measured = `${BEGIN}\n${machine()}\n\n${tableOf(figures)}\n`
  await writeFile(DOCUMENT, page.slice(0, before) + measured + page.slice(after))
}

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return format('%s, %d cores, Node %s, %s.', model, availableParallelism(), process.versions.node, process.platform)
}
