import { mintCredential } from '../../src/actions/agent/credentials.ts'
import type { CredentialInput } from '../../src/actions/credentials.ts'
import { addAgent } from '../../src/actions/owner/agents.ts'
import { addCredential } from '../../src/actions/owner/credentials.ts'
import type { InstrumentView } from '../../src/actions/wire.ts'
import { makeCard, type Purse } from '../support/purse.ts'
import { OPEN_CARD, openPurse } from './desk.ts'

/** An agent with a key of its own and a card, in a purse where only the limits of the test are met. */
export interface Keyed {
  readonly purse: Purse
  readonly card: InstrumentView
  readonly agentId: string
  readonly key: string
  readonly credentialId: string
}

export async function keyed(input: CredentialInput = {}, terms: object = OPEN_CARD): Promise<Keyed> {
  const open = await openPurse()
  const made = await addAgent(open.bursar, open.authority, 'shopper', input)
  const purse = using({ ...open, caller: { ...open.caller, agentId: made.agent_id } }, made.credential_id)
  // What may not ask has what was asked for with another.
  const asks = input.scopes && (await addCredential(open.bursar, open.authority, made.agent_id, {}))
  const card = await makeCard(asks ? using(purse, asks.credential_id) : purse, terms)
  return { purse, card, agentId: made.agent_id, key: made.key, credentialId: made.credential_id }
}

/** The same agent with another credential. */
export function using(purse: Purse, credentialId: string): Purse {
  return { ...purse, caller: { ...purse.caller, credentialId } }
}

/** The same agent's sub-agent, with what it mints for it. */
export async function sub(purse: Purse, input: CredentialInput = {}): Promise<Purse> {
  return using(purse, (await mintCredential(purse.bursar, purse.caller, input)).credential_id)
}

/** What was held and spent with the credential of a caller, in units. */
export async function spentBy({ bursar, caller }: Purse): Promise<bigint> {
  return (await bursar.store.read.one('credentials', { id: caller.credentialId as string }))!.spent
}
