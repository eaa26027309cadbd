import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CACHE = join(ROOT, 'node_modules', '.cache', 'bursar-test')
const REQUIRE =
  "import { createRequire as bursarRequire } from 'node:module'; const require = bursarRequire(import.meta.url);"

/**
 * Bundles a program for Node 20, which runs no TypeScript, and gives its path. It stays within the package, where it finds
 * the migrations and the native module. Whoever asks removes the folder that it is in.
 */
export async function bundled(entry: string): Promise<string> {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'child-'))
  const outfile = join(folder, 'child.mjs')
  await build({
    ...{
      entryPoints: [join(ROOT, entry)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
    },
    ...{ external: ['better-sqlite3', '@napi-rs/keyring', 'vitest'], banner: { js: REQUIRE }, logLevel: 'error' },
  })
  return outfile
}

/** A process that takes jobs and gives answers, each a line of JSON. */
export class Child {
  readonly process: ChildProcess
  readonly ended: Promise<unknown>
  /** Every line that it ever printed. */
  readonly lines: string[] = []
  private readonly output: ReturnType<typeof createInterface>

  constructor(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(process.execPath, [script, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    this.ended = once(this.process, 'close')
    this.output = createInterface({ input: this.process.stdout! })
    this.output.on('line', (line) => this.lines.push(line))
  }

  /** @throws Error when it ends without an answer. */
  async ask<T>(job: object | null): Promise<T> {
    const answer = once(this.output, 'line')
    this.process.stdin!.write(`${JSON.stringify(job)}\n`)
    const line = await Promise.race([answer, this.ended.then(() => null)])
    if (line === null) throw new Error(`The child ended: ${this.process.exitCode ?? this.process.signalCode}.`)
    return JSON.parse((line as [string])[0]) as T
  }

  /** Ends it: gently, when it answers to the end of its input, or by force. */
  async stop(signal?: 'SIGKILL'): Promise<void> {
    if (signal) this.process.kill(signal)
    else this.process.stdin!.end()
    await this.ended
  }
}
