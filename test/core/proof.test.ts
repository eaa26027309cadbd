import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as Merkle from '../../src/core/merkle.ts'
import { checkpointText, noteKey, signNote } from '../../src/core/note.ts'
import { parseProof, proofText, verifyProof } from '../../src/core/proof.ts'

const ORIGIN = 'bursar.test/wallet'
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const KEY = noteKey(ORIGIN, Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url'))
const LOG = { origin: ORIGIN, keys: [KEY] }
const SIZE = 7
const LEAVES = Array.from({ length: SIZE }, (_, i) => Merkle.leafHash(`entry ${i}`))
const ROOT = Merkle.rootOf(LEAVES.reduce(Merkle.append, Merkle.EMPTY))
const CHECKPOINT = checkpoint(ORIGIN, SIZE, ROOT)

const invalid = expect.objectContaining({ name: 'BursarError', code: 'argument_invalid' })

describe('receipt', () => {
  it('is the text that C2SP tlog-proof@v1 describes', () => {
    const [a, b, c] = Merkle.inclusionProof(4, SIZE, LEAVES).map((hash) => hash.toString('base64'))
    expect(receipt(4)).toBe(`c2sp.org/tlog-proof@v1\nindex 4\n${a}\n${b}\n${c}\n\n${CHECKPOINT}`)
    expect(receipt(4, Buffer.from('extra'))).toBe(
      `c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 4\n${a}\n${b}\n${c}\n\n${CHECKPOINT}`,
    )
  })

  it('of each entry verifies for that entry and for no other', () => {
    for (let index = 0; index < SIZE; index++)
      for (let other = 0; other < SIZE; other++) {
        const check = () => verifyProof(receipt(index), LEAVES[other]!, LOG)
        if (index === other)
          expect(check()).toEqual({ origin: ORIGIN, size: SIZE, root: ROOT, extensions: [], index, signers: [KEY] })
        else expect(check).toThrow('not for this entry')
      }
  })

  it('of the only entry of a log has no hashes', () => {
    const text = proofText({ index: 0, path: [], checkpoint: checkpoint(ORIGIN, 1, LEAVES[0]!) })
    expect(text).toContain('\nindex 0\n\nbursar.test')
    expect(verifyProof(text, LEAVES[0]!, LOG).size).toBe(1)
  })

  it('gives extra data back, which nothing vouches for', () => {
    expect(verifyProof(receipt(2, Buffer.of(1, 2)), LEAVES[2]!, LOG).extra).toEqual(Buffer.of(1, 2))
    expect(parseProof(receipt(2, new Uint8Array())).extra).toBeUndefined()
  })

  it('security: is refused when any byte of it is changed', () => {
    const bytes = Buffer.from(receipt(4))
    for (let i = 0; i < bytes.length; i++)
      expect(() => verifyProof(Buffer.from(bytes.with(i, bytes[i]! ^ 1)).toString(), LEAVES[4]!, LOG)).toThrow(invalid)
  })

  it('security: is refused when it is cut short or a line is missing, doubled or moved', () => {
    const text = receipt(4)
    for (let end = 0; end < text.length; end++)
      expect(() => verifyProof(text.slice(0, end), LEAVES[4]!, LOG)).toThrow(invalid)
    const lines = text.split('\n').slice(0, -1)
    lines.forEach((line, i) => {
      const swapped = i > 0 ? lines.with(i, lines[i - 1]!).with(i - 1, line) : lines.slice(1)
      const doubled = lines.toSpliced(i, 0, line)
      // One signature twice is still one signature.
      const bad = i === lines.length - 1 ? [lines.toSpliced(i, 1), swapped] : [lines.toSpliced(i, 1), doubled, swapped]
      for (const changed of bad) expect(() => verifyProof(`${changed.join('\n')}\n`, LEAVES[4]!, LOG)).toThrow(invalid)
    })
  })

  it('security: is refused from another log, by another key, or unsigned', () => {
    expect(() => verifyProof(receipt(4), LEAVES[4]!, { ...LOG, origin: 'other' })).toThrow('another log')
    expect(() => verifyProof(receipt(4), LEAVES[4]!, { ...LOG, keys: [] })).toThrow('not signed by a known key')
    expect(() => verifyProof(receipt(4), LEAVES[4]!, { ...LOG, keys: [noteKey(ORIGIN, Buffer.alloc(32, 1))] })).toThrow(
      'not signed',
    )
  })

  it('security: is refused when its root is right but the signed one is another', () => {
    const forged = proofText({
      index: 4,
      path: Merkle.inclusionProof(4, SIZE, LEAVES),
      checkpoint: checkpoint(ORIGIN, SIZE, LEAVES[0]!),
    })
    expect(() => verifyProof(forged, LEAVES[4]!, LOG)).toThrow('not for this entry')
  })

  it.each([
    ['another version', 'c2sp.org/tlog-proof@v2\nindex 0\n\n'],
    ['an index with a leading zero', 'c2sp.org/tlog-proof@v1\nindex 00\n\n'],
    ['a negative index', 'c2sp.org/tlog-proof@v1\nindex -1\n\n'],
    ['an index beyond 2^53', 'c2sp.org/tlog-proof@v1\nindex 9007199254740992\n\n'],
    ['no index', 'c2sp.org/tlog-proof@v1\n\n'],
    ['extra data twice', 'c2sp.org/tlog-proof@v1\nextra AA==\nextra AA==\nindex 0\n\n'],
    ['empty extra data', 'c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n'],
    ['extra data that is not base64', 'c2sp.org/tlog-proof@v1\nextra AA\nindex 0\n\n'],
    ['a hash of 31 bytes', `c2sp.org/tlog-proof@v1\nindex 0\n${Buffer.alloc(31).toString('base64')}\n\n`],
    ['54 hashes', `c2sp.org/tlog-proof@v1\nindex 0\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(54)}\n`],
    ['carriage returns', 'c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\n'],
  ])('is refused with %s', (_, head) => {
    expect(() => parseProof(head + CHECKPOINT)).toThrow(invalid)
  })

  it('is not made of anything that could not be read back', () => {
    expect(() => proofText({ index: -1, path: [], checkpoint: CHECKPOINT })).toThrow(TypeError)
    expect(() => proofText({ index: 0, path: [Buffer.alloc(31)], checkpoint: CHECKPOINT })).toThrow(TypeError)
    expect(() => proofText({ index: 0, path: [], checkpoint: CHECKPOINT.trim() })).toThrow(TypeError)
  })
})

function checkpoint(origin: string, size: number, root: Buffer): string {
  return signNote(checkpointText(origin, size, root), KEY, (bytes) => sign(null, bytes, privateKey))
}

function receipt(index: number, extra?: Uint8Array): string {
  return proofText({
    index,
    path: Merkle.inclusionProof(index, SIZE, LEAVES),
    checkpoint: CHECKPOINT,
    ...(extra && { extra }),
  })
}
