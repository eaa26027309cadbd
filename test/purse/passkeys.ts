import { addOwner } from '../../src/actions/owner/owners.ts'
import { enrol, invite } from '../../src/actions/owner/passkeys.ts'
import { question } from '../../src/actions/question.ts'
import { passkeyProof } from '../../src/approvals/passkey.ts'
import { statementOf } from '../../src/approvals/statement.ts'
import type { HumanProof, Narrowing } from '../../src/core/approval.ts'
import { canonical } from '../../src/core/canonical.ts'
import type { JournalEvent } from '../../src/core/event.ts'
import { append, EMPTY, leafHash, rootOf } from '../../src/core/merkle.ts'
import { checkpointText, signNote } from '../../src/core/note.ts'
import { verify } from '../../src/core/verify/index.ts'
import { approvalChallenge } from '../../src/core/webauthn.ts'
import { journalNoteKey } from '../../src/store/sqlite/index.ts'
import { Authenticator, type Ceremony } from '../support/authenticator.ts'
import { collected } from '../support/collected.ts'
import type { Purse } from '../support/purse.ts'

export const ORIGIN = 'http://localhost:8787'
const PARTY = { origin: ORIGIN, rpId: 'localhost' }

/** An owner with a passkey in software. */
export interface Holder {
  readonly ownerId: string
  readonly key: Authenticator
}

/** Gives an owner a first passkey, by a code. */
export async function withPasskey(
  purse: Purse,
  ownerId = purse.authority.ownerId,
  key = new Authenticator(),
): Promise<Holder> {
  const { code } = await invite(purse.bursar, purse.authority, ownerId)
  await enrol(purse.bursar, code, wirePasskey(key))
  return { ownerId, key }
}

export function wirePasskey(key: Authenticator) {
  return {
    ...{ passkey_id: key.id, public_key: key.publicKey, rp_id: PARTY.rpId, origin: PARTY.origin },
    ...{ name: 'laptop', synced: false, transports: ['internal'] },
  }
}

/** Another human, with a passkey. */
export async function anotherOwner(purse: Purse, name = 'Ada'): Promise<Holder> {
  const { owner_id } = await addOwner(purse.bursar, purse.authority, name)
  return withPasskey(purse, owner_id)
}

/** A yes by a passkey to what the store shows now, or to what a test has it sign. */
export async function passkeyYes(
  purse: Purse,
  { ownerId, key }: Holder,
  id: string,
  narrowing: Narrowing = {},
  other: Partial<Ceremony> & { readonly statement?: (made: string) => string } = {},
): Promise<HumanProof> {
  const { digest } = await question(purse.bursar, id)
  const made = await statementOf(purse.bursar, ownerId, id, digest, narrowing)
  const statement = other.statement?.(made) ?? made
  const challenge = approvalChallenge(statement).toString('base64url')
  return passkeyProof(ownerId, digest, statement, key.assert({ challenge, ...PARTY, ...other }))
}

/**
 * What is wrong with the journals once whoever holds their key has changed an event and signed them anew. What they cannot make
 * again is what owners signed.
 */
export async function wrongOnce(
  purse: Purse,
  change: (event: JournalEvent) => JournalEvent,
): Promise<readonly string[]> {
  const { read } = purse.bursar.store
  const key = journalNoteKey(purse.journalKey.publicKey)
  const journals = new Map<string, { body: string }[]>()
  for (const { journal } of await read.heads()) {
    const events = await collected(read.events(journal))
    const changed = events.map(({ body }) => ({ body: canonical(change(JSON.parse(body!) as JournalEvent)) }))
    journals.set(journal, changed)
  }
  const heads = [...journals].map(([journal, events]) => {
    const frontier = events.reduce((before, { body }) => append(before, leafHash(body)), EMPTY)
    const text = checkpointText(`${key.name}/${journal}`, events.length, rootOf(frontier))
    return { journal, checkpoint: signNote(text, key, purse.journalKey.sign) }
  })
  const evidence = { heads, events: (journal: string) => journals.get(journal) ?? [], texts: () => read.texts() }
  return (await verify(evidence, key)).problems.map(({ why }) => why)
}
