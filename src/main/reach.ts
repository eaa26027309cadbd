import { BlockList, isIP } from 'node:net'
import pg from 'pg'
import type { PrimaryReport } from '../cli/database.ts'
import { BursarError } from '../core/errors.ts'
import { codeOf, isLost } from '../store/postgres/faults.ts'
import { hostUrls } from '../store/postgres/hosts.ts'

/** A person waits, for a host that may not be there. In milliseconds. */
const CONNECT_MS = 5_000
const ANSWER_MS = 10_000

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** One connection to one host, for as long as it is looked at. @throws what the driver says */
export async function withHost<T>(url: string, look: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    ...{ connectionString: url, connectionTimeoutMillis: CONNECT_MS, query_timeout: ANSWER_MS },
  })
  // The statement that waits says that the connection is lost; an error that nobody listens to would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await look(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** `host:port/database`: neither role nor password, and no parameters, which may hold one. */
export function whereOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `${decodeURIComponent(hostname)}:${port || '5432'}${pathname}`
}

/** Every host of a URL, as {@link whereOf} has it. @throws `config_invalid` */
export function placesOf(url: string): string {
  return hostUrls(url).map(whereOf).join(', ')
}

/** A server that is there and lets nobody in. */
const NO_ENTRY: ReadonlySet<string> = new Set(['28P01', '28000', '3D000'])

/** An error of a server that cannot be used as one that says so; any other as it is. */
export function unreached(error: unknown, url: string): unknown {
  if (error instanceof BursarError || !(isLost(error) || NO_ENTRY.has(codeOf(error) ?? ''))) return error
  return new BursarError('rail_unavailable', `No primary was reached at ${placesOf(url)}: ${problemOf(error)}.`)
}

/** How the bytes to a server travel, as this end of the connection has it. */
export function transportOf(client: pg.Client): PrimaryReport['transport'] {
  const { stream } = (client as unknown as { connection: { stream: Stream } }).connection
  if (stream.encrypted === true) return stream.authorized === true ? 'checked' : 'unchecked'
  const { remoteAddress } = stream
  // A socket of the file system has no address.
  if (remoteAddress === undefined) return 'here'
  return LOOPBACK.check(remoteAddress, isIP(remoteAddress) === 6 ? 'ipv6' : 'ipv4') ? 'here' : 'plain'
}

interface Stream {
  readonly remoteAddress?: string
  readonly encrypted?: boolean
  readonly authorized?: boolean
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'its name cannot be looked up',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ECONNRESET: 'it ends the connection',
  ETIMEDOUT: 'it does not answer',
  '28P01': 'it does not take the role and its password',
  '28000': 'it does not let the role in: pg_hba.conf says who may',
  '3D000': 'it has no such database',
  '42501': 'the role may not connect to the database',
  '53300': 'it has no connection left',
  '57P03': 'it is starting or stopping',
}
const CERTIFICATE = /CERT|SIGNATURE|ISSUER|^ERR_TLS/

/** Why a host was not reached, in our words: a server's may be in any language, and say anything. */
export function problemOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (message === 'The server does not support SSL connections') return 'it does not speak TLS'
  if (message === 'The host is a standby.') return 'it is a standby'
  // The driver gives no code to its own waiting that came to an end.
  if (code === undefined) return 'it does not answer'
  if (CERTIFICATE.test(code)) return `its certificate does not hold: ${code}`
  return PROBLEMS[code] ?? `it answers ${code}`
}
