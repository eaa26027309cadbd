import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { createColors } from 'picocolors'

/** Something did not happen as the story tells it. */
export class NotAsTold extends Error {
  override readonly name = 'NotAsTold'
}

/** Where the story is shown. Nothing is claimed that was not checked: {@link check} compares first, and prints then. */
export interface Stage {
  /** Whether somebody watches: lines may be written over, and come at a pace that can be read. */
  readonly live: boolean
  title(text: string, more: string): void
  chapter(text: string): Promise<void>
  /** Who does something next, and what. */
  act(who: 'agent' | 'you' | 'chain' | 'seller' | 'thief', text: string): Promise<void>
  /** What the reader should know, as opposed to what happened. */
  note(text: string): void
  /** Writes `claim` if `got` is `want`, with `why` beside it. @throws {@link NotAsTold} */
  check(claim: string, got: unknown, want: unknown, why?: string): void
  /** The lines of a question to the human. */
  quote(lines: readonly string[]): void
  /** Shows a state that passes; an empty text takes it away. Only for those who watch. */
  passing(text: string): void
  checks(): number
}

const LABEL = 7
const MARGIN = ''.padEnd(2 + LABEL)
/** Where longer lines are broken, margin included. */
const WIDTH = 110
const CHAPTER_MS = 1200
const ACT_MS = 700

export function stageOn(
  output: NodeJS.WritableStream,
  look: { readonly colorful: boolean; readonly live: boolean },
): Stage {
  const { live } = look
  const colors = createColors(look.colorful)
  const paints = {
    ...{ agent: colors.cyan, you: colors.yellow },
    ...{ chain: colors.blue, seller: colors.magentaBright, thief: colors.magenta },
  }
  let chapters = 0
  let checks = 0
  const write = (text: string) => void output.write(text)
  const lines = (texts: readonly string[]) => write(texts.map((text) => `${MARGIN}${text}\n`).join(''))
  const labelled = (label: string, text: string) => {
    const [first, ...others] = wrapped(text, WIDTH - MARGIN.length)
    write(`  ${label}${first}\n`)
    lines(others)
  }
  const dimmed = (text: string) => lines(wrapped(text, WIDTH - MARGIN.length).map(colors.dim))
  const pause = async (ms: number) => {
    if (live) await sleep(ms)
  }
  return {
    live,
    title: (text, more) => write(`\n${colors.bold(text)}\n${colors.dim(more)}\n`),
    async chapter(text) {
      await pause(CHAPTER_MS)
      chapters += 1
      write(`\n${colors.bold(`${chapters}  ${text}`)}\n`)
    },
    async act(who, text) {
      await pause(ACT_MS)
      labelled(paints[who](who.padEnd(LABEL)), who === 'you' ? `$ ${text}` : text)
    },
    note: dimmed,
    check(claim, got, want, why = '') {
      if (!isDeepStrictEqual(got, want)) {
        labelled(colors.red('✗'.padEnd(LABEL)), claim)
        throw new NotAsTold(`${claim}\n  expected ${JSON.stringify(want)}\n  and got  ${JSON.stringify(got)}`)
      }
      checks += 1
      const beside = why !== '' && MARGIN.length + claim.length + 2 + why.length <= WIDTH
      write(`  ${colors.green('✓'.padEnd(LABEL))}${claim}${beside ? `  ${colors.dim(why)}` : ''}\n`)
      if (!beside && why !== '') dimmed(why)
    },
    quote(texts) {
      const broken = texts.flatMap((text) => wrapped(text, WIDTH - MARGIN.length - 2, '  '))
      lines(broken.map((text) => `${colors.dim('│')} ${text}`.trimEnd()))
    },
    passing: (text) => live && write(text === '' ? '\r\u001b[2K' : `\r\u001b[2K${MARGIN}${colors.dim(text)}`),
    checks: () => checks,
  }
}

/** Lines of at most `width`, broken between words. `indent` begins all but the first. */
function wrapped(text: string, width: number, indent = ''): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string
    if (last !== '' && last.length + 1 + word.length > width) lines.push(indent + word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}
