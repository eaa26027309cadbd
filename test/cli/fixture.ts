import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, onTestFinished } from 'vitest'
import type { Ran } from './commanded.ts'

export type { Ran } from './commanded.ts'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const ENTRY = join(ROOT, 'dist', 'main.js')
export const PASSPHRASE = 'correct horse battery'

type Variables = Readonly<Record<string, string>>

/** What makes the keys of these homes cheap to open. Who gives a program other options gives it this as well. */
export const LIGHT = `--require ${JSON.stringify(join(ROOT, 'test', 'support', 'light-work.cjs'))}`
let nodeOptions = LIGHT

/** From now on, in this file: keys are sealed and opened with all the work that bursar asks for. */
export function wholeWork(): void {
  nodeOptions = ''
}

/** What a test is given to start programs in: nothing of this machine's own bursar. */
export function environment(home: string, more: Variables = {}): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME, BURSAR_HOME: home, ...(nodeOptions && { NODE_OPTIONS: nodeOptions }), ...more }
}

/** Runs the built program to its end, with nothing on stdin unless it is given. */
export function bursar(home: string, args: readonly string[], more: Variables = {}, input = ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ENTRY, ...args], {
      env: environment(home, more),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    // It may have ended without reading.
    child.stdin.on('error', () => {}).end(input)
    const ran = { stdout: '', stderr: '' }
    child.stdout.on('data', (data) => {
      ran.stdout += data
    })
    child.stderr.on('data', (data) => {
      ran.stderr += data
    })
    child.on('error', reject).on('close', (code) => resolve({ code, ...ran }))
  })
}

/** As {@link bursar}, in this process: for what a test needs before it begins, and for commands whose process is nothing special. */
export async function command(home: string, args: readonly string[], more: Variables = {}, input = ''): Promise<Ran> {
  // What was sealed with all the work is not opened with little.
  if (nodeOptions !== LIGHT) return bursar(home, args, more, input)
  const { commanded } = await import('./commanded.ts')
  return commanded({ BURSAR_HOME: home, ...more }, args, { input })
}

/** As {@link command}, by the owner, with `--json`: the answer. */
// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
export async function owner(home: string, ...args: string[]): Promise<any> {
  const ran = await command(home, [...args, '--json'], OWNER)
  if (ran.code !== 0) throw new Error(`exit ${ran.code}: ${ran.stderr}`)
  return JSON.parse(ran.stdout)
}

/** As {@link command}, by the owner, where it fails: the exit code and the error, which comes after what is logged. Answers are on stdout, or nowhere. */
export async function refused(home: string, args: readonly string[], input = ''): Promise<Failed> {
  const { code, stdout, stderr } = await command(home, [...args, '--json'], OWNER, input)
  return {
    exit: code,
    stdout,
    ...(JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error as { code: string; message: string }),
  }
}

interface Failed {
  readonly exit: number | null
  readonly stdout: string
  readonly code: string
  readonly message: string
}

export const OWNER: Variables = { BURSAR_OWNER_PASSPHRASE: PASSPHRASE }

const homes: string[] = []
afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true })
})

export function emptyHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'bursar-cli-'))
  homes.push(home)
  return home
}

let template: Promise<string> | undefined

/** A home of its own after `bursar init`. Made once and copied: sealing a key is slow on purpose. */
export async function newHome(): Promise<string> {
  template ??= makeTemplate()
  const home = emptyHome()
  cpSync(await template, home, { recursive: true })
  return home
}

async function makeTemplate(): Promise<string> {
  const home = emptyHome()
  const { code, stderr } = await command(home, ['init'], OWNER)
  if (code !== 0) throw new Error(stderr)
  return home
}

export interface Agent {
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  call(name: string, args: Record<string, unknown>): Promise<any>
  close(): Promise<void>
  /** What the server said on stderr so far. */
  stderr(): string
}

/** An agent host that starts `bursar mcp`. */
export async function agent(home: string, more: Variables = {}): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [ENTRY, 'mcp'],
    env: environment(home, more),
    stderr: 'pipe',
  })
  let said = ''
  transport.stderr?.on('data', (data) => {
    said += data
  })
  const client = new Client({ name: 'test', version: '1.0.0' })
  await client.connect(transport)
  onTestFinished(() => client.close())
  return {
    call: async (name, args) => (await client.callTool({ name, arguments: args })).structuredContent,
    close: () => client.close(),
    stderr: () => said,
  }
}

export const CARD = { type: 'virtual_card', amount: '200.00', currency: 'USD', expires_in: '7d', purpose: 'books' }
export const SHOP = { name: 'Bursar Test: Software Shop' }
