import { isIP } from 'node:net'
import type { Command } from 'commander'
import { BursarError } from '../../core/errors.ts'
import type { ServeOptions } from '../program.ts'
import type { Shell } from '../shell.ts'

interface Options {
  readonly listen: string
  readonly url?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly behindProxy?: boolean
}

export function serveCommand(root: Command, shell: Shell): void {
  root
    .command('serve')
    .description('Serve many agents over HTTP, with a REST API and the console; in an empty home, make a sandbox first')
    .option('--listen <address>', 'where to listen: HOST:PORT', '127.0.0.1:8787')
    .option('--url <url>', 'by which address it is reached, such as https://pay.example.com')
    .option('--tls-cert <file>', 'the certificate, PEM, with those that it needs')
    .option('--tls-key <file>', 'the private key of the certificate, PEM')
    .option('--behind-proxy', 'TLS ends at a proxy in front, whose X-Forwarded headers are believed')
    .addHelpText(
      'after',
      '\nAny address but this machine needs --tls-cert and --tls-key, or --behind-proxy. Agents come with the keys that\n`bursar agent add` prints: MCP is at /mcp, for hosts that speak stdio see `bursar connect`.',
    )
    .action((options: Options) => shell.program.serveHttp(serveOptions(options)))
}

/** @throws `config_invalid` */
export function serveOptions({ listen, url, tlsCert, tlsKey, behindProxy = false }: Options): ServeOptions {
  const { host, port } = placeOf(listen)
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw invalid('--tls-cert and --tls-key go together.')
  const tls = tlsCert === undefined || tlsKey === undefined ? null : { cert: tlsCert, key: tlsKey }
  const local = isLocal(host)
  if (!local && tls === null && !behindProxy)
    throw invalid(
      'To listen on an address that is not of this machine alone, give --tls-cert and --tls-key, or --behind-proxy.',
    )
  if (tls !== null && behindProxy) throw invalid('TLS ends here or at the proxy: give --tls-cert or --behind-proxy.')
  if (url === undefined && (behindProxy || isEverywhere(host)))
    throw invalid('Say by which address it is reached: --url https://pay.example.com.')
  return { host, port, tls, behindProxy, url: url === undefined ? null : originOf(url, tls !== null || behindProxy) }
}

function placeOf(listen: string): { host: string; port: number } {
  const [, name = '', digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(listen) ?? []
  const host = name === '' ? '127.0.0.1' : name.replace(/^\[(.*)\]$/, '$1')
  const port = Number(digits)
  if (digits === '' || port > 65_535 || (host !== 'localhost' && isIP(host) === 0))
    throw invalid('--listen is an IP address and a port, such as 127.0.0.1:8787 or [::1]:8787.')
  return { host: host === 'localhost' ? '127.0.0.1' : host, port }
}

/** RFC 6454. Where TLS is, it is https; elsewhere it is this machine. */
function originOf(text: string, encrypted: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const whole = url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
  if (url === null || !whole) throw invalid('--url is an address without a path, such as https://pay.example.com.')
  if (encrypted && url.protocol !== 'https:') throw invalid('--url begins with https:// where there is TLS.')
  const local = url.hostname === 'localhost' || isLocal(url.hostname.replace(/^\[(.*)\]$/, '$1'))
  if (!encrypted && (url.protocol !== 'http:' || !local))
    throw invalid('Without TLS, --url is an address of this machine, such as http://localhost:8787.')
  return url.origin
}

function isLocal(host: string): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host)
}

function invalid(message: string): BursarError {
  return new BursarError('config_invalid', message)
}
