import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { decodeAttestationObject } from '@simplewebauthn/server/helpers'
import type { HumanProof } from '../core/approval.ts'
import { BursarError } from '../core/errors.ts'
import type { WireAssertion, WirePasskey } from '../core/event.ts'
import { plain } from '../core/text.ts'
import type { Owner, Passkey } from '../core/types.ts'
import { ALGORITHMS, isAsserted, isUsableKey, type Party } from '../core/webauthn.ts'

export type Creation = PublicKeyCredentialCreationOptionsJSON
export type Requested = PublicKeyCredentialRequestOptionsJSON
export type Registration = RegistrationResponseJSON
export type Authentication = AuthenticationResponseJSON

/** How long a person has at the authenticator, in milliseconds. */
const TIMEOUT_MS = 5 * 60 * 1000
const NAME_MAX = 60
const TRANSPORTS: readonly string[] = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb']

/** What a browser needs to make a passkey, which stays with its owner and is found without a name. */
export function creationOptions(
  party: Party,
  owner: Pick<Owner, 'id' | 'name'>,
  known: readonly Passkey[],
  challenge: Uint8Array<ArrayBuffer>,
): Promise<Creation> {
  return generateRegistrationOptions({
    rpName: 'bursar',
    rpID: party.rpId,
    userID: Uint8Array.from(Buffer.from(owner.id)),
    userName: owner.name,
    userDisplayName: owner.name,
    challenge,
    timeout: TIMEOUT_MS,
    attestationType: 'none',
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    supportedAlgorithmIDs: [...ALGORITHMS],
    excludeCredentials: described(known),
  })
}

/** The passkey that a browser made, in answer to this challenge. @throws `passkey_invalid` */
export async function madePasskey(
  party: Party,
  response: Registration,
  challenge: Uint8Array,
  name: string,
): Promise<WirePasskey> {
  const made = await verified(async () => {
    assertUnattested(response)
    return verifyRegistrationResponse({
      response,
      expectedChallenge: base64url(challenge),
      expectedOrigin: party.origin,
      expectedRPID: party.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...ALGORITHMS],
    })
  })
  if (!made.verified) throw invalid()
  const { credential, credentialDeviceType } = made.registrationInfo
  const publicKey = base64url(credential.publicKey)
  if (!isUsableKey(publicKey)) throw invalid()
  return {
    passkey_id: credential.id,
    public_key: publicKey,
    rp_id: party.rpId,
    origin: party.origin,
    name: plain(name, NAME_MAX) || 'passkey',
    synced: credentialDeviceType === 'multiDevice',
    transports: TRANSPORTS.filter((one) => credential.transports?.some((said) => said === one)),
  }
}

/** What a browser needs to have a passkey sign a challenge: one of these, or, where there are none, any that it finds. */
export function requestOptions(
  party: Party,
  known: readonly Passkey[],
  challenge: Uint8Array<ArrayBuffer>,
): Promise<Requested> {
  return generateAuthenticationOptions({
    rpID: party.rpId,
    challenge,
    timeout: TIMEOUT_MS,
    userVerification: 'required',
    ...(known.length > 0 && { allowCredentials: described(known) }),
  })
}

/**
 * What a passkey signed, on this page, in answer to this challenge: checked by the library, and as everybody will check it later.
 *
 * @throws `passkey_invalid`
 */
export async function madeAssertion(
  party: Party,
  response: Authentication,
  challenge: Uint8Array,
  passkey: Passkey,
): Promise<WireAssertion> {
  const { id, response: parts } = response
  const assertion: WireAssertion = {
    passkey_id: id,
    authenticator_data: parts.authenticatorData,
    client_data_json: parts.clientDataJSON,
    signature: parts.signature,
  }
  const credential = {
    id: passkey.id,
    publicKey: Uint8Array.from(Buffer.from(passkey.publicKey, 'base64url')),
    counter: 0,
  }
  const { verified: isVerified } = await verified(() =>
    verifyAuthenticationResponse({
      response,
      expectedChallenge: base64url(challenge),
      expectedOrigin: party.origin,
      expectedRPID: party.rpId,
      credential,
      requireUserVerification: true,
    }),
  )
  if (!isVerified || passkey.revokedAt !== null || !isAsserted(assertion, challenge, passkey)) throw invalid()
  if (parts.userHandle && Buffer.from(parts.userHandle, 'base64url').toString() !== passkey.ownerId) throw invalid()
  return assertion
}

/** A yes as sure as a passkey that asks for its user: anyone can check it later from the journal. */
export function passkeyProof(
  ownerId: string,
  shownDigest: string,
  statement: string,
  assertion: WireAssertion,
): HumanProof {
  return { assurance: 'passkey', channel: 'console', ownerId, digest: shownDigest, statement, assertion }
}

/** The owner, present for one act that a passkey has confirmed. There is no key here to sign more with. */
export function passkeyAuthority(ownerId: string) {
  return {
    ownerId,
    channel: 'console',
    sign: (): Uint8Array => {
      throw new TypeError('A passkey signs where its owner is.')
    },
  }
}

/** None was asked for. Its certificates would be looked up on the web. @throws Error */
function assertUnattested({ response }: Registration): void {
  const attestation = decodeAttestationObject(Uint8Array.from(Buffer.from(response.attestationObject, 'base64url')))
  const [format, statement] = [attestation.get('fmt'), attestation.get('attStmt')]
  const isSelf = format === 'packed' && statement.get('x5c') === undefined
  if (format !== 'none' && !isSelf) throw invalid()
}

/** The library says what is wrong in its own words, which quote what was sent. */
async function verified<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch {
    throw invalid()
  }
}

function described(passkeys: readonly Passkey[]) {
  return passkeys.map(({ id, transports }) => ({ id, transports: [...transports] as never[] }))
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function invalid(): BursarError {
  return new BursarError('passkey_invalid', 'The passkey did not sign this, here and now.')
}
