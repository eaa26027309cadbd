import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { fromBase64, sha256 } from './canonical.ts'
import { BursarError } from './errors.ts'
import { HASH_BYTES, type Hash } from './merkle.ts'

/** Makes an Ed25519 signature (64 bytes) over bytes. Only the vault can make one of these. */
export type Sign = (bytes: Uint8Array) => Uint8Array

/** Who signs notes: a name, and an Ed25519 public key that was prepared once. */
export interface NoteKey {
  readonly name: string
  /** First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), hex. */
  readonly id: string
  /** The C2SP verifier key, `name+id+base64(0x01 ‖ public key)`: what is published. */
  readonly vkey: string
  readonly publicKey: KeyObject
}

/** A note whose signatures by known keys were all found right. */
export interface OpenedNote {
  /** With its final newline. */
  readonly text: string
  /** The known keys that signed it, at least one, in the order of the note. */
  readonly signers: readonly NoteKey[]
}

/** The head of a log (C2SP tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string
  /** Number of leaves. */
  readonly size: number
  readonly root: Hash
  readonly extensions: readonly string[]
}

const ED25519 = 0x01
const KEY_BYTES = 32
const ID_BYTES = 4
const SIGNATURE_BYTES = 64

/** C2SP signed-note: verifiers set a maximum, and it is at least 16. */
const SIGNATURES_MAX = 100
const NOTE_CHARACTERS_MAX = 1_000_000

const NOT_A_NAME = /[\p{White_Space}+\p{Surrogate}\u0000-\u001f]/u
const NOT_NOTE_TEXT = /[\p{Surrogate}\u0000-\u0009\u000b-\u001f]/u
const VKEY = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/su
const SIGNATURE_LINE = /^— ([^ ]+) ([^ ]+)$/su
const TREE_SIZE = /^(?:0|[1-9][0-9]{0,15})$/

/**
 * The key of a signer. Make it once per key and keep it.
 *
 * @param publicKey 32 raw bytes (RFC 8032).
 * @throws `argument_invalid` for a name that is empty or holds a space, a plus or a control character, or another length.
 */
export function noteKey(name: string, publicKey: Uint8Array): NoteKey {
  if (name === '' || NOT_A_NAME.test(name))
    throw invalid('A key name is not empty and has no spaces, + or control characters.')
  if (publicKey.length !== KEY_BYTES) throw invalid('An Ed25519 public key is 32 bytes.')
  const typed = Buffer.concat([Buffer.of(ED25519), publicKey])
  const id = sha256(Buffer.concat([Buffer.from(`${name}\n`), typed])).toString('hex', 0, ID_BYTES)
  const x = Buffer.from(publicKey).toString('base64url')
  return {
    name,
    id,
    vkey: `${name}+${id}+${typed.toString('base64')}`,
    publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
  }
}

/**
 * Reads a C2SP verifier key.
 *
 * @throws `argument_invalid` for another form, another algorithm than Ed25519 (0x01), or an id that is not the key's.
 */
export function parseVkey(vkey: string): NoteKey {
  const [, name = '', id, encoded = ''] = VKEY.exec(vkey) ?? []
  const typed = fromBase64(encoded)
  if (!typed || typed.length === 0) throw invalid('A verifier key is name+id+base64.')
  if (typed[0] !== ED25519) throw invalid('The verifier key is not an Ed25519 key (type 0x01).')
  const key = noteKey(name, typed.subarray(1))
  if (key.id !== id) throw invalid('The id in the verifier key is not the id of its key.')
  return key
}

/**
 * The note with one signature, by `key`, whose private half `sign` holds. Signatures are not checked here.
 *
 * @throws TypeError for text that no note can carry: without a final newline, or with control characters.
 */
export function signNote(text: string, key: NoteKey, sign: Sign): string {
  if (!text.endsWith('\n') || NOT_NOTE_TEXT.test(text))
    throw new TypeError('The text of a note ends in a newline and has no other control characters.')
  const signature = sign(Buffer.from(text))
  if (signature.length !== SIGNATURE_BYTES) throw new TypeError('An Ed25519 signature is 64 bytes.')
  const encoded = Buffer.concat([Buffer.from(key.id, 'hex'), signature]).toString('base64')
  return `${text}\n— ${key.name} ${encoded}\n`
}

/**
 * Reads a C2SP signed note. Signatures by keys that are not in `keys` are ignored, as the format demands; one wrong
 * signature by a known key refuses the whole note.
 *
 * @throws `argument_invalid` for a malformed note, a wrong signature, or none by a known key.
 */
export function openNote(note: Uint8Array | string, keys: readonly NoteKey[]): OpenedNote {
  const whole = typeof note === 'string' ? note : decodeUtf8(note)
  if (whole.length > NOTE_CHARACTERS_MAX) throw invalid('The note is too long.')
  if (NOT_NOTE_TEXT.test(whole)) throw invalid('The note holds control characters or broken Unicode.')
  const end = whole.lastIndexOf('\n\n')
  if (end < 0) throw invalid('The note has no blank line before its signatures.')
  const text = whole.slice(0, end + 1)
  const lines = whole.slice(end + 2).split('\n')
  if (lines.pop() !== '') throw invalid('The note does not end in a newline.')
  if (lines.length === 0) throw invalid('The note has no signatures.')
  if (lines.length > SIGNATURES_MAX) throw invalid(`The note has more than ${SIGNATURES_MAX} signatures.`)
  const bytes = Buffer.from(text)
  const signers = new Set<NoteKey>()
  for (const { name, id, signature } of lines.map(parseSignature)) {
    const key = keys.find((known) => known.name === name && known.id === id)
    if (!key) continue
    if (signature.length !== SIGNATURE_BYTES || !verify(null, bytes, key.publicKey, signature))
      throw invalid('The note was changed or was not signed by the known key: a signature is wrong.')
    signers.add(key)
  }
  if (signers.size === 0) throw invalid('The note is not signed by a known key.')
  return { text, signers: [...signers] }
}

/**
 * The text of a checkpoint, to be signed (C2SP tlog-checkpoint).
 *
 * @throws TypeError for an origin that is not one non-empty line, or a size or root of another form.
 */
export function checkpointText(origin: string, size: number, root: Hash): string {
  if (origin === '' || origin.includes('\n') || NOT_NOTE_TEXT.test(origin))
    throw new TypeError('An origin is one line of text.')
  if (!Number.isSafeInteger(size) || size < 0) throw new TypeError('A tree size is a whole number from 0 to 2^53 - 1.')
  if (root.length !== HASH_BYTES) throw new TypeError('A root hash is 32 bytes.')
  return `${origin}\n${size}\n${root.toString('base64')}\n`
}

/**
 * Reads the text of a checkpoint. It says nothing until its note was opened: see {@link openNote}.
 *
 * @throws `argument_invalid` for any other text, and for sizes beyond 2^53 - 1.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw invalid('The checkpoint does not end in a newline.')
  if (lines.includes('')) throw invalid('A checkpoint has no empty lines.')
  const [origin = '', sizeText = '', rootText = '', ...extensions] = lines
  const size = Number(sizeText)
  if (!TREE_SIZE.test(sizeText) || !Number.isSafeInteger(size))
    throw invalid('The size in the checkpoint is not a tree size.')
  const root = fromBase64(rootText)
  if (root?.length !== HASH_BYTES) throw invalid('The root hash in the checkpoint is not 32 bytes of base64.')
  return { origin, size, root, extensions }
}

function parseSignature(line: string): { name: string; id: string; signature: Buffer } {
  const [, name = '', encoded = ''] = SIGNATURE_LINE.exec(line) ?? []
  const bytes = fromBase64(encoded)
  if (name === '' || NOT_A_NAME.test(name) || !bytes || bytes.length <= ID_BYTES)
    throw invalid('The note has a line after its blank line that is not a signature.')
  return { name, id: bytes.toString('hex', 0, ID_BYTES), signature: bytes.subarray(ID_BYTES) }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw invalid('The note is not UTF-8.')
  }
}

function invalid(message: string): BursarError {
  return new BursarError('argument_invalid', message)
}
