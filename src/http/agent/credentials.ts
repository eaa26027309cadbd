import { mintCredential as mint, revokeMinted } from '../../actions/agent/credentials.ts'
import { ofKind } from '../shared/ids.ts'
import { type Answer, made, ok } from '../shared/route.ts'
import type { AgentCall } from './call.ts'

export async function mintCredential({ bursar, caller, body }: AgentCall<'mintCredential'>): Promise<Answer> {
  const credential = await mint(bursar, caller, body)
  return made(credential, `/credentials/${credential.credential_id}`)
}

/** What it minted, itself or through others; all others are not there. */
export async function revokeCredential({ bursar, caller, params }: AgentCall<'revokeCredential'>): Promise<Answer> {
  return ok(await revokeMinted(bursar, caller, ofKind('credential', params.credential_id)))
}
