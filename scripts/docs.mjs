// Writes the parts of the documentation that are made from the program and from mcp.json.
//
//   node scripts/docs.mjs           write them
//   node scripts/docs.mjs --check   change nothing; fail where one is not what the program says
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const FILES = ['README.md', 'docs/errors.md', 'docs/limits.md', 'docs/rest.md']
/** Where a reader's own checkout is, in every example. */
const CHECKOUT = '/path/to/bursar'

const SOURCES = `
export { VARIABLES } from './src/config.ts'
export { commandLine } from './src/cli/cli.ts'
export { EXIT_CODES } from './src/cli/failure.ts'
export { CODES } from './src/core/errors.ts'
export { defaultRules } from './src/core/limit.ts'
export { ROUTES } from './src/http/shared/routes.ts'
export { TOOLS } from './src/mcp/tools/index.ts'
export { toJSONSchema } from 'zod'
`

/** The program's own tables, from its sources as they are now. */
async function load() {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-docs-'))
  const outfile = join(folder, 'program.mjs')
  try {
    buildSync({
      absWorkingDir: ROOT,
      stdin: { contents: SOURCES, resolveDir: ROOT, loader: 'ts' },
      ...{ outfile, bundle: true, format: 'esm', platform: 'node', external: ['better-sqlite3'], logLevel: 'warning' },
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    })
    return await import(pathToFileURL(outfile).href)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function blocksOf(program) {
  const { command, args } = JSON.parse(readFileSync(join(ROOT, 'mcp.json'), 'utf8')).mcpServers.bursar
  const server = { command, args: args.map((arg) => (arg.includes('/') ? `${CHECKOUT}/${arg}` : arg)) }
  return {
    tools: tools(program),
    commands: commands(program.commandLine(SHELL)),
    environment: table(['variable', 'what it is'], pairs(program.VARIABLES)),
    'exit-codes': table(['code', 'means'], pairs(program.EXIT_CODES)),
    errors: errors(program.CODES),
    routes: routes(program.ROUTES),
    'default-limits': defaultLimits(program.defaultRules(2)),
    hosts: hosts(server),
  }
}

/** Commands are only looked at, never run. */
const SHELL = { terminal: { out() {}, err() {} }, program: { version: '', root: ROOT }, output: {} }

function tools({ TOOLS, toJSONSchema }) {
  return table(
    ['tool', 'arguments', 'what it does', 'effect'],
    TOOLS.map(({ name, input, description, effect }) => {
      const { properties, required = [] } = toJSONSchema(input, { io: 'input' })
      const names = Object.keys(properties).map((key) => `\`${key}\`${required.includes(key) ? '' : '?'}`)
      return [`\`${name}\``, names.join(' '), description, effect]
    }),
  )
}

function commands(root) {
  const leaves = (command, path) => {
    const here = `${path} ${command.name()}`
    if (command.commands.length > 0) return command.commands.flatMap((child) => leaves(child, here))
    const words = command.registeredArguments.map((one) => {
      const name = one.variadic ? `${one.name()}...` : one.name()
      return one.required ? `<${name}>` : `[${name}]`
    })
    const hidden = ['--json', '--help']
    const options = command.options.filter(({ long }) => !hidden.includes(long)).map(({ long }) => `\`${long}\``)
    return [[`\`${[here.trim(), ...words].join(' ')}\``, command.description(), options.join(' ')]]
  }
  const rows = root.commands.flatMap((command) => leaves(command, root.name()))
  return table(['command', 'what it does', 'options'], rows)
}

function errors(codes) {
  return table(
    ['code', 'try again', 'what to do next'],
    Object.entries(codes).map(([code, { retry, hint }]) => [`\`${code}\``, retry.replace('_', ' '), hint]),
  )
}

function routes(all) {
  const mayAgent = ({ agent }) => (agent === null ? '' : agent.scope === 'any' ? 'any' : `\`${agent.scope}\``)
  const mayOwner = ({ human }) => (human === null ? '' : human.power ? 'passphrase' : 'yes')
  return table(
    ['route', 'what it does', 'agent', 'owner'],
    Object.values(all).map((route) => [
      `${route.method.toUpperCase()} \`${route.path}\``,
      route.summary,
      mayAgent(route),
      mayOwner(route),
    ]),
  )
}

function defaultLimits(rules) {
  return table(
    ['scope', 'window', 'over', 'then'],
    rules.map(({ scope, window, maxAmount, over }) => [scope, window, `${maxAmount / 100n}.00`, over]),
  )
}

function hosts({ command, args }) {
  const stdio = { command, args }
  // A list of arguments on one line, as people write it.
  const oneLine = (text) => text.replace(/\[\s+([^\]]*?)\s+\]/g, (_, items) => `[${items.replace(/,\s+/g, ', ')}]`)
  const json = (value) => fenced('json', oneLine(JSON.stringify(value, null, 2)))
  const list = `[${args.map((arg) => JSON.stringify(arg)).join(', ')}]`
  const toml = `[mcp_servers.bursar]\ncommand = ${JSON.stringify(command)}\nargs = ${list}`
  const yaml = ['extensions:', '  bursar:', '    name: bursar', '    type: stdio', '    enabled: true']
  const goose = [...yaml, `    cmd: ${command}`, `    args: ${list}`, '    timeout: 300'].join('\n')
  return [
    ['Claude Code', 'Run this once, or commit the second block as `.mcp.json` in a project:'],
    [fenced('sh', `claude mcp add --scope user bursar -- ${command} ${args.join(' ')}`)],
    [json({ mcpServers: { bursar: stdio } })],
    ['Claude Desktop', '`claude_desktop_config.json` (Settings, Developer, Edit Config), then restart it:'],
    [json({ mcpServers: { bursar: stdio } })],
    ['VS Code', '`.vscode/mcp.json`, or the user configuration (`MCP: Open User Configuration`):'],
    [json({ servers: { bursar: { type: 'stdio', ...stdio } } })],
    ['Cursor', '`~/.cursor/mcp.json`, or `.cursor/mcp.json` in a project:'],
    [json({ mcpServers: { bursar: stdio } })],
    ['Codex CLI', '`~/.codex/config.toml`:'],
    [fenced('toml', toml)],
    ['goose', '`~/.config/goose/config.yaml`:'],
    [fenced('yaml', goose)],
  ]
    .map(([head, text]) => (text === undefined ? head : `### ${head}\n\n${text}`))
    .join('\n\n')
}

function fenced(language, text) {
  return `\`\`\`${language}\n${text}\n\`\`\``
}

function pairs(record) {
  return Object.entries(record).map(([name, text]) => [`\`${name}\``, text])
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

const BLOCK = /(<!-- made: ([a-z-]+) -->\n)[\s\S]*?(<!-- end -->)/g

/** The text with every block made anew. A block that nobody knows is an error. */
function renewed(text, blocks, used) {
  return text.replaceAll(BLOCK, (_, begin, name, end) => {
    if (!(name in blocks)) throw new Error(`There is no block ${name}.`)
    used.add(name)
    return `${begin}\n${blocks[name]}\n\n${end}`
  })
}

const check = process.argv.includes('--check')
const blocks = blocksOf(await load())
const used = new Set()
let stale = 0
for (const file of FILES) {
  const path = join(ROOT, file)
  const before = readFileSync(path, 'utf8')
  const after = renewed(before, blocks, used)
  if (after === before) continue
  stale += 1
  if (check) console.error(`docs: ${file} is not what the program says: run \`node scripts/docs.mjs\`.`)
  else writeFileSync(path, after)
}
const unused = Object.keys(blocks).filter((name) => !used.has(name))
if (unused.length > 0) console.error(`docs: nothing shows ${unused.join(', ')}.`)
process.exitCode = unused.length > 0 || (check && stale > 0) ? 1 : 0
