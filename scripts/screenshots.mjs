// Takes the pictures of the console in docs/images, from the same pages and data that test/console/pages.test.ts checks.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const IMAGES = join(ROOT, 'docs/images')
/** The test makes one of each page in each form; these are kept. */
const KEPT = [
  ...['inbox-light', 'inbox-dark', 'inbox-phone', 'approve-light', 'approve-phone', 'wallet-light', 'wallet-dark'],
  ...['wallet-phone', 'instruments-light', 'payment-light', 'payments-dark', 'agent-light', 'journal-light'],
  ...['settings-dark', 'sign-in-phone'],
]

const folder = mkdtempSync(join(tmpdir(), 'bursar-pictures-'))
try {
  process.env.BURSAR_SCREENSHOTS = folder
  const vitest = await startVitest('test', ['test/console/pages.test.ts'], { root: ROOT, watch: false })
  await vitest.close()
  mkdirSync(IMAGES, { recursive: true })
  for (const name of KEPT) copyFileSync(join(folder, `${name}.png`), join(IMAGES, `console-${name}.png`))
  console.error(`screenshots: ${KEPT.length} in docs/images`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
