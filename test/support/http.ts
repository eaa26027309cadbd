import { afterEach } from 'vitest'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { hostDesk } from '../../src/actions/owner/desk.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { BursarError } from '../../src/core/errors.ts'
import { type AppOptions, createApp } from '../../src/http/app.ts'
import type { Changed, HttpDeps } from '../../src/http/deps.ts'
import { type Listening, listen, PATIENCE, type Patience } from '../../src/http/listen.ts'
import type { Rail } from '../../src/ports.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { makePurse, type Purse, type PurseOptions } from './purse.ts'

export const PASSPHRASE = 'correct horse battery'

export interface Site {
  readonly purse: Purse
  readonly deps: HttpDeps
  readonly server: Listening
  /** `http://localhost:PORT`. */
  readonly origin: string
  /** Of the agent `shopper`. */
  readonly agentId: string
  readonly key: string
  readonly logs: unknown[][]
  /** A request to a path of the server, with the agent's key unless headers say otherwise. */
  ask(path: string, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

export interface SiteOptions extends PurseOptions {
  /** What the app is made with; `deps` are known by then. */
  readonly app?: (deps: HttpDeps) => Partial<AppOptions>
  readonly patience?: Partial<Patience>
  readonly port?: number
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Around the rail of cards. */
  readonly wrapRail?: (rail: Rail) => Rail
  /** Starts anew what this site was: the same books, agent and port. */
  readonly after?: Site
}

const open: Site[] = []
afterEach(async () => {
  for (const site of open.splice(0)) await site.close()
})

/** A real server on a free port of loopback, over a real purse, with an agent `shopper` that has a key. */
export async function makeSite(options: SiteOptions = {}): Promise<Site> {
  const { after } = options
  const purse = after?.purse ?? (await makePurse(options))
  const server = await listen(
    { host: '127.0.0.1', port: after?.server.port ?? options.port ?? 0, tls: options.tls ?? null },
    { ...PATIENCE, ...options.patience },
  )
  const [origin] = server.origins as [string]
  const { deps, logs } = depsOf(purse, origin, options.wrapRail)
  const { app, close } = createApp(deps, {
    access: { origins: server.origins, behindProxy: false },
    ...options.app?.(deps),
  })
  server.answer(app.fetch)
  const { agentId, key } = after ?? (await shopper(purse))
  let closed: Promise<void> | undefined
  const site: Site = {
    ...{ purse, deps, server, origin, agentId, key, logs },
    ask: (path, init = {}) => fetch(`${origin}${path}`, { headers: { authorization: `Bearer ${key}` }, ...init }),
    close() {
      server.refuse()
      closed ??= close(2_000).then(() => server.close(2_000))
      return closed
    },
  }
  open.push(site)
  return site
}

async function shopper({ bursar, authority }: Purse): Promise<Pick<Site, 'agentId' | 'key'>> {
  const { agent_id: agentId, key } = await addAgent(bursar, authority, 'shopper')
  return { agentId, key }
}

/** What the composition root would give. The owner's passphrase is {@link PASSPHRASE}. */
export function depsOf(
  purse: Purse,
  origin: string,
  wrapRail = (rail: Rail) => rail,
): { deps: HttpDeps; logs: unknown[][] } {
  const listeners = new Set<(changed: Changed) => void>()
  const logs: unknown[][] = []
  const bursar = {
    ...purse.bursar,
    rails: { ...purse.bursar.rails, virtual_card: wrapRail(purse.bursar.rails.virtual_card as Rail) },
    notify: {
      changed(subjectId: string, walletId: string | null) {
        for (const listener of listeners) listener({ subjectId, walletId })
      },
    },
  }
  const deps: HttpDeps = {
    ...{ bursar, origin, version: '0.0.0', desk: hostDesk(bursar, hostProof) },
    noteKey: journalNoteKey(purse.journalKey.publicKey),
    async unlock(passphrase) {
      if (passphrase !== PASSPHRASE) throw new BursarError('passphrase_wrong', 'The passphrase is wrong.')
      return { ...purse.authority, channel: 'http' }
    },
    changes(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    log: (...line) => void logs.push(line),
  }
  return { deps, logs }
}

/** `Authorization` of the owner. */
export function basic(name = 'owner', passphrase = PASSPHRASE): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${name}:${passphrase}`).toString('base64')}` }
}
