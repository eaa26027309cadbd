import { fromBase64 } from './canonical.ts'
import { BursarError } from './errors.ts'
import { HASH_BYTES, type Hash, verifyInclusion } from './merkle.ts'
import { type Checkpoint, type NoteKey, openNote, parseCheckpoint } from './note.ts'

/** What a C2SP tlog-proof carries: a receipt that an entry is in a log, which anyone can check offline. */
export interface Proof {
  /** Of the entry, from 0. */
  readonly index: number
  /** Sibling hashes from leaf to root. */
  readonly path: readonly Hash[]
  /** The signed note, verbatim. */
  readonly checkpoint: string
  /** Bytes that nothing vouches for. */
  readonly extra?: Uint8Array
}

/** What was proved, and the unproved `extra`. */
export interface Proved extends Checkpoint {
  readonly index: number
  readonly signers: readonly NoteKey[]
  readonly extra?: Buffer
}

const HEADER = 'c2sp.org/tlog-proof@v1'
const INDEX = /^index (0|[1-9][0-9]{0,15})$/
/** A tree of 2^53 leaves has no longer path. */
const PATH_MAX = 53

/**
 * The text of a receipt; its file ends in `.tlog-proof`.
 *
 * @throws TypeError for an index, hashes or a checkpoint that no receipt can carry.
 */
export function proofText(proof: Proof): string {
  if (!Number.isSafeInteger(proof.index) || proof.index < 0) throw new TypeError('An index is a whole number from 0.')
  if (proof.path.some((hash) => hash.length !== HASH_BYTES)) throw new TypeError('A hash in the path is not 32 bytes.')
  if (!proof.checkpoint.endsWith('\n')) throw new TypeError('A checkpoint is a signed note, which ends in a newline.')
  const extra = proof.extra?.length ? [`extra ${Buffer.from(proof.extra).toString('base64')}`] : []
  const path = proof.path.map((hash) => hash.toString('base64'))
  return `${[HEADER, ...extra, `index ${proof.index}`, ...path].join('\n')}\n\n${proof.checkpoint}`
}

/**
 * Reads a receipt. Nothing in it is to be believed before {@link verifyProof}.
 *
 * @throws `argument_invalid` for any other text.
 */
export function parseProof(text: string): Proof {
  const end = text.indexOf('\n\n')
  if (end < 0) throw invalid('The receipt has no blank line before its checkpoint.')
  const lines = text.slice(0, end).split('\n')
  if (lines.shift() !== HEADER) throw invalid(`The receipt does not begin with ${HEADER}.`)
  const extra = lines[0]?.startsWith('extra ') ? fromBase64(lines.shift()?.slice('extra '.length) ?? '') : undefined
  if (extra === null || extra?.length === 0) throw invalid('The extra data in the receipt is not base64.')
  const index = Number(INDEX.exec(lines.shift() ?? '')?.[1])
  if (!Number.isSafeInteger(index)) throw invalid('The receipt does not say which entry it is for.')
  if (lines.length > PATH_MAX) throw invalid('The receipt has too many hashes.')
  const path = lines.map((line) => {
    const hash = fromBase64(line)
    if (hash?.length !== HASH_BYTES) throw invalid('A hash in the receipt is not 32 bytes of base64.')
    return hash
  })
  return { index, path, checkpoint: text.slice(end + 2), ...(extra && { extra }) }
}

/**
 * Checks, offline, that the entry with this leaf hash is in the log of this origin.
 *
 * @param leaf computed from the entry itself, never taken from the receipt.
 * @param log the origin that is expected, and the keys that may sign for it; one good signature is enough.
 * @throws `argument_invalid` for a receipt that is malformed, from another log, badly signed, or of another entry.
 */
export function verifyProof(text: string, leaf: Hash, log: { origin: string; keys: readonly NoteKey[] }): Proved {
  const proof = parseProof(text)
  const note = openNote(proof.checkpoint, log.keys)
  const checkpoint = parseCheckpoint(note.text)
  if (checkpoint.origin !== log.origin) throw invalid('The receipt is from another log.')
  if (!verifyInclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root))
    throw invalid('The receipt is not for this entry: its hashes do not lead to the signed root.')
  const extra = proof.extra && { extra: Buffer.from(proof.extra) }
  return { ...checkpoint, index: proof.index, signers: note.signers, ...extra }
}

function invalid(message: string): BursarError {
  return new BursarError('argument_invalid', message)
}
