import { createHmac, randomBytes } from 'node:crypto'
import type { OwnerAuthority } from '../../actions/owner/authority.ts'
import { BursarError } from '../../core/errors.ts'
import type { HttpDeps } from '../deps.ts'
import type { Meters } from '../limits.ts'
import type { HumanPrincipal } from '../owner/principal.ts'
import { clientOf } from '../shared/client.ts'

/** How long an owner who was let in is known again without opening the key, which is slow on purpose, in milliseconds. */
const KNOWN_FOR_MS = 5 * 60_000
const KNOWN_MAX = 32

/**
 * Owners by `Authorization: Basic`, name (or id) and passphrase: for programs of theirs. Only where nobody on the way can
 * read it.
 *
 * @throws each: `unauthenticated`, `forbidden`, `rate_limited`
 */
export function passphrases(
  deps: HttpDeps,
  meters: Meters,
): (request: Request, value: string) => Promise<HumanPrincipal> {
  const key = randomBytes(32)
  const known = new Map<string, { readonly authority: OwnerAuthority; readonly until: number }>()
  let queue: Promise<unknown> = Promise.resolve()

  async function unlocked(passphrase: string, ownerId: string, address: string): Promise<OwnerAuthority> {
    await meters.mayTryPassphrase(address)
    try {
      const authority = await deps.unlock(passphrase)
      if (authority.ownerId !== ownerId) throw new BursarError('passphrase_wrong', 'The passphrase is another owner’s.')
      return authority
    } catch (error) {
      if (!(error instanceof BursarError) || error.code !== 'passphrase_wrong') throw error
      await meters.passphraseFailed(address)
      throw new BursarError('unauthenticated', 'The name or the passphrase is wrong.')
    }
  }

  return async (request, value) => {
    const { address, secure } = clientOf(request)
    if (!secure) throw new BursarError('forbidden', 'A passphrase is taken over TLS, or on the same machine only.')
    const [name, passphrase] = pairOf(value)
    const { read } = deps.bursar.store
    const owner = (await read.one('owners', { id: name })) ?? (await read.one('owners', { name }))
    const mark = createHmac('sha256', key)
      .update(JSON.stringify([owner?.id ?? '', passphrase]))
      .digest('base64')
    const now = performance.now()
    let found = known.get(mark)
    if (!owner || !found || found.until < now) {
      // One at a time: each takes memory on purpose.
      const turn = queue.then(() => unlocked(passphrase, owner?.id ?? '', address))
      queue = turn.catch(() => undefined)
      found = { authority: await turn, until: now + KNOWN_FOR_MS }
      known.set(mark, found)
      const [oldest] = known.keys()
      if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest)
    }
    return { role: 'human', id: found.authority.ownerId, channel: 'http', authority: found.authority }
  }
}

/** RFC 7617: UTF-8, and a colon may be in the passphrase. */
function pairOf(value: string): readonly [name: string, passphrase: string] {
  const text = Buffer.from(value, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}
