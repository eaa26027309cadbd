import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { setUp } from '../actions/owner/setup.ts'
import type { Config, Home } from '../config.ts'
import type { Bursar } from '../ports.ts'
import type { Log } from '../telemetry.ts'
import { ownerKeyFile, readOwnerPublicKey } from '../vault/keys.ts'
import { isSetUp, openBursar } from './open.ts'

const WAIT_MS = 20
const WAITS_MAX = 150

interface NewOwner {
  readonly name: string
  readonly passphrase: string
  readonly version: string
}

/** What `bursar init` does. Nothing, where there is an owner already. @throws `config_invalid`, `passphrase_wrong` */
export async function createHome(config: Config, log: Log, owner: NewOwner): Promise<{ created: boolean }> {
  const { bursar, close } = await openBursar(config, log)
  try {
    if (await isSetUp(bursar)) return { created: false }
    const { publicKey } = await ownerKeyFile(config.home.ownerKey, owner.passphrase)
    return await setUp(bursar, { ownerName: owner.name, publicKey, version: owner.version })
  } finally {
    await close()
  }
}

/** In an empty home: a sandbox. Its passphrase is made up, kept in a file, and told once by the process that was first. */
export async function makeSandbox(bursar: Bursar, { home, ownerPassphrase }: Config, version: string): Promise<void> {
  if (await isSetUp(bursar)) return
  const passphrase = ownerPassphrase ?? (await madeUpPassphrase(home))
  // It may be there without an owner: from a process that was killed between the two, or that was a little faster.
  const publicKey = existsSync(home.ownerKey)
    ? readOwnerPublicKey(home.ownerKey)
    : (await ownerKeyFile(home.ownerKey, passphrase)).publicKey
  const { created } = await setUp(bursar, { ownerName: 'owner', publicKey, version })
  if (created) tell(bursar, home)
}

/** Not a line of the log, which never holds a passphrase; in its form, since that is what reads stderr. */
function tell({ clock }: Bursar, home: Home): void {
  const made = existsSync(home.ownerPassphrase) && {
    owner_passphrase: readFileSync(home.ownerPassphrase, 'utf8').trim(),
    owner_passphrase_file: home.ownerPassphrase,
  }
  const time = new Date(clock.now()).toISOString()
  const message =
    "A sandbox was made. The owner's passphrase approves and funds: keep it from agents. It is told only once."
  process.stderr.write(`${JSON.stringify({ time, level: 'info', message, home: home.directory, ...made })}\n`)
}

/** 120 random bits in groups that can be typed. Of many processes that make one at once, all get the one that came first. */
async function madeUpPassphrase(home: Home): Promise<string> {
  const groups = randomBytes(15).toString('hex').match(/.{6}/g) ?? []
  const first = createWhole(home.ownerPassphrase, `${groups.join('-')}\n`)
  // Sealing a key takes memory and time on purpose: the others let the first one do it, unless it seems to have died.
  for (let waits = 0; !first && waits < WAITS_MAX && !existsSync(home.ownerKey); waits++) await sleep(WAIT_MS)
  return readFileSync(home.ownerPassphrase, 'utf8').trim()
}

/** Creates a file whole or not at all; false when there is one already. */
function createWhole(path: string, text: string): boolean {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  writeFileSync(temporary, text, { mode: 0o600, flag: 'wx', flush: true })
  try {
    // A link, unlike a rename, never replaces what is there.
    linkSync(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(temporary)
  }
}
