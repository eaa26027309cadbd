import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import chromium from '@sparticuz/chromium'
import {
  type Browser,
  type BrowserContextOptions,
  type CDPSession,
  type Page,
  chromium as playwright,
} from 'playwright-core'
import { afterAll } from 'vitest'
import { diskFolder } from './memory.ts'

/** Of the package: another version is unpacked beside it. */
const VERSION = '147.0.0'

/** Chromium, headless, from its npm package. Closed at the end of the file. */
export async function openBrowser(): Promise<Browser> {
  // The sandbox of Chromium needs rights that a build machine seldom gives. The page is our own.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none']
  const executablePath = await executable()
  // The libraries that a machine without a desktop lacks are in the package, too.
  const env = { ...process.env, LD_LIBRARY_PATH: join(dirname(executablePath), 'al2023', 'lib') }
  const browser = await playwright.launch({ executablePath, headless: true, args, env })
  afterAll(() => browser.close())
  return browser
}

/**
 * Unpacked once for each user. In a folder of our own: the package would take whatever is called `chromium` in the temporary
 * folder, half unpacked by another process or put there by another user.
 */
async function executable(): Promise<string> {
  const folder = join(diskFolder(), `bursar-browser-${VERSION}-${userInfo().uid}`)
  const path = join(folder, 'chromium')
  if (existsSync(path)) return path
  const fresh = mkdtempSync(`${folder}-`)
  const { TMPDIR, AWS_EXECUTION_ENV } = process.env
  // So told it unpacks its libraries as well.
  Object.assign(process.env, { TMPDIR: fresh, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' })
  try {
    await chromium.executablePath()
  } finally {
    for (const [name, before] of Object.entries({ TMPDIR, AWS_EXECUTION_ENV }))
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
  }
  try {
    renameSync(fresh, folder)
  } catch {
    // Another process was first.
    rmSync(fresh, { recursive: true, force: true })
  }
  return path
}

/** The browser writes down each refusal of the server, which is the page's to show; and that passkeys have to be ES256 or EdDSA here. */
const EXPECTED = /^Failed to load resource|^publicKey\.pubKeyCredParams is missing/

/** Run in the page, before anything else: a breach of its policy is an error on its console. */
const REPORT = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('CSP ' + event.violatedDirective + ' ' + event.blockedURI))`

/** An owner's browser window with an authenticator in it, and all that the page must not do. */
export interface Window {
  readonly page: Page
  readonly keys: VirtualAuthenticator
  /** Breaches of the content security policy, errors on the console, and requests to any other origin. */
  readonly faults: string[]
  close(): Promise<void>
}

export async function openWindow(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Window> {
  const context = await browser.newContext({ baseURL: origin, reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !EXPECTED.test(message.text())) faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('request', (request) => {
    const { protocol, origin: its } = new URL(request.url())
    if (its !== origin && !['data:', 'blob:'].includes(protocol)) faults.push(request.url())
  })
  await page.addInitScript({ content: REPORT })
  return { page, keys: await VirtualAuthenticator.in(page), faults, close: () => context.close() }
}

/** A platform authenticator with resident keys (WebAuthn Level 3, §11), by the browser's debugging protocol. */
export class VirtualAuthenticator {
  private readonly cdp: CDPSession
  private readonly id: string

  private constructor(cdp: CDPSession, id: string) {
    this.cdp = cdp
    this.id = id
  }

  static async in(page: Page): Promise<VirtualAuthenticator> {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    return VirtualAuthenticator.made(cdp)
  }

  private static async made(cdp: CDPSession): Promise<VirtualAuthenticator> {
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal' },
        ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
      },
    })
    return new VirtualAuthenticator(cdp, authenticatorId)
  }

  /** Another device in its place, which has no passkey yet. */
  async replaced(): Promise<VirtualAuthenticator> {
    await this.cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.id })
    return VirtualAuthenticator.made(this.cdp)
  }

  /** Whether its owner's finger or PIN is right from now on. */
  async verifies(isUserVerified: boolean): Promise<void> {
    await this.cdp.send('WebAuthn.setUserVerified', { authenticatorId: this.id, isUserVerified })
  }

  /** How often each of its passkeys has signed. */
  async signed(): Promise<number> {
    const { credentials } = await this.cdp.send('WebAuthn.getCredentials', { authenticatorId: this.id })
    return credentials.reduce((sum, { signCount }) => sum + signCount, 0)
  }
}
