import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { commandLine } from '../../src/cli/cli.ts'
import { VARIABLES } from '../../src/config.ts'
import { CODES } from '../../src/core/errors.ts'
import { TOOLS } from '../../src/mcp/tools/index.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
].filter((path) => path.endsWith('.md'))

function text(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The command lines of a command that does something itself. Commands are only looked at, never run. */
function leaves(command: Command, path: readonly string[]): string[] {
  const here = [...path, command.name()]
  if (command.commands.length === 0) return [here.join(' ')]
  return command.commands.flatMap((child) => leaves(child, here))
}

describe('documentation', () => {
  it('says in its made parts what the program says', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/docs.mjs', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  it('has every tool', () => {
    const missing = TOOLS.filter(({ name }) => !text('README.md').includes(`| \`${name}\` |`))
    expect(missing.map(({ name }) => name)).toEqual([])
  })

  it('has every command', () => {
    const shell = { terminal: { out() {}, err() {} }, program: { version: '', root: ROOT }, output: {} }
    const commands = leaves(commandLine(shell as never), [])
    expect(commands.length).toBeGreaterThan(30)
    const readme = text('README.md')
    expect(commands.filter((command) => !new RegExp(`\\| \`${command}[ \`]`).test(readme))).toEqual([])
  })

  it('has every code', () => {
    const page = text('docs/errors.md')
    expect(Object.keys(CODES).filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([])
  })

  it('has every environment variable', () => {
    const readme = text('README.md')
    expect(Object.keys(VARIABLES).filter((name) => !readme.includes(`| \`${name}\` |`))).toEqual([])
  })

  it('has every type of event, and no other', () => {
    const source = ['', '/identity', '/journal'].map((part) => text(`src/core/event${part}.ts`)).join('')
    const types = Array.from(source.matchAll(/^ {2}'([a-z]+\.[a-z_]+)':/gm), ([, type]) => type)
    const table = text('docs/journal.md')
      .split('\n')
      .filter((line) => /^\| [a-z ]+ \| `[a-z]+\.[a-z_]+`/.test(line))
    const documented = Array.from(table.join('\n').matchAll(/`([a-z]+\.[a-z_]+)`/g), ([, type]) => type)
    expect(types.length).toBeGreaterThan(40)
    expect(documented.toSorted()).toEqual(types.toSorted())
  })

  it('shows hosts the server of mcp.json, in JSON that can be read', () => {
    const { bursar } = mcpJson().mcpServers
    const blocks = Array.from(text('README.md').matchAll(/```json\n([\s\S]*?)```/g), ([, json]) => JSON.parse(json!))
    const servers = blocks.map((block) => (block.mcpServers ?? block.servers).bursar)
    const args = bursar.args.map((arg) => (arg.includes('/') ? `/path/to/bursar/${arg}` : arg))
    expect(servers.length).toBeGreaterThanOrEqual(4)
    for (const server of servers) expect(server).toMatchObject({ command: bursar.command, args })
  })

  it('describes changes of this version', () => {
    const { version } = JSON.parse(text('package.json')) as { version: string }
    expect(text('CHANGELOG.md')).toMatch(new RegExp(`^## \\[${version}\\] - \\d{4}-\\d{2}-\\d{2}$`, 'm'))
  })
})

function mcpJson() {
  const server = z.strictObject({ command: z.string(), args: z.array(z.string()) })
  return z.strictObject({ mcpServers: z.strictObject({ bursar: server }) }).parse(JSON.parse(text('mcp.json')))
}

describe('mcp.json', () => {
  it('starts the built program, and holds no secret', () => {
    const { command, args } = mcpJson().mcpServers.bursar
    expect(command).toBe('node')
    expect(args).toEqual([(JSON.parse(text('package.json')) as { bin: { bursar: string } }).bin.bursar, 'mcp'])
    expect(existsSync(join(ROOT, args[0]!))).toBe(true)
  })
})

describe('links', () => {
  const links = PAGES.flatMap((page) =>
    Array.from(
      text(page)
        .replace(/```[\s\S]*?```/g, '')
        .matchAll(/\]\(([^)\s]+)\)/g),
      ([, target]) => ({ page, target: target! }),
    ),
  ).filter(({ target }) => !/^https?:/.test(target))

  it('there are some', () => {
    expect(links.length).toBeGreaterThan(15)
  })

  it.each(links)('$page has $target', ({ page, target }) => {
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : resolve('/', dirname(page), path).slice(1)
    expect(existsSync(join(ROOT, file))).toBe(true)
    if (anchor !== undefined) expect(anchorsOf(file)).toContain(anchor)
  })
})

/** Headings as GitHub names them. */
function anchorsOf(file: string): string[] {
  const headings = Array.from(text(file).matchAll(/^#+ (.+)$/gm), ([, heading]) => heading!)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
