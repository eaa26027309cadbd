import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { encodeCBOR } from '@levischuck/tiny-cbor'

/** What a browser hands to an authenticator of one passkey, and what a test has it do otherwise. */
export interface Ceremony {
  readonly challenge: string
  readonly origin: string
  readonly rpId?: string
  readonly flags?: number
  /** Members of the client data, beside or in place of its own. */
  readonly client?: object
}

const UP = 0x01
const UV = 0x04
const AT = 0x40
export const FLAGS = { there: UP, verified: UP | UV } as const

/** A passkey in software: the structures of WebAuthn Level 3 (§6.1, §6.5, §5.8.1) as a platform authenticator makes them. */
export class Authenticator {
  readonly id = randomBytes(32).toString('base64url')
  readonly algorithm: -7 | -8
  private readonly key: KeyObject
  private readonly cose: Uint8Array
  private userHandle = ''

  constructor(algorithm: -7 | -8 = -7) {
    this.algorithm = algorithm
    const pair = algorithm === -7 ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
    this.key = pair.privateKey
    const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
    const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64url'))
    this.cose = encodeCBOR(
      new Map<number, number | Uint8Array>(
        algorithm === -7
          ? [
              [1, 2],
              [3, -7],
              [-1, 1],
              [-2, bytes(x)],
              [-3, bytes(y)],
            ]
          : [
              [1, 1],
              [3, -8],
              [-1, 6],
              [-2, bytes(x)],
            ],
      ),
    )
  }

  /** COSE_Key, base64url. */
  get publicKey(): string {
    return Buffer.from(this.cose).toString('base64url')
  }

  /** `navigator.credentials.create`: a RegistrationResponseJSON. */
  create(
    options: { challenge: string; rp: { id?: string }; user: { id: string } },
    ceremony: Omit<Ceremony, 'challenge'>,
  ) {
    this.userHandle = options.user.id
    const id = Buffer.from(this.id, 'base64url')
    const length = Buffer.alloc(2)
    length.writeUInt16BE(id.length)
    const attested = Buffer.concat([Buffer.alloc(16), length, id, this.cose])
    const rpId = ceremony.rpId ?? options.rp.id ?? ''
    const authData = Buffer.concat([dataOf(rpId, (ceremony.flags ?? FLAGS.verified) | AT), attested])
    const attestation = new Map<string, string | Uint8Array | Map<string, never>>([
      ['fmt', 'none'],
      ['attStmt', new Map<string, never>()],
      ['authData', Uint8Array.from(authData)],
    ])
    return {
      ...{ id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {} },
      response: {
        clientDataJSON: clientData('webauthn.create', { challenge: options.challenge, ...ceremony }).toString(
          'base64url',
        ),
        attestationObject: Buffer.from(encodeCBOR(attestation)).toString('base64url'),
        transports: ['internal'],
      },
    }
  }

  /** `navigator.credentials.get`: an AuthenticationResponseJSON. */
  get(options: { challenge: string; rpId?: string }, ceremony: Omit<Ceremony, 'challenge'> & { challenge?: string }) {
    const { authenticator_data, client_data_json, signature } = this.assert({
      ...{ challenge: options.challenge, rpId: options.rpId ?? '' },
      ...ceremony,
    })
    return {
      ...{ id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {} },
      response: {
        ...{ authenticatorData: authenticator_data, clientDataJSON: client_data_json, signature },
        userHandle: this.userHandle,
      },
    }
  }

  /** The same as the journal keeps it. */
  assert(ceremony: Ceremony) {
    const data = dataOf(ceremony.rpId ?? '', ceremony.flags ?? FLAGS.verified)
    const client = clientData('webauthn.get', ceremony)
    const signed = Buffer.concat([data, createHash('sha256').update(client).digest()])
    return {
      passkey_id: this.id,
      authenticator_data: data.toString('base64url'),
      client_data_json: client.toString('base64url'),
      signature: sign(this.algorithm === -7 ? 'sha256' : null, signed, this.key).toString('base64url'),
    }
  }
}

function clientData(type: string, { challenge, origin, client }: Ceremony): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...client }))
}

function dataOf(rpId: string, flags: number): Buffer {
  return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([flags]), Buffer.alloc(4)])
}
