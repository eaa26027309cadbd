import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { vi } from 'vitest'

/**
 * Run before each test file of those that share a process: what they import from packages is loaded and compiled already,
 * which is most of what a file costs. All else is as in a process of their own: the modules of bursar and of the tests are
 * loaded anew, and so begin with nothing, and the environment is what it was before the first file, as is the work that keys
 * take.
 */
const shared = globalThis as { before?: { readonly env: NodeJS.ProcessEnv; readonly scrypt: typeof crypto.scrypt } }
shared.before ??= { env: { ...process.env }, scrypt: crypto.scrypt }
const { env, scrypt } = shared.before
for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
Object.assign(process.env, env)
if (crypto.scrypt !== scrypt) {
  crypto.scrypt = scrypt
  syncBuiltinESMExports()
}
vi.useRealTimers()
vi.resetModules()
