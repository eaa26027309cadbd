// First: what runs here, and not in a process of its own, opens the same keys with the same little work.
import '../support/light-work.cjs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../../package.json' with { type: 'json' }
import { run } from '../../src/cli/cli.ts'
import type { Terminal } from '../../src/cli/program.ts'
import { type Config, configOf } from '../../src/config.ts'
import { programOf } from '../../src/main/program.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * One command in this process: all of it but the bundle, and a tenth of the time. What it logs goes nowhere.
 *
 * @param terminal where somebody is at one; else nobody is, and `input` is on stdin
 */
export async function commanded(
  variables: Readonly<Record<string, string>>,
  args: readonly string[],
  { input = '', ...terminal }: Partial<Terminal> & { readonly input?: string } = {},
): Promise<Ran> {
  const ran = { stdout: '', stderr: '' }
  const nobody = () => Promise.reject(new Error('Nobody is at the terminal.'))
  let config: Config | undefined
  const program = programOf({ version: packageJson.version, root: ROOT }, () => {
    config ??= configOf({ BURSAR_LOG: 'silent', ...variables })
    return config
  })
  const code = await run(args, program, {
    interactive: false,
    colors: false,
    out(text) {
      ran.stdout += text
    },
    err(text) {
      ran.stderr += text
    },
    confirm: nobody,
    secret: nobody,
    line: async () => input.split('\n', 1)[0] ?? '',
    ...terminal,
  })
  return { code, ...ran }
}
