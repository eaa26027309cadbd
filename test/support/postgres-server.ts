import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { PASSWORD } from './postgres-databases.ts'
import type { ServerFolder } from './postgres-folder.ts'

const LOOPBACK = '127.0.0.1'
const POLL_MS = 10
/** How often a port is tried that somebody else took between asking and using. */
const PORTS_TRIED = 20
/** The line of postmaster.pid that says what the server is up to, and what it says there when it takes connections. */
const STATUS_LINE = 7
const UP: ReadonlySet<string> = new Set(['ready', 'standby'])

const SUPERUSER = 'postgres'

/**
 * What every test server is set to. Names sort as people sort them and the zone is a strange one, so that nothing can depend
 * on another: what needs `COLLATE "C"` or UTC has to say so.
 */
const SETTINGS = {
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  max_connections: '200',
  timezone: 'Pacific/Chatham',
  log_timezone: 'UTC',
  lc_messages: 'C',
  max_wal_size: '4GB',
} as const

/** For tests of anything but durability: the same code runs, nothing waits for the disk, and little is written that nobody reads. */
export const QUICK = { fsync: 'off', full_page_writes: 'off', wal_init_zero: 'off', max_wal_size: '512MB' } as const

export type Settings = Readonly<Record<string, string>>

/** A PostgreSQL server of a test: a real one, on loopback, with a port that the system gave. */
export class PostgresServer {
  readonly data: string
  private readonly folder: ServerFolder
  private readonly programs: string
  private readonly settings: Settings
  private process: ChildProcess | undefined
  private taken = 0

  /** @param name Of its data directory within the folder. @param port Given where it must be the one of a server before it. */
  constructor(folder: ServerFolder, programs: string, name: string, settings: Settings = {}, port = 0) {
    this.folder = folder
    this.programs = programs
    this.data = join(folder.path, name)
    this.settings = settings
    this.taken = port
  }

  get port(): number {
    return this.taken
  }

  get pid(): number | undefined {
    return this.process?.pid
  }

  get isRunning(): boolean {
    return this.process !== undefined
  }

  /** Everything that it said, for a message that explains why it does not run. */
  get log(): string {
    return readFileSync(`${this.data}.log`, 'utf8')
  }

  url(database = 'postgres', user = SUPERUSER): string {
    return `postgres://${user}:${PASSWORD}@${LOOPBACK}:${this.taken}/${database}`
  }

  /** Makes the data directory. One that was copied from another server has it already. */
  async initialise(): Promise<void> {
    const secret = `${this.data}.password`
    writeFileSync(secret, `${PASSWORD}\n`, { mode: 0o644 })
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US']
    // Few rounds of hashing: the password keeps nobody out who is already here, and each connection would pay for them.
    const access = ['--auth=scram-sha-256', `--pwfile=${secret}`, '--set=scram_iterations=16']
    const args = [
      `--pgdata=${this.data}`,
      `--username=${SUPERUSER}`,
      '--no-sync',
      '--no-instructions',
      ...locale,
      ...access,
    ]
    await promisify(execFile)(join(this.programs, 'initdb'), args, { ...this.folder.runAs, cwd: '/' })
    rmSync(secret)
  }

  /** @throws Error with the server's own words when it does not come up. */
  async start(): Promise<void> {
    const hadPort = this.taken !== 0
    for (let tried = 1; ; tried += 1) {
      if (!hadPort) this.taken = await freePort()
      if (await this.launch()) return
      const isPortTaken = this.log.trimEnd().endsWith('could not create any TCP/IP sockets')
      if (!isPortTaken || tried === PORTS_TRIED) throw new Error(`A test server did not start:\n${this.log}`)
      await sleep(hadPort ? POLL_MS * tried : 0)
    }
  }

  /** Whether it came up. */
  private async launch(): Promise<boolean> {
    const settings = Object.entries({ ...SETTINGS, ...this.settings, port: String(this.taken) })
    const args = ['-D', this.data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
    const log = openSync(`${this.data}.log`, 'a')
    const stdio: ['ignore', number, number] = ['ignore', log, log]
    // In a process group of its own: Ctrl-C is for those who use it, and the guard of the folder ends it after them.
    const child = spawn(join(this.programs, 'postgres'), args, {
      ...this.folder.runAs,
      cwd: '/',
      detached: true,
      stdio,
    })
    closeSync(log)
    child.unref()
    this.process = child
    let isOver = false
    child.once('error', (error) => appendFileSync(`${this.data}.log`, `${error.message}\n`))
    child.once('close', () => {
      isOver = true
      this.process = undefined
      // It is of a process that is no more; its number may be somebody else's soon.
      rmSync(join(this.data, 'postmaster.pid'), { force: true })
    })
    while (!isOver && !this.isUp(child)) await sleep(POLL_MS)
    return !isOver
  }

  private isUp(child: ChildProcess): boolean {
    try {
      const lines = readFileSync(join(this.data, 'postmaster.pid'), 'utf8').split('\n')
      return lines[0] === String(child.pid) && UP.has((lines[STATUS_LINE] ?? '').trim())
    } catch {
      return false
    }
  }

  /** Ends it: with a checkpoint after cutting all connections off, or at once as if it had crashed. */
  async stop(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.process
    if (!child) return
    const ended = once(child, 'close')
    child.ref()
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await ended
  }

  /** SIGKILL for the server and all its processes at once, as when the machine's power fails. The disk stays. */
  async kill(): Promise<void> {
    const child = this.process
    if (!child?.pid) return
    const ended = once(child, 'close')
    child.ref()
    // Stopped first, so that it starts no more processes and does not see the others end.
    child.kill('SIGSTOP')
    const others = processes().flatMap(({ pid, parent }) => (parent === child.pid ? [pid] : []))
    for (const pid of others) process.kill(pid, 'SIGKILL')
    child.kill('SIGKILL')
    await ended
    while (others.some(isRunning)) await sleep(POLL_MS)
  }
}

/** A port of loopback that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

export function isRunning(pid: number): boolean {
  return processes().some((one) => one.pid === pid)
}

/** All processes that run. What ended and was not taken note of by its parent is none. */
function processes(): { pid: number; parent: number }[] {
  const ENDED = /^[ZX]/
  const rows = process.platform === 'linux' ? statesOnLinux() : statesByPs()
  return rows.filter(({ state }) => !ENDED.test(state))
}

interface ProcessState {
  readonly pid: number
  readonly parent: number
  readonly state: string
}

/** There may be no `ps`. */
function statesOnLinux(): ProcessState[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const stat = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/stat`, 'utf8') : ''
      // The name of the program stands before it in parentheses, and may have spaces and parentheses of its own.
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return state && parent ? [{ pid: Number(name), parent: Number(parent), state }] : []
    } catch {
      return []
    }
  })
}

function statesByPs(): ProcessState[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,state='], { encoding: 'utf8' }).trim().split('\n')
  return lines.map((line) => {
    const [pid, parent, state = ''] = line.trim().split(/\s+/)
    return { pid: Number(pid), parent: Number(parent), state }
  })
}
