import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { memoryFolder } from './memory.ts'
import { asked, type Migration, makeDatabase, makeRoles, type Roles, readMigrations } from './postgres-databases.ts'
import { copyPrograms, makeServerFolder, type ServerFolder } from './postgres-folder.ts'
import { PostgresServer, QUICK } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files ask for what the whole run shares, as a URL. */
    postgresDesk: string
  }
}

/** `quick` does not wait for the disk; `durable` does. */
export type Kind = 'quick' | 'durable'

/** What a test needs to make a database of its own. */
export interface Grant {
  /** Of the superuser, for the database `postgres`. */
  readonly adminUrl: string
  readonly roles: Roles
  /** The migrated database that others are made of. */
  readonly template: string
  /** How databases are best made of it: an option of `CREATE DATABASE`, or nothing. */
  readonly strategy: '' | 'STRATEGY FILE_COPY'
  /** What the names of all databases of this run begin with. */
  readonly prefix: string
}

/**
 * vitest runs this once. Nothing is started yet: the first test file that asks for a server has it started, and all others
 * share it. What is not stopped at the end is stopped by the guard of its folder.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const desk = new Desk()
  const secret = randomBytes(16).toString('hex')
  const server = createServer((request, response) => {
    const [, key, what] = (request.url ?? '').split('/')
    if (key === secret) answer(response, what === 'programs' ? desk.programs() : desk.grant(what as Kind))
    else response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  project.provide('postgresDesk', `http://127.0.0.1:${(server.address() as AddressInfo).port}/${secret}`)
  return async () => {
    server.close()
    server.closeAllConnections()
    await desk.close()
  }
}

function answer(response: ServerResponse, what: Promise<unknown>): void {
  what.then(
    (value) => response.end(JSON.stringify(value)),
    (error: Error) => response.writeHead(500).end(error.stack),
  )
}

/** What the test files of a run share: PostgreSQL's programs, a server of each kind, and a template on each. */
class Desk {
  private readonly run = `bursar_${randomBytes(4).toString('hex')}`
  private readonly roles: Roles = { owner: `${this.run}_owner`, node: `${this.run}_node` }
  private readonly elsewhere = process.env.BURSAR_TEST_POSTGRES_URL
  private folder: ServerFolder | undefined
  private readonly others: ServerFolder[] = []
  private bin: string | undefined
  private readonly servers = new Map<string, Promise<string>>()
  private readonly templates = new Map<string, Promise<string>>()

  /** The folder of PostgreSQL's programs. Whoever starts servers of their own runs these. */
  async programs(): Promise<string> {
    this.folder ??= makeServerFolder()
    this.bin ??= copyPrograms(this.folder)
    return this.bin
  }

  async grant(kind: Kind): Promise<Grant> {
    // Another server is as durable as it is.
    const server = this.elsewhere ? 'elsewhere' : kind
    const adminUrl = await memo(this.servers, server, () => this.start(kind))
    const migrations = readMigrations()
    const digest = createHash('sha256').update(JSON.stringify(migrations)).digest('hex').slice(0, 8)
    const make = () => this.makeTemplate(adminUrl, digest, migrations)
    const template = await memo(this.templates, `${server} ${digest}`, make)
    // Half the work where nothing waits for the disk.
    const strategy = server === 'quick' ? 'STRATEGY FILE_COPY' : ''
    return { adminUrl, roles: this.roles, template, strategy, prefix: this.run }
  }

  async close(): Promise<void> {
    // On a server that stays, nothing of this run may.
    if (this.elsewhere) for (const adminUrl of this.servers.values()) await this.clear(await adminUrl)
    for (const folder of [...this.others, this.folder]) await folder?.remove()
  }

  private async start(kind: Kind): Promise<string> {
    const adminUrl = this.elsewhere ?? (await this.startHere(kind))
    await makeRoles(adminUrl, this.roles)
    return adminUrl
  }

  private async startHere(kind: Kind): Promise<string> {
    const programs = await this.programs()
    const server = new PostgresServer(this.folderFor(kind), programs, kind, kind === 'quick' ? QUICK : {})
    await server.initialise()
    await server.start()
    return server.url()
  }

  private folderFor(kind: Kind): ServerFolder {
    const memory = kind === 'quick' ? memoryFolder() : null
    if (memory === null) return this.folder!
    const folder = makeServerFolder(memory)
    this.others.push(folder)
    return folder
  }

  /** Nobody can connect to it, so that it can be copied at any time. */
  private async makeTemplate(adminUrl: string, digest: string, migrations: readonly Migration[]): Promise<string> {
    const name = `${this.run}_template_${digest}`
    await asked(adminUrl, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
    await makeDatabase(adminUrl, name, this.roles, migrations)
    await asked(adminUrl, (client) => client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`))
    return name
  }

  private async clear(adminUrl: string): Promise<void> {
    await asked(adminUrl, async (client) => {
      const names = 'SELECT datname FROM pg_database WHERE starts_with(datname, $1)'
      const { rows } = await client.query<{ datname: string }>(names, [`${this.run}_`])
      for (const { datname } of rows) await client.query(`DROP DATABASE ${datname} WITH (FORCE)`)
      await client.query(`DROP ROLE IF EXISTS ${this.roles.owner}, ${this.roles.node}`)
    })
  }
}

/** The same for all who ask, and tried again after a failure. */
function memo<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = made.get(key)
  if (found !== undefined) return found
  const making = make()
  made.set(key, making)
  making.catch(() => made.delete(key))
  return making
}
