import { constants, existsSync, rmSync } from 'node:fs'
import { chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { atEnd, programs } from './postgres.ts'
import { asked, makeDatabase, makeRoles, PASSWORD, type Roles } from './postgres-databases.ts'
import { makeServerFolder, type RunAs, type ServerFolder } from './postgres-folder.ts'
import { PostgresServer } from './postgres-server.ts'

const POLL_MS = 20
const SLOT = 'standby'
const ROLES: Roles = { owner: 'bursar_owner', node: 'bursar_node' }
/** Nothing here waits longer than it has to for the other node. */
const SETTINGS = {
  wal_level: 'replica',
  synchronous_commit: 'on',
  hot_standby: 'on',
  wal_retrieve_retry_interval: '50ms',
} as const
/** Folders of a data directory of which a copy has only the folders: what is in them is of the running server. */
const EMPTY_IN_COPY = new Set(
  ['wal', 'replslot', 'dynshmem', 'notify', 'serial', 'snapshots', 'stat_tmp', 'subtrans'].map((name) => `pg_${name}`),
)
const NOT_IN_COPY = new Set(['postmaster.pid', 'postmaster.opts', 'standby.signal', 'backup_label'])

/** A primary and a synchronous standby, each of which writes to the disk before a commit is answered. */
export async function cluster(): Promise<Cluster> {
  const made = new Cluster(await programs())
  atEnd(() => made.stop())
  await made.form()
  return made
}

export class Cluster {
  private readonly folder: ServerFolder = makeServerFolder()
  private readonly programs: string
  private served: PostgresServer
  private following: PostgresServer | undefined
  private former: PostgresServer | undefined
  private copies = 0

  constructor(programs: string) {
    this.programs = programs
    this.served = this.makeServer()
  }

  get primary(): PostgresServer {
    return this.served
  }

  /** Of which there is none from `promote()` until `rejoin()`. */
  get standby(): PostgresServer | undefined {
    return this.following
  }

  async form(): Promise<void> {
    await this.served.initialise()
    await this.served.start()
    await this.rejoin()
  }

  /** With the addresses of both nodes, which stay the same for good. */
  url(database = 'postgres', role = 'postgres'): string {
    const other = this.following ?? this.former
    const ports = [this.served, other].flatMap((node) => (node ? [node.port] : [])).sort()
    return `postgres://${role}:${PASSWORD}@${ports.map((port) => `127.0.0.1:${port}`).join()}/${database}`
  }

  /** A database with bursar's migrations, and the URLs of its roles. */
  async database(name = 'bursar'): Promise<{ url: string; ownerUrl: string; adminUrl: string }> {
    const { rowCount } = await this.ask((client) =>
      client.query('SELECT FROM pg_roles WHERE rolname = $1', [ROLES.owner]),
    )
    if (rowCount === 0) await makeRoles(this.served.url(), ROLES)
    await makeDatabase(this.served.url(), name, ROLES)
    return { url: this.url(name, ROLES.node), ownerUrl: this.url(name, ROLES.owner), adminUrl: this.url(name) }
  }

  /** The primary's machine fails: all its processes at once. Nobody serves until `promote()`. */
  async killPrimary(): Promise<void> {
    await this.served.kill()
  }

  /** The standby's fails. From now on a commit waits until there is one again. */
  async killStandby(): Promise<void> {
    await this.following?.kill()
  }

  /**
   * The standby becomes the primary, whether or not the one before it still runs. It serves alone until `rejoin()`, as the
   * managers of clusters have it, unless it is told to go on waiting for a standby.
   */
  async promote({ alone = true } = {}): Promise<void> {
    const next = this.following
    if (!next) throw new Error('There is no standby. `rejoin()` makes one.')
    this.former = this.served
    this.following = undefined
    this.served = next
    await this.ask(async (client) => {
      const { rows } = await client.query('SELECT pg_promote(true, 60) AS promoted')
      if (!rows[0].promoted) throw new Error(`The standby was not promoted:\n${next.log}`)
      if (alone) await this.waitFor(client, '')
    })
  }

  /** A new standby at the address of the node that is not the primary, of a fresh copy. What still runs there is killed. */
  async rejoin(): Promise<void> {
    const old = this.following ?? this.former
    if (old) {
      await old.kill()
      rmSync(old.data, { recursive: true })
    }
    const standby = this.makeServer(old?.port)
    await this.copyTo(standby)
    await standby.start()
    this.former = undefined
    this.following = standby
    await this.ask((client) => this.waitFor(client, '*'))
  }

  async stop(): Promise<void> {
    for (const node of [this.former, this.following, this.served]) await node?.stop('immediate')
    await this.folder.remove()
  }

  /** One connection to the primary for as long as the work takes. */
  ask<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return asked(this.served.url(), work)
  }

  private makeServer(port?: number): PostgresServer {
    this.copies += 1
    return new PostgresServer(this.folder, this.programs, `node-${this.copies}`, SETTINGS, port)
  }

  /** What `pg_basebackup` does: the files as they are while they change, and a label from where on the log mends them. */
  private async copyTo(standby: PostgresServer): Promise<void> {
    const [primary, { runAs }] = [this.served, this.folder]
    await this.ask(async (client) => {
      // Until the server has seen that the standby before is gone, its slot is in use.
      await until(client, 'SELECT NOT EXISTS (SELECT FROM pg_replication_slots WHERE active) AS done')
      await client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots')
      await client.query('SELECT pg_create_physical_replication_slot($1, true)', [SLOT])
      await client.query("SELECT pg_backup_start('rejoin', true)")
      await copyFolder(primary.data, standby.data, runAs)
      const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
      const conninfo = `${primary.url()}?application_name=${SLOT}`
      const following = { primary_conninfo: conninfo, primary_slot_name: SLOT, synchronous_standby_names: '*' }
      const settings = Object.entries(following).map(([name, value]) => `${name} = '${value}'\n`)
      const files = {
        backup_label: rows[0]!.labelfile,
        'standby.signal': '',
        'postgresql.auto.conf': settings.join(''),
      }
      for (const [name, text] of Object.entries(files)) await writeFor(runAs, join(standby.data, name), text)
    })
  }

  /** Commits wait for these standbys from now on, and what was committed before is with them. */
  private async waitFor(client: Client, names: '*' | ''): Promise<void> {
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
    await client.query('SELECT pg_reload_conf()')
    const settled = 'SELECT current_setting($1) = $2 AS done'
    await until(client, settled, ['synchronous_standby_names', names])
    // The process that makes checkpoints tells all others whether to wait. After one it has read the setting.
    await client.query('CHECKPOINT')
    if (names === '') return
    const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn')
    const caughtUp = "SELECT FROM pg_stat_replication WHERE sync_state = 'sync' AND flush_lsn >= $1::pg_lsn"
    await until(client, `SELECT EXISTS (${caughtUp}) AS done`, [rows[0]!.lsn])
  }
}

async function until(client: Client, question: string, values: readonly string[] = []): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ done: boolean }>(question, [...values])
    if (rows[0]!.done) return
    await sleep(POLL_MS)
  }
}

async function copyFolder(from: string, to: string, runAs: RunAs): Promise<void> {
  await mkdir(to, { mode: 0o700 })
  await own(runAs, to)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (NOT_IN_COPY.has(entry.name) || !existsSync(join(from, entry.name))) continue
    const [source, copy] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory() && EMPTY_IN_COPY.has(entry.name)) {
      await mkdir(copy, { mode: 0o700 })
      await own(runAs, copy)
    } else if (entry.isDirectory()) await copyFolder(source, copy, runAs)
    else {
      // A table may be dropped meanwhile.
      await copyFile(source, copy, constants.COPYFILE_FICLONE).catch(ignoreMissing)
      await own(runAs, copy).catch(ignoreMissing)
    }
  }
}

async function writeFor(runAs: RunAs, path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 })
  await own(runAs, path)
}

async function own({ uid, gid }: RunAs, path: string): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid)
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
