// Makes a checkout ready to run under the Node that runs this: packages as locked, the native module, dist/.
// Needs nothing but Node and npm, and does nothing where nothing is missing.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const NODE_MIN = [20, 19]
const BEAT_MS = 10_000

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]))
  fail(`bursar needs Node ${NODE_MIN.join('.')} or newer; this is ${process.version}.`)

if (!isInstalled()) {
  say('installing the packages that package-lock.json names ...')
  // As the lock says, and the lock stays as it is. Not `npm ci`: it refuses a lock without the optional packages of
  // other platforms, which some registries do not have. And without the packages' scripts: the only one that is needed
  // is run next, for this Node and against its own headers.
  await npm(['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'])
}
if (!sqliteLoads()) {
  say(
    `preparing better-sqlite3 for Node ${process.version} (fetched where offered, else compiled: a minute or two) ...`,
  )
  await npm(['rebuild', 'better-sqlite3'])
  if (!sqliteLoads())
    fail('better-sqlite3 does not load. It needs a C++ compiler and Python 3 where none is offered ready-made.')
}
const { build, isStale } = await import('./build.mjs')
if (isStale()) {
  say('building dist/ ...')
  await build()
}

/** Compares npm's own record of what it installed with the lock. What is optional may be missing, for other platforms. */
function isInstalled() {
  const record = join(ROOT, 'node_modules/.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = Object.entries(packagesOf(join(ROOT, 'package-lock.json'))).filter(([path]) => path !== '')
  const installed = packagesOf(record)
  return wanted.every(
    ([path, { version, optional }]) => (installed[path]?.version ?? (optional && version)) === version,
  )
}

function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

/** In a process of its own: a module built for another Node can take the whole process down. */
function sqliteLoads() {
  const script = "new (require('better-sqlite3'))(':memory:').close()"
  return spawnSync(process.execPath, ['-e', script], { cwd: ROOT, stdio: 'ignore' }).status === 0
}

/** Runs npm under this very Node, so that whatever it builds is built for it. What it says is shown when it fails. */
async function npm(args) {
  const cli = process.env.npm_execpath
  const [command, before] = cli?.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []]
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
  const env = { ...process.env, PATH, ...headers() }
  const shell = process.platform === 'win32' && command === 'npm'
  const child = spawn(command, [...before, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env, shell })
  const said = []
  child.stdout.on('data', (data) => said.push(data))
  child.stderr.on('data', (data) => said.push(data))
  const began = Date.now()
  const beat = setInterval(() => say(`... ${Math.round((Date.now() - began) / 1000)} s`), BEAT_MS)
  const [status] = await once(child, 'close')
  clearInterval(beat)
  if (status === 0) return
  process.stderr.write(Buffer.concat(said))
  fail(`npm ${args[0]} failed.`)
}

/** Where the headers of this Node are. A `nodedir` of npm's own configuration may be another Node's. */
function headers() {
  const prefix = dirname(dirname(realpathSync(process.execPath)))
  // The npm package `node` brings them in a package of its own, inside itself or beside it.
  const own = `node-${process.platform}-${process.arch}`
  const places = [prefix, join(prefix, 'node_modules', own), join(dirname(prefix), own)]
  const found = places.find((path) => existsSync(join(path, 'include/node/node.h')))
  return found ? { npm_config_nodedir: steady(found) } : {}
}

/**
 * Headers against which a native module does not take the process down. In some of Node 24, `ObjectWrap` gives back a
 * clean-up hook when it is destroyed, which aborts wherever garbage is collected while no JavaScript runs: in any server
 * that is idle. Such headers are copied without that hook, as they were before it.
 */
function steady(nodedir) {
  const header = readFileSync(join(nodedir, 'include/node/node_object_wrap.h'), 'utf8')
  const mended = header.replace(/^ +(Add|Remove)CleanupHook\(\);\n/gm, '')
  if (mended === header) return nodedir
  const copy = join(ROOT, 'node_modules/.cache', `node-${process.version}`)
  cpSync(join(nodedir, 'include'), join(copy, 'include'), { recursive: true })
  writeFileSync(join(copy, 'include/node/node_object_wrap.h'), mended)
  return copy
}

function say(text) {
  console.error(`setup: ${text}`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
