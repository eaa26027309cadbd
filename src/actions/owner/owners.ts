import { BursarError } from '../../core/errors.ts'
import { plain } from '../../core/text.ts'
import { rfc3339 } from '../../core/time.ts'
import type { Owner } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import type { OwnerAuthority } from './authority.ts'
import { humanActor } from './authority.ts'
import { passkeysOf } from './passkeys.ts'

export interface OwnerView {
  readonly owner_id: string
  readonly name: string
  /** Whether there is a key that a passphrase opens; the others have passkeys only. */
  readonly has_passphrase: boolean
  readonly passkeys: number
  readonly created_at: string
}

const NAME_MAX = 60
const NO_KEY = 'none:'

/** Another human who may say yes: with passkeys only. @throws `argument_invalid`, `already_exists` */
export async function addOwner(bursar: Bursar, authority: OwnerAuthority, name: string): Promise<OwnerView> {
  const clean = plain(name, NAME_MAX)
  if (clean === '' || clean.includes(':'))
    throw new BursarError('argument_invalid', 'An owner needs a name without a colon.')
  if (await bursar.store.read.one('owners', { name: clean }))
    throw new BursarError('already_exists', 'There is an owner of this name.')
  const id = bursar.ids.make('owner')
  const details = { owner_id: id, name: clean, public_key: `${NO_KEY}${id}` }
  await bursar.store.update({}, () => ({
    facts: [{ type: 'owner.created', actor: humanActor(authority), details }],
    result: null,
  }))
  return ownerView(bursar, (await bursar.store.read.one('owners', { id })) as Owner)
}

/** Oldest first. */
export async function listOwners(bursar: Bursar): Promise<readonly OwnerView[]> {
  const owners = await bursar.store.read.list('owners', {})
  return Promise.all(owners.toReversed().map((owner) => ownerView(bursar, owner)))
}

/** By id or name. @throws `not_found` */
export async function showOwner(bursar: Bursar, idOrName: string): Promise<OwnerView> {
  const { read } = bursar.store
  const owner = ((await read.one('owners', { id: idOrName })) ??
    (await read.one('owners', { name: idOrName }))) as Owner | null
  if (!owner) throw new BursarError('not_found', 'There is no such owner. `bursar owner list` shows them.')
  return ownerView(bursar, owner)
}

async function ownerView(bursar: Bursar, { id, name, publicKey, createdAt }: Owner): Promise<OwnerView> {
  return {
    owner_id: id,
    name,
    has_passphrase: !publicKey.startsWith(NO_KEY),
    passkeys: (await passkeysOf(bursar, id)).length,
    created_at: rfc3339(createdAt),
  }
}
