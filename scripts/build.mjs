// Bundles the program into dist/. Heavy parts stay in chunks of their own, which load where they are used.
//
//   node scripts/build.mjs               build
//   node scripts/build.mjs --if-possible build, or say nothing when esbuild is not installed (npm's `prepare`)
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const DIST = join(ROOT, 'dist')
const MAIN = join(DIST, 'main.js')

/** Programs, by the name they get in dist/. The demonstration and the measurements are built where they are there. */
const ENTRIES = { main: 'src/main.ts', demo: 'demo/main.ts', bench: 'bench/main.ts' }
/** The owner's console, for browsers. Flat in dist/console/: the page, its script and style, and chunks that load when they are used. */
const CONSOLE = [
  { in: 'src/console/index.html', out: 'index' },
  { in: 'src/console/icon.svg', out: 'icon' },
  { in: 'src/console/app.css', out: 'app' },
  { in: 'src/console/main.tsx', out: 'app' },
  { in: 'src/console/verify/worker.ts', out: 'verify' },
]
/** Alone in its file: not every browser lets a service worker import. */
const WORKER = { in: 'src/console/sw.ts', out: 'sw' }
/** What a build is made from. */
const SOURCES = [
  'src',
  'demo',
  'bench',
  'test/support',
  'test/sellers',
  'scripts/build.mjs',
  'package.json',
  'package-lock.json',
]

/** Some bundled packages are CommonJS and ask for Node's own modules by `require`, which ES modules do not have. */
const REQUIRE =
  "import { createRequire as bursarRequire } from 'node:module'; const require = bursarRequire(import.meta.url);"

/** zod's messages in fifty languages, which nobody asks for, are half of it: without them every start compiles so much less. */
const ENGLISH = {
  name: 'english',
  setup(build) {
    build.onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\][\w-]+\.js$/ }, ({ path }) =>
      /^(en|index)\.js$/.test(basename(path)) ? undefined : { contents: 'export default undefined' },
    )
  },
}

export async function build() {
  const esbuild = await import('esbuild')
  const entries = Object.entries(ENTRIES).filter(([, path]) => existsSync(join(ROOT, path)))
  const { metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(entries),
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Native: found beside the program at run time. vitest is for measurements alone, whose servers are those of the tests.
    external: ['better-sqlite3', '@napi-rs/keyring', 'vitest'],
    banner: { js: REQUIRE },
    // Less to read at every start. Names stay, for stacks that say something.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    plugins: [ENGLISH],
  })
  const outputs = { ...metafile.outputs, ...(await buildConsole(esbuild)) }
  removeOthers(Object.keys(outputs).map((path) => resolve(ROOT, path)))
  chmodSync(MAIN, 0o755)
  return { outputs }
}

async function buildConsole(esbuild) {
  const common = {
    absWorkingDir: ROOT,
    outdir: 'dist/console',
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  }
  const page = await esbuild.build({
    ...common,
    entryPoints: CONSOLE,
    loader: { '.html': 'copy', '.svg': 'copy' },
    splitting: true,
    format: 'esm',
    // The core that verifies on the server verifies in the browser, too: with these two in place of Node's.
    alias: { 'node:crypto': './src/console/verify/crypto.ts' },
    inject: ['src/console/verify/buffer.ts'],
  })
  const worker = await esbuild.build({ ...common, entryPoints: [WORKER], format: 'iife' })
  return { ...page.metafile.outputs, ...worker.metafile.outputs }
}

/** Whether dist/ is missing or older than what it is made from. */
export function isStale() {
  if (!existsSync(MAIN)) return true
  const built = statSync(MAIN).mtimeMs
  return SOURCES.some((source) => filesUnder(join(ROOT, source)).some((path) => statSync(path).mtimeMs > built))
}

function removeOthers(kept) {
  for (const path of filesUnder(DIST)) if (!kept.includes(path)) rmSync(path)
}

function filesUnder(path) {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap((name) => filesUnder(join(path, name)))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const possible = existsSync(join(ROOT, 'node_modules/esbuild'))
  if (possible || !process.argv.includes('--if-possible')) {
    const { outputs } = await build()
    const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0)
    console.error(
      `build: ${Object.keys(outputs).length} files in ${relative(process.cwd(), DIST) || '.'}, ${Math.ceil(bytes / 1024)} KiB`,
    )
  }
}
