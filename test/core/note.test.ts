import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checkpointText, noteKey, openNote, parseCheckpoint, parseVkey, signNote } from '../../src/core/note.ts'

/** C2SP signed-note, "Verifier keys: Example". */
const SPEC_KEY = parseVkey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')
const SPEC_NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'

/** The key pair and note of the reference implementation, golang.org/x/mod/sumdb/note. */
const PETER_VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const PETER = parseVkey(PETER_VKEY)
const PETER_SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1)
const PETER_TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const PETER_NOTE = `${PETER_TEXT}\n${PETER_LINE}`

/** Checkpoints that the Go checksum database really signed. Its origin has spaces and is not its key's name. */
const SUMDB = parseVkey('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8')
const SUMDB_NOTES = [
  'go.sum database tree\n15081221\nBoMMe1wd25Tco0mYGROkyqxHZWx+hcSCtMV315Lu6Lg=\n\n— sum.golang.org Az3grilD7vQqTrv66jRgKM84Y80KTprrSt4bKmiOPxgmS5ZVBTeCl6dUvjYnN13R+C8j0jGY1WnUADGMkok3U0m2Zgo=\n',
  'go.sum database tree\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n\n— sum.golang.org Az3grpukl5AXaVfYkLiDGORx/DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHLAyaKbbTM75QTtPydhKCExixSfwQ=\n',
]

const invalid = expect.objectContaining({ name: 'BursarError', code: 'argument_invalid' })

describe('verifier key', () => {
  it('is written as C2SP writes it', () => {
    const raw = Buffer.from(PETER_VKEY.split('+')[2]!, 'base64').subarray(1)
    expect(noteKey('PeterNeumann', raw)).toMatchObject({ vkey: PETER_VKEY, id: 'c74f20a3' })
    expect(parseVkey(SPEC_KEY.vkey).vkey).toBe(SPEC_KEY.vkey)
  })

  it('is refused when any character of it is changed or missing', () => {
    for (let start = 0; start <= PETER_VKEY.length; start++)
      for (let end = start; end <= PETER_VKEY.length; end++)
        if (end - start < PETER_VKEY.length) expect(() => parseVkey(PETER_VKEY.slice(start, end))).toThrow(invalid)
    for (let i = 0; i < PETER_VKEY.length; i++) expect(() => parseVkey(bumped(PETER_VKEY, i))).toThrow(invalid)
  })

  it('is refused for another algorithm or another length, even with the id that would fit', () => {
    expect(() => parseVkey('PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')).toThrow(invalid)
    expect(() => parseVkey('PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==')).toThrow(
      invalid,
    )
    expect(() => noteKey('a', Buffer.alloc(31))).toThrow(invalid)
  })

  it.each(['', 'a b', 'a\u00a0b', 'a\u2003b', 'a\u0085b', 'a+b', 'a\nb', 'a\u0000b', 'a\ud800'])(
    'is refused for the name %j',
    (name) => {
      expect(() => noteKey(name, Buffer.alloc(32, 1))).toThrow(invalid)
    },
  )
})

describe('signed note', () => {
  it('of the specification opens', () => {
    expect(openNote(SPEC_NOTE, [SPEC_KEY])).toEqual({ text: 'This is an example message.\n', signers: [SPEC_KEY] })
    expect(openNote(Buffer.from(SPEC_NOTE), [SPEC_KEY]).text).toBe('This is an example message.\n')
  })

  it('of the Go reference implementation opens, and is signed again to the same bytes', () => {
    expect(openNote(PETER_NOTE, [PETER]).text).toBe(PETER_TEXT)
    expect(signNote(PETER_TEXT, PETER, signer(PETER_SEED))).toBe(PETER_NOTE)
  })

  it('security: is refused when any byte of it is changed', () => {
    const bytes = Buffer.from(PETER_NOTE)
    for (let i = 0; i < bytes.length; i++)
      for (const bit of [0x01, 0x80]) expect(() => openNote(bytes.with(i, bytes[i]! ^ bit), [PETER])).toThrow(invalid)
  })

  it('security: is refused when it is cut short or something is appended', () => {
    const bytes = Buffer.from(PETER_NOTE)
    for (let end = 0; end < bytes.length; end++)
      expect(() => openNote(bytes.subarray(0, end), [PETER])).toThrow(invalid)
    for (const tail of [
      '\n',
      ' ',
      'a',
      'a\n',
      '\n\n',
      '— a\n',
      '— a b c\n',
      '— a+b AAAAAAA=\n',
      '— a AAAAAA==\n',
      '— a AAAAAAB=\n',
      '- a AAAAAAA=\n',
    ])
      expect(() => openNote(PETER_NOTE + tail, [PETER])).toThrow(invalid)
  })

  it('security: is refused when nobody known signed it, whatever name and id the signature claims', () => {
    expect(() => openNote(PETER_NOTE, [])).toThrow('not signed by a known key')
    expect(() => openNote(PETER_NOTE, [SPEC_KEY])).toThrow('not signed by a known key')
    expect(() => openNote(PETER_NOTE, [{ ...SPEC_KEY, name: PETER.name }])).toThrow('not signed by a known key')
    expect(() => openNote(PETER_NOTE, [{ ...SPEC_KEY, id: PETER.id }])).toThrow('not signed by a known key')
    expect(() => openNote(PETER_NOTE, [{ ...SPEC_KEY, name: PETER.name, id: PETER.id }])).toThrow(
      'a signature is wrong',
    )
  })

  it('security: one wrong signature by a known key refuses the note, even beside a right one', () => {
    const short = `— PeterNeumann ${Buffer.from(`${PETER.id}00`, 'hex').toString('base64')}\n`
    const other = PETER_LINE.replace('UgYN1', 'UgYN2')
    for (const wrong of [short, other]) {
      expect(() => openNote(PETER_NOTE + wrong, [PETER])).toThrow('a signature is wrong')
      expect(() => openNote(`${PETER_TEXT}\n${wrong}${PETER_LINE}`, [PETER])).toThrow('a signature is wrong')
    }
  })

  it('opens with signatures of unknown keys and algorithms beside a known one, and names only the known', () => {
    const unknown = `— witness.example ${Buffer.alloc(4000, 9).toString('base64')}\n`
    expect(
      openNote(`${PETER_TEXT}\n${unknown}${PETER_LINE}${unknown}${PETER_LINE}`, [SPEC_KEY, PETER]).signers,
    ).toEqual([PETER])
  })

  it('takes 100 signatures and no more', () => {
    expect(openNote(`${PETER_TEXT}\n${'— a AAAAAAA=\n'.repeat(99)}${PETER_LINE}`, [PETER]).signers).toEqual([PETER])
    expect(() => openNote(`${PETER_TEXT}\n${'— a AAAAAAA=\n'.repeat(100)}${PETER_LINE}`, [PETER])).toThrow(invalid)
  })

  it('ends its text at the last empty line, so that text may hold empty lines and lines like signatures', () => {
    const text = `a\n\n${PETER_LINE}\n\nb\n\n`
    expect(openNote(signNote(text, PETER, signer(PETER_SEED)), [PETER]).text).toBe(text)
  })

  it('is refused as bytes that are not UTF-8, and keeps a byte order mark as text', () => {
    expect(() => openNote(Buffer.concat([Buffer.of(0xff), Buffer.from(PETER_NOTE)]), [PETER])).toThrow('not UTF-8')
    expect(() => openNote(Buffer.from(`\ufeff${PETER_NOTE}`), [PETER])).toThrow('a signature is wrong')
    expect(() => openNote(`\ud800${PETER_NOTE}`, [PETER])).toThrow(invalid)
  })

  it('is not made of text that no note can carry', () => {
    for (const text of ['', 'a', 'a\r\n', 'a\tb\n', '\u0000\n', '\ud800\n'])
      expect(() => signNote(text, PETER, signer(PETER_SEED))).toThrow(TypeError)
    expect(() => signNote('a\n', PETER, () => new Uint8Array(63))).toThrow(TypeError)
  })
})

describe('checkpoint', () => {
  it('of the Go checksum database opens and is read', () => {
    const [first, second] = SUMDB_NOTES.map((note) => parseCheckpoint(openNote(note, [SUMDB]).text))
    expect(first).toMatchObject({ origin: 'go.sum database tree', size: 15081221, extensions: [] })
    expect(second).toMatchObject({
      size: 35225469,
      root: Buffer.from('vt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=', 'base64'),
    })
  })

  it('of the specification is written and read back equal', () => {
    const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
    const { origin, size, root } = parseCheckpoint(text)
    expect(checkpointText(origin, size, root)).toBe(text)
  })

  const ROOT = Buffer.alloc(32, 7).toString('base64')
  it('keeps extension lines', () => {
    expect(parseCheckpoint(`a\n0\n${ROOT}\nx y\nz\n`).extensions).toEqual(['x y', 'z'])
  })

  it.each([
    ['nothing', ''],
    ['no final newline', `a\n1\n${ROOT}`],
    ['no root', 'a\n1\n'],
    ['no origin', `\n1\n${ROOT}\n`],
    ['an empty line', `a\n1\n${ROOT}\n\nx\n`],
    ['a trailing empty line', `a\n1\n${ROOT}\n\n`],
    ...['01', '-1', '+1', '1.0', '1e3', '0x1', ' 1', '1 ', '', '９', '9007199254740992', '99999999999999999999'].map(
      (size) => [`the size ${size}`, `a\n${size}\n${ROOT}\n`],
    ),
    ['a root of 31 bytes', `a\n1\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root of 33 bytes', `a\n1\n${Buffer.alloc(33).toString('base64')}\n`],
    ['a root in base64 without padding', `a\n1\n${ROOT.replace('=', '')}\n`],
    ['a root in base64 with loose bits', `a\n1\n${ROOT.replace('c=', 'd=')}\n`],
    ['a root in base64url', `a\n1\n${Buffer.alloc(32, 255).toString('base64url')}=\n`],
  ])('is refused with %s', (_, text) => {
    expect(() => parseCheckpoint(text!)).toThrow(invalid)
  })

  it('is not made of anything that could not be read back', () => {
    const root = Buffer.alloc(32)
    for (const origin of ['', 'a\nb', 'a\rb', '\ud800'])
      expect(() => checkpointText(origin, 1, root)).toThrow(TypeError)
    for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => checkpointText('a', size, root)).toThrow(TypeError)
    expect(() => checkpointText('a', 1, root.subarray(1))).toThrow(TypeError)
  })
})

function signer(seed: Buffer) {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  const key: KeyObject = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' })
  return (bytes: Uint8Array) => sign(null, bytes, key)
}

function bumped(text: string, at: number): string {
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) + 1) + text.slice(at + 1)
}
