import { listWallets } from '../../actions/owner/inspect.ts'
import { listOwners } from '../../actions/owner/owners.ts'
import { listPasskeys } from '../../actions/owner/passkeys.ts'
import type { WalletView } from '../../actions/wire.ts'
import { relyingParty } from '../../core/webauthn.ts'
import type { Bursar } from '../../ports.ts'
import { type Finding, fine, wrong } from './finding.ts'

/** Whether those who have to say yes by passkey have one, and where they can use it. Nothing, where nobody wants any. */
export async function passkeyFindings(bursar: Bursar): Promise<readonly Finding[]> {
  const live = (await listPasskeys(bursar)).filter(({ revoked_at }) => revoked_at === null)
  const wallets = await listWallets(bursar)
  const short = (await Promise.all(wallets.map((wallet) => shortFinding(bursar, wallet)))).flat()
  if (live.length === 0) return short
  const places = [...new Set(live.map(({ origin }) => origin))]
  return [fine('passkeys', `${live.length}, for ${places.join(', ')}`), ...short]
}

async function shortFinding(bursar: Bursar, { name, approvals = [] }: WalletView): Promise<readonly Finding[]> {
  const holders = (await listOwners(bursar)).filter(({ passkeys }) => passkeys > 0).length
  const byPasskey = approvals.filter(({ assurance, owners }) => assurance === 'passkey' || owners === 2)
  const wanted = Math.max(0, ...byPasskey.map(({ assurance, owners = 1 }) => (assurance === 'passkey' ? owners : 1)))
  if (holders >= wanted) return []
  const found = `${name} wants approvals by passkeys of ${wanted} owners, and ${holders} have any`
  return [wrong('passkeys', found, 'Nobody can approve there until `bursar passkey invite` lets in whoever has to.')]
}

/** Whether browsers make passkeys for an address. */
export function addressFinding(url: string): Finding {
  const party = URL.canParse(url) ? relyingParty(new URL(url).origin) : null
  if (party) return fine('console', `browsers take passkeys for ${party.rpId}`)
  const mend = 'Use https and a name, with a certificate that holds; or http://localhost on the same machine.'
  return wrong('console', 'browsers take no passkeys for this address', mend)
}
