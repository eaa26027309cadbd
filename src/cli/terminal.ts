import { BursarError } from '../core/errors.ts'
import { Dismissed, type Terminal } from './program.ts'

/** The real one. Questions are shown on stderr, so that stdout holds answers alone. Prompts load when somebody is asked. */
export function systemTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process
  for (const stream of [stdout, stderr]) stream.on('error', leaveQuietly)
  return {
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    // https://no-color.org: any value that is not empty.
    colors: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    async confirm(message) {
      const { confirm } = await import('@clack/prompts')
      return answered(await confirm({ message, initialValue: false, output: stderr }))
    },
    async secret(message) {
      const { password } = await import('@clack/prompts')
      // What is typed is not even counted in stars.
      return answered(await password({ message, mask: '', output: stderr }))
    },
    line: () => firstLine(stdin),
  }
}

/** Longer than anything that is given so. */
const LINE_MAX = 4_096

async function firstLine(stdin: NodeJS.ReadStream): Promise<string> {
  if (stdin.isTTY) throw new BursarError('argument_invalid', 'It cannot be typed here unseen: give it on stdin.')
  let text = ''
  for await (const part of stdin.setEncoding('utf8')) {
    text += part
    if (text.includes('\n') || text.length > LINE_MAX) break
  }
  return text.split('\n', 1)[0] ?? ''
}

/** Whoever read the answer has gone, as `| head` does: the rest is for nobody. */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}

/** Escape and Ctrl-C answer with a symbol. */
function answered<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer === 'symbol') throw new Dismissed()
  return answer as Exclude<T, symbol>
}
