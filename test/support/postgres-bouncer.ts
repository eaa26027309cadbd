import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chownSync, closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'vitest'
import { atEnd } from './postgres.ts'
import { makeServerFolder, type ServerFolder } from './postgres-folder.ts'
import { freePort } from './postgres-server.ts'

const LOOPBACK = '127.0.0.1'
const POLL_MS = 10
const PORTS_TRIED = 5

/** A PgBouncer in transaction mode in front of one server. */
export interface Bouncer {
  /** The same database and role through it. */
  readonly url: string
  stop(): Promise<void>
}

/** As `test`, and skipped with a word about it where there is no PgBouncer. */
export function testWithBouncer(name: string, run: () => Promise<void>): void {
  if (program()) test(name, run)
  else test.skip(`${name} (no pgbouncer in PATH, /usr/sbin or BURSAR_TEST_PGBOUNCER)`, run)
}

/**
 * Runs PgBouncer before the server that a URL is of, for the URL's role. Its pool is small, so that the transactions of one
 * client get another connection each time.
 */
export async function bouncer(url: string, { poolSize = 3 } = {}): Promise<Bouncer> {
  const path = program()
  if (!path) throw new Error('There is no pgbouncer in PATH, /usr/sbin or BURSAR_TEST_PGBOUNCER.')
  const folder = makeServerFolder()
  atEnd(() => folder.remove())
  for (let tried = 1; ; tried += 1) {
    const port = await freePort()
    const child = launch(path, folder, settings(url, folder, port, poolSize))
    if (await isTaking(port, child)) {
      const through = new URL(url)
      through.host = `${LOOPBACK}:${port}`
      return { url: through.href, stop: () => folder.remove() }
    }
    if (tried === PORTS_TRIED)
      throw new Error(`PgBouncer did not start:\n${readFileSync(join(folder.path, 'log'), 'utf8')}`)
  }
}

/** Writes what it is to do, and gives the file. It stands where the guard of the folder finds the process id. */
function settings(url: string, folder: ServerFolder, port: number, poolSize: number): string {
  const { hostname, port: target, username, password } = new URL(url)
  const own = join(folder.path, 'bouncer')
  const [config, users] = [join(own, 'pgbouncer.ini'), join(own, 'users.txt')]
  const lines = Object.entries({
    ...{ listen_addr: LOOPBACK, listen_port: port, unix_socket_dir: '', pool_mode: 'transaction' },
    ...{ auth_type: 'scram-sha-256', auth_file: users, default_pool_size: poolSize, max_client_conn: 500 },
    pidfile: join(own, 'postmaster.pid'),
  })
  const text = `[databases]\n* = host=${hostname} port=${target}\n[pgbouncer]\n`
  mkdirSync(own, { recursive: true })
  writeFileSync(config, text + lines.map(([name, value]) => `${name} = ${value}\n`).join(''))
  writeFileSync(users, `"${username}" "${password}"\n`)
  const { uid, gid } = folder.runAs
  if (uid !== undefined && gid !== undefined) for (const path of [own, config, users]) chownSync(path, uid, gid)
  return config
}

function launch(path: string, folder: ServerFolder, config: string): ChildProcess {
  const log = openSync(join(folder.path, 'log'), 'a')
  const stdio: ['ignore', number, number] = ['ignore', log, log]
  const child = spawn(path, [config], { ...folder.runAs, cwd: '/', detached: true, stdio })
  closeSync(log)
  child.unref()
  return child
}

/** Whether it takes connections. Not when it ended before it did. */
async function isTaking(port: number, child: ChildProcess): Promise<boolean> {
  let isOver = false
  child.once('exit', () => {
    isOver = true
  })
  while (!isOver) {
    const socket = connect(port, LOOPBACK)
    try {
      await once(socket, 'connect')
      return !isOver
    } catch {
      await sleep(POLL_MS)
    } finally {
      socket.destroy()
    }
  }
  return false
}

function program(): string | undefined {
  const given = process.env.BURSAR_TEST_PGBOUNCER
  if (given) return given
  // Where Debian has it, which is not in everybody's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.map((folder) => join(folder, 'pgbouncer')).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
