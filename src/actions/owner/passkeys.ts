import { randomBytes } from 'node:crypto'
import { sha256 } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import type { Fact, WirePasskey } from '../../core/event.ts'
import { rfc3339 } from '../../core/time.ts'
import type { Invitation, Owner, Passkey } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import type { OwnerAuthority, OwnerBy } from './authority.ts'
import { humanActor } from './authority.ts'

/** How long a code is good, in milliseconds. */
const INVITED_MS = 10 * 60 * 1000
/** 80 bits, in the letters and digits that are not taken for one another (Crockford's base 32). */
const CODE_BYTES = 10
const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUP = 4

export interface InvitationView {
  readonly owner_id: string
  /** For typing: `7Q2K-…`. Shown once; only its SHA-256 is kept. */
  readonly code: string
  readonly expires_at: string
}

export interface PasskeyView {
  readonly passkey_id: string
  readonly owner_id: string
  /** The owner's name. */
  readonly owner: string
  readonly name: string
  /** It may leave its device, as the system that made it says. */
  readonly synced: boolean
  /** Where it is used. */
  readonly origin: string
  readonly created_at: string
  readonly revoked_at: string | null
}

/**
 * A code with which an owner who has no passkey enrols one, once.
 *
 * @throws `not_found`, `wrong_state` where there is a passkey: it lets in further ones
 */
export async function invite(bursar: Bursar, authority: OwnerAuthority, ownerId: string): Promise<InvitationView> {
  const owner = await ownerOf(bursar, ownerId)
  await assertNone(bursar, owner)
  const code = newCode()
  const expires_at = await bursar.store.update({}, ({ now }) => {
    const until = rfc3339(now + INVITED_MS)
    const details = { owner_id: owner.id, code_hash: codeHashOf(code), expires_at: until }
    return { facts: [{ type: 'passkey.invited', actor: humanActor(authority), details }], result: until }
  })
  return { owner_id: owner.id, code, expires_at }
}

/** Whose code this is. @throws `code_invalid` */
export async function invited(bursar: Bursar, code: string): Promise<Owner> {
  const invitation = await bursar.store.read.one('invitations', { codeHash: codeHashOf(code) })
  const owner = await ownerOf(bursar, usable(invitation, bursar.clock.now()).ownerId)
  if ((await passkeysOf(bursar, owner.id)).length > 0) throw codeInvalid()
  return owner
}

/** Takes in an owner's first passkey, and uses the code up. @throws `code_invalid`, `passkey_invalid` */
export async function enrol(bursar: Bursar, code: string, passkey: WirePasskey): Promise<Owner> {
  const owner = await invited(bursar, code)
  const codeHash = codeHashOf(code)
  await bursar.store.update({ codeHash, passkeyId: passkey.passkey_id }, (snapshot) => {
    const { ownerId } = usable(snapshot.invitation, snapshot.now)
    assertNew(snapshot.passkey)
    return { facts: [addedFact(ownerId, passkey, codeHash)], result: null }
  })
  return owner
}

/** Takes in a further passkey of an owner, which one that there is already has confirmed. @throws `passkey_invalid` */
export async function addPasskey(
  bursar: Bursar,
  { ownerId }: OwnerAuthority,
  passkey: WirePasskey,
): Promise<PasskeyView> {
  await bursar.store.update({ passkeyId: passkey.passkey_id }, (snapshot) => {
    assertNew(snapshot.passkey)
    return { facts: [addedFact(ownerId, passkey)], result: null }
  })
  return passkeyView(bursar, (await bursar.store.read.one('passkeys', { id: passkey.passkey_id })) as Passkey)
}

/** @throws `not_found`, `wrong_state` */
export async function revokePasskey(bursar: Bursar, by: OwnerBy, passkeyId: string): Promise<PasskeyView> {
  await bursar.store.update({ passkeyId }, ({ passkey }) => {
    if (!passkey) throw new BursarError('not_found', 'There is no such passkey.')
    if (passkey.revokedAt !== null) throw new BursarError('wrong_state', 'The passkey was revoked already.')
    const details = { owner_id: passkey.ownerId, passkey_id: passkey.id }
    return { facts: [{ type: 'passkey.revoked', actor: humanActor(by), details }], result: null }
  })
  bursar.notify.changed(passkeyId, null)
  return passkeyView(bursar, (await bursar.store.read.one('passkeys', { id: passkeyId })) as Passkey)
}

/** All passkeys, revoked ones too, oldest first. */
export async function listPasskeys(bursar: Bursar): Promise<readonly PasskeyView[]> {
  const all = (await bursar.store.read.list('passkeys', {})).toSorted((a, b) => a.createdAt - b.createdAt)
  return Promise.all(all.map((passkey) => passkeyView(bursar, passkey)))
}

/** An owner's passkeys that are good. */
export async function passkeysOf({ store }: Bursar, ownerId: string): Promise<readonly Passkey[]> {
  return store.read.list('passkeys', { ownerId, revokedAt: null })
}

async function passkeyView(bursar: Bursar, passkey: Passkey): Promise<PasskeyView> {
  return {
    passkey_id: passkey.id,
    owner_id: passkey.ownerId,
    owner: (await ownerOf(bursar, passkey.ownerId)).name,
    name: passkey.name,
    synced: passkey.synced,
    origin: passkey.origin,
    created_at: rfc3339(passkey.createdAt),
    revoked_at: passkey.revokedAt === null ? null : rfc3339(passkey.revokedAt),
  }
}

function addedFact(ownerId: string, passkey: WirePasskey, codeHash?: string): Fact {
  const details = { owner_id: ownerId, passkey, ...(codeHash !== undefined && { code_hash: codeHash }) }
  return { type: 'passkey.added', actor: { role: 'human', id: ownerId }, details }
}

function usable(invitation: Invitation | null, now: number): Invitation {
  if (!invitation || invitation.usedAt !== null || now >= invitation.expiresAt) throw codeInvalid()
  return invitation
}

function assertNew(passkey: Passkey | null): void {
  if (passkey) throw new BursarError('passkey_invalid', 'This passkey was enrolled before.')
}

async function assertNone(bursar: Bursar, { id }: Owner): Promise<void> {
  if ((await passkeysOf(bursar, id)).length === 0) return
  throw new BursarError(
    'wrong_state',
    'This owner has a passkey, which lets in further ones on the console. Revoke it first if it is lost.',
  )
}

async function ownerOf({ store }: Bursar, id: string): Promise<Owner> {
  const owner = (await store.read.one('owners', { id })) as Owner | null
  if (!owner) throw new BursarError('not_found', 'There is no such owner.')
  return owner
}

function newCode(): string {
  let bits = BigInt(`0x${randomBytes(CODE_BYTES).toString('hex')}`)
  let code = ''
  for (let left = (CODE_BYTES * 8) / 5; left > 0; left--) {
    code += SYMBOLS[Number(bits & 31n)]
    bits >>= 5n
  }
  return (code.match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-')
}

/** However it was typed. */
function codeHashOf(code: string): string {
  const typed = code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  return sha256(typed).toString('hex')
}

function codeInvalid(): BursarError {
  return new BursarError('code_invalid', 'This code is not good, or not any more.')
}
