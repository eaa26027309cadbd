import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Hono } from 'hono'
import type { HttpDeps } from '../deps.ts'
import { clientOf } from '../shared/client.ts'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  webmanifest: 'application/manifest+json',
}

/** Nothing runs and nothing is fetched but what is served here, and no other page shows these. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ')

const HEADERS = {
  'content-security-policy': POLICY,
  'permissions-policy':
    'publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=()',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Asked again each time, and answered with 304: a new version of bursar is a new page.
  'cache-control': 'no-cache',
} as const

/** The worker that shows notices is for the page, whose address ends without a slash (Service Workers, §6.1). */
const SCOPE = { 'service-worker-allowed': '/console' } as const

interface File {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  readonly etag: string
}

/**
 * The page, and what it is made of. Only what is in the folder now is ever served; every other address below is the page's own.
 *
 * @param folder where the browser's part of bursar was built
 */
export function fileRoutes(deps: HttpDeps, folder: string): Hono {
  const files = filesIn(folder)
  const app = new Hono()
  app.get('/*', (c) => {
    const { origin } = clientOf(c.req.raw)
    const { pathname, search } = new URL(c.req.url)
    // Passkeys and cookies are of one name.
    if (origin !== deps.origin) return c.redirect(`${deps.origin}${pathname}${search}`)
    const name = pathname.replace(/^\/console\/?/, '')
    const file = files.get(name) ?? (name.includes('.') ? undefined : files.get('index.html'))
    if (!file) return c.text('This bursar was built without its console, or there is nothing here.\n', 404, HEADERS)
    const headers = { ...HEADERS, ...(name === 'sw.js' && SCOPE), 'content-type': file.type, etag: file.etag }
    return c.req.header('if-none-match') === file.etag ? c.body(null, 304, headers) : c.body(file.bytes, 200, headers)
  })
  return app
}

function filesIn(folder: string): ReadonlyMap<string, File> {
  if (!existsSync(folder)) return new Map()
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  )
  return new Map(names.map((name) => [name.replaceAll('\\', '/'), fileAt(join(folder, name))]))
}

function fileAt(path: string): File {
  const bytes = Uint8Array.from(readFileSync(path))
  const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`
  return { bytes, type: TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream', etag }
}
