import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NotAsTold } from './stage.ts'

/** The program under demonstration, as it was built. */
export const MAIN = join(dirname(fileURLToPath(import.meta.url)), 'main.js')

/** A folder for one telling of the story, with a home of bursar in it. Thrown away at the end. */
export interface House {
  readonly folder: string
  readonly home: string
  remove(): void
}

export function makeHouse(): House {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-demo-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  return { folder, home: join(folder, 'home'), remove }
}

/** The environment of a child: nothing of the reader's own bursar, whatever is set there. */
export function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  const others = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('BURSAR_'),
  )
  return { ...Object.fromEntries(others), ...more }
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command of the command line of bursar, as the owner would type it. */
export function bursar(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** As {@link bursar}, for commands that have to work; returns what they answer. @throws {@link NotAsTold} */
export async function works(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await bursar(args, env)
  if (code !== 0) throw new NotAsTold(`\`bursar ${args.join(' ')}\` ended with ${code}.\n${stderr}`)
  return stdout
}

/** The passphrase that the sandbox made up: the owner reads it where bursar said that it is. */
export function ownerPassphrase(house: House): string {
  return readFileSync(join(house.home, 'owner.passphrase'), 'utf8').trim()
}
