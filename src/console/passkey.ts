import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser'
import { startAuthentication, startRegistration } from '@simplewebauthn/browser'
import { send } from './api.ts'
import type { ToSign } from './check.ts'
import { checkAct, checkApproval } from './check.ts'
import type { Decided, InboxItem, Narrowing, Session } from './types.ts'

interface Asked extends ToSign {
  readonly options: PublicKeyCredentialRequestOptionsJSON
}

/** A first passkey, with the one-time code from the command line. */
export async function enrol(code: string, name: string): Promise<Session> {
  const { options } = await send<{ options: PublicKeyCredentialCreationOptionsJSON }>('/enrol/options', { code, name })
  return send<Session>('/enrol', { response: await startRegistration({ optionsJSON: options }) })
}

export async function signIn(): Promise<Session> {
  const { options } = await send<{ options: PublicKeyCredentialRequestOptionsJSON }>('/sign-in/options')
  return send<Session>('/sign-in', { response: await signed(options) })
}

/** What the server would have signed for a yes, checked against what is shown. @throws Tampered */
export async function askApproval(shown: InboxItem, narrowing: Narrowing, ownerId: string): Promise<Asked> {
  const path = `/approvals/${encodeURIComponent(shown.question.subject_id)}/options`
  const asked = await send<Asked>(path, { narrowing })
  checkApproval(asked, shown, narrowing, ownerId)
  return asked
}

/** The yes itself: nothing is signed that was not checked at this moment. @throws Tampered */
export async function approve(asked: Asked, shown: InboxItem, narrowing: Narrowing, ownerId: string): Promise<Decided> {
  checkApproval(asked, shown, narrowing, ownerId)
  const path = `/approvals/${encodeURIComponent(shown.question.subject_id)}/approve`
  return send<Decided>(path, { statement: asked.statement, response: await signed(asked.options) })
}

/** As {@link askApproval}, for an act that gives power. @throws Tampered */
export async function askAct(act: string, args: object, ownerId: string): Promise<Asked> {
  const asked = await send<Asked>('/confirm/options', { act, args })
  checkAct(asked, act, args, ownerId)
  return asked
}

/** @throws Tampered */
export async function confirm<Result>(asked: Asked, act: string, args: object, ownerId: string): Promise<Result> {
  checkAct(asked, act, args, ownerId)
  const response = await signed(asked.options)
  return (await send<{ result: Result }>('/confirm', { statement: asked.statement, response })).result
}

/** Registers a further passkey, with the options that confirming `passkey.add` gave. */
export async function addPasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<void> {
  await send('/passkeys', { response: await startRegistration({ optionsJSON: options }) })
}

/** Never without the owner's finger, face or PIN, whatever the server asks for. */
function signed(options: PublicKeyCredentialRequestOptionsJSON): Promise<AuthenticationResponseJSON> {
  return startAuthentication({ optionsJSON: { ...options, userVerification: 'required' } })
}

export type { Asked }
