/** What a database says of itself, and what bringing it up to date did. */

export type DatabaseReport = FileReport | ServerReport

export interface FileReport {
  readonly kind: 'file'
  readonly path: string
  readonly schemaVersion: number
  readonly schemaKnown: number
  /** `ok`, or what SQLite found wrong. */
  readonly integrity: string
}

export interface ServerReport {
  readonly kind: 'postgres'
  readonly schemaKnown: number
  /** Of every host in the URL, in its order. */
  readonly hosts: readonly HostReport[]
  /** Of the host that bursar would write to; null where none can be. */
  readonly primary: PrimaryReport | null
}

export interface HostReport {
  /** `host:port/database`. Never a role or a password. */
  readonly where: string
  readonly state: 'primary' | 'standby' | 'unreachable'
  /** Why it was not reached. */
  readonly problem: string | null
  /** When its server was started, in milliseconds since the epoch: of two addresses of one server it is the same. */
  readonly startedAt: number | null
}

export interface PrimaryReport {
  readonly where: string
  /** As PostgreSQL counts: 150004 is 15.4. */
  readonly version: number
  /** 0: there is no bursar in it. Null: this role may not read it. */
  readonly schemaVersion: number | null
  /** Whether a wallet is live; null where that is not known. */
  readonly live: boolean | null
  readonly role: RoleReport
  /** Settings by their names, as they hold for this role and database. */
  readonly settings: Readonly<Record<Setting, string>>
  /** Whose service the server is part of; null where nothing says that it is one. */
  readonly service: string | null
  readonly standbys: StandbyReport
  readonly connections: ConnectionReport
  /** How far its clock is ahead of this machine's, in milliseconds, beyond what the way there can explain. */
  readonly clockAheadMs: number
  readonly transport: 'here' | 'plain' | 'unchecked' | 'checked'
}

export type Setting = 'synchronous_commit' | 'synchronous_standby_names' | 'fsync' | 'full_page_writes'

export interface RoleReport {
  readonly name: string
  readonly superuser: boolean
  readonly owner: boolean
  /** What it may do that no node needs: `DELETE on payments`. */
  readonly powers: readonly string[]
  /** What a node needs and it may not do. */
  readonly lacks: readonly string[]
}

export interface StandbyReport {
  readonly connected: number
  /** Those without which nothing is committed; null where this role may not see it. */
  readonly synchronous: number | null
}

export interface ConnectionReport {
  /** How many this role may have at most on this server and database. */
  readonly most: number
  readonly used: number
}

/** What `bursar database migrate` did. */
export interface Migrated {
  readonly where: string
  readonly before: number
  readonly after: number
  /** The roles that were given what a node needs. */
  readonly granted: readonly string[]
}
