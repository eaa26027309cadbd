import { setTimeout as sleep } from 'node:timers/promises'
import { BursarError } from '../core/errors.ts'
import { Pipe } from '../mcp/pipe.ts'
import { Bridge } from './bridge.ts'

/** How long what is under way may take once the host has left, in milliseconds. */
const DRAIN_MS = 5_000
const CLOSE_MS = 1_000

export interface ConnectOptions {
  readonly url: string
  /** The agent's; it goes to the server alone. */
  readonly key: string | null
  readonly log: { debug(message: string, fields?: object): void }
}

/** `bursar connect`: MCP between stdin, stdout and a server, until the host leaves. Opens no home. @throws `config_invalid` */
export async function connect({ url, key, log }: ConnectOptions): Promise<void> {
  if (key === null)
    throw new BursarError('config_invalid', 'Set BURSAR_AGENT_KEY to the key that `bursar agent add` printed.')
  const pipe = new Pipe(process.stdin, process.stdout)
  const bridge = new Bridge(endpointOf(url), key, {
    toHost: (message) => pipe.send(message),
    log: (message, fields) => log.debug(message, fields),
  })
  pipe.onmessage = (message) => void bridge.fromHost(message)
  pipe.onerror = (error) => log.debug('A message could not be read.', { error: error.message })
  await pipe.start()
  await Promise.race([pipe.ended, signalled()])
  await Promise.race([pipe.answered(), sleep(DRAIN_MS, undefined, { ref: false })])
  await Promise.race([bridge.close(), sleep(CLOSE_MS, undefined, { ref: false })])
}

const LOCAL = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Where MCP is. The key goes there: nobody on the way may read it. @throws `config_invalid` */
export function endpointOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOCAL.test(url.hostname))
  if (!url || !isSafe || url.username !== '' || url.password !== '')
    throw new BursarError(
      'config_invalid',
      'The address of the server begins with https://, or with http:// where it is on this machine.',
    )
  if (url.pathname === '/') url.pathname = '/mcp'
  return url
}

async function signalled(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}
