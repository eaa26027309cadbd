import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Merkle from '../../src/core/merkle.ts'
import { bitFlips, CONSISTENCY, definition, ENTRIES, hex, INCLUSION, mutations, ROOTS } from './merkle-vectors.ts'

const REFERENCE = ENTRIES.map(Merkle.leafHash)

const MAX = 65
const LEAVES = Array.from({ length: MAX }, (_, i) => Merkle.leafHash(`entry ${i}`))
const FRONTIERS = LEAVES.reduce<Merkle.Frontier[]>(
  (all, leaf) => [...all, Merkle.append(all.at(-1)!, leaf)],
  [Merkle.EMPTY],
)
const ROOT = FRONTIERS.map(Merkle.rootOf)

describe('tree', () => {
  it('has the roots of the certificate-transparency reference vectors', () => {
    const roots = ROOTS.map((_, size) => Merkle.rootOf(REFERENCE.slice(0, size).reduce(Merkle.append, Merkle.EMPTY)))
    expect(roots).toEqual(ROOTS)
  })

  it('grows to the root that RFC 6962 §2.1 defines for all its leaves, at every size to 65', () => {
    for (let size = 0; size <= MAX; size++) expect(ROOT[size]).toEqual(definition(LEAVES.slice(0, size)))
  })

  it('hashes an entry given as text as its UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) =>
        Merkle.leafHash(text).equals(Merkle.leafHash(Buffer.from(text))),
      ),
    )
  })

  it('does not change a frontier by appending to it: a step may be run again', () => {
    const before = Merkle.serializeFrontier(FRONTIERS[7]!)
    const once = Merkle.append(FRONTIERS[7]!, LEAVES[7]!)
    expect(Merkle.append(FRONTIERS[7]!, LEAVES[7]!)).toEqual(once)
    expect(Merkle.serializeFrontier(FRONTIERS[7]!)).toEqual(before)
  })

  it('refuses a leaf that is not a hash', () => {
    expect(() => Merkle.append(Merkle.EMPTY, Buffer.alloc(31))).toThrow(RangeError)
  })
})

describe('frontier', () => {
  it('is stored as one hash for each set bit of its size, and read back equal', () => {
    FRONTIERS.forEach((frontier, size) => {
      const bytes = Merkle.serializeFrontier(frontier)
      expect(bytes.length).toBe(32 * size.toString(2).replaceAll('0', '').length)
      expect(Merkle.parseFrontier(size, bytes)).toEqual(frontier)
    })
  })

  it('stays as it was when the memory it was read from is reused', () => {
    const bytes = Merkle.serializeFrontier(FRONTIERS[5]!)
    const read = Merkle.parseFrontier(5, bytes)
    bytes.fill(0)
    expect(read).toEqual(FRONTIERS[5])
  })

  it('refuses bytes that do not fit its size', () => {
    const bytes = Merkle.serializeFrontier(FRONTIERS[5]!)
    for (const size of [4, 7, -1, 5.5, Number.NaN, 2 ** 53])
      expect(() => Merkle.parseFrontier(size, bytes)).toThrow(RangeError)
    expect(() => Merkle.parseFrontier(5, bytes.subarray(1))).toThrow(RangeError)
  })

  it('counts beyond 32 bits', () => {
    const frontier = Merkle.parseFrontier(2 ** 40 + 1, Buffer.alloc(64, 7))
    expect(Merkle.append(frontier, LEAVES[0]!).roots).toHaveLength(2)
    expect(Merkle.append(frontier, LEAVES[0]!).size).toBe(2 ** 40 + 2)
  })
})

describe('inclusion proof', () => {
  it.each(INCLUSION)('of entry %i in %i is the reference one', (index, size, path) => {
    expect(Merkle.inclusionProof(index, size, REFERENCE)).toEqual(path.map(hex))
    expect(Merkle.verifyInclusion(REFERENCE[index]!, index, size, path.map(hex), ROOTS[size]!)).toBe(true)
  })

  it('verifies for every entry of every tree to 65, and for no other entry, size or root', () => {
    for (let size = 1; size <= MAX; size++)
      for (let index = 0; index < size; index++) {
        const proof = Merkle.inclusionProof(index, size, (i) => LEAVES[i]!)
        const verify = (leaf: number, at: number, of: number, root: number) =>
          Merkle.verifyInclusion(LEAVES[leaf]!, at, of, proof, ROOT[root]!)
        expect(verify(index, index, size, size)).toBe(true)
        expect(verify((index + 1) % MAX, index, size, size)).toBe(false)
        if (size > 1) expect(verify(index, (index + 1) % size, size, size)).toBe(false)
        expect(verify(index, index, size, size - 1)).toBe(false)
        expect(verify(index, size, size, size)).toBe(false)
      }
  })

  it('security: a proof that was changed, cut, extended or reordered proves nothing', () => {
    for (const [index, size] of [
      [0, 1],
      [0, 2],
      [3, 7],
      [6, 7],
      [63, 64],
      [64, 65],
      [17, 65],
    ] as const) {
      const proof = Merkle.inclusionProof(index, size, LEAVES)
      const leaf = LEAVES[index]!
      for (const bad of mutations(proof))
        expect(Merkle.verifyInclusion(leaf, index, size, bad, ROOT[size]!)).toBe(false)
      for (const bad of bitFlips(leaf)) expect(Merkle.verifyInclusion(bad, index, size, proof, ROOT[size]!)).toBe(false)
      for (const bad of bitFlips(ROOT[size]!)) expect(Merkle.verifyInclusion(leaf, index, size, proof, bad)).toBe(false)
    }
  })

  it('security: a path that is too long or too short for the size is refused, even where its hashes lead to the root', () => {
    for (let size = 1; size <= MAX; size++)
      for (let index = 0; index < size; index++) {
        const proof = Merkle.inclusionProof(index, size, LEAVES)
        expect(Merkle.verifyInclusion(LEAVES[index]!, index, 4 * size, proof, ROOT[size]!)).toBe(false)
      }
    expect(Merkle.verifyInclusion(LEAVES[1]!, 0, 1, [LEAVES[0]!], ROOT[2]!)).toBe(false)
  })

  it('security: an inner node does not pass for a leaf, nor an entry for a node', () => {
    const entry = Buffer.concat([LEAVES[0]!, LEAVES[1]!])
    expect(Merkle.leafHash(entry)).not.toEqual(ROOT[2])
    expect(Merkle.verifyInclusion(Merkle.leafHash(entry), 0, 1, [], ROOT[2]!)).toBe(false)
  })

  it('is refused, without an exception, for numbers that are no index or size', () => {
    for (const [index, size] of [
      [-1, 1],
      [0, 0],
      [0.5, 1],
      [0, 1.5],
      [Number.NaN, 1],
      [0, Number.NaN],
      [0, Infinity],
      [0, 2 ** 53],
    ] as const)
      expect(Merkle.verifyInclusion(LEAVES[0]!, index, size, [], LEAVES[0]!)).toBe(false)
    expect(() => Merkle.inclusionProof(3, 3, LEAVES)).toThrow(RangeError)
    expect(() => Merkle.inclusionProof(0, MAX + 1, LEAVES)).toThrow(RangeError)
  })
})

describe('consistency proof', () => {
  it.each(CONSISTENCY)('from %i to %i is the reference one', (oldSize, newSize, path) => {
    expect(Merkle.consistencyProof(oldSize, newSize, REFERENCE)).toEqual(path.map(hex))
    expect(Merkle.verifyConsistency(oldSize, newSize, path.map(hex), ROOTS[oldSize]!, ROOTS[newSize]!)).toBe(true)
  })

  it('verifies between all trees m ≤ n ≤ 65, and between no others', () => {
    for (let n = 0; n <= MAX; n++)
      for (let m = 0; m <= n; m++) {
        const proof = Merkle.consistencyProof(m, n, LEAVES)
        expect(Merkle.verifyConsistency(m, n, proof, ROOT[m]!, ROOT[n]!)).toBe(true)
        expect(Merkle.verifyConsistency(m, n, proof, ROOT[(m + 1) % (MAX + 1)]!, ROOT[n]!)).toBe(false)
        expect(Merkle.verifyConsistency(m, n, proof, ROOT[m]!, ROOT[(n + 1) % (MAX + 1)]!)).toBe(m === 0 && n > 0)
        if (m < n) expect(Merkle.verifyConsistency(n, m, proof, ROOT[n]!, ROOT[m]!)).toBe(false)
      }
  })

  it('security: a proof that was changed, cut, extended or reordered proves nothing', () => {
    for (const [m, n] of [
      [1, 1],
      [1, 2],
      [3, 7],
      [4, 7],
      [6, 8],
      [64, 65],
      [17, 65],
    ] as const) {
      const proof = Merkle.consistencyProof(m, n, LEAVES)
      for (const bad of mutations(proof)) expect(Merkle.verifyConsistency(m, n, bad, ROOT[m]!, ROOT[n]!)).toBe(false)
      for (const bad of bitFlips(ROOT[m]!)) expect(Merkle.verifyConsistency(m, n, proof, bad, ROOT[n]!)).toBe(false)
      for (const bad of bitFlips(ROOT[n]!)) expect(Merkle.verifyConsistency(m, n, proof, ROOT[m]!, bad)).toBe(false)
    }
  })

  it('security: a path that is too long or too short for the sizes is refused, even where its hashes lead to both roots', () => {
    for (let n = 2; n <= MAX; n++)
      for (let m = 1; m < n; m++)
        expect(Merkle.verifyConsistency(m, 4 * n, Merkle.consistencyProof(m, n, LEAVES), ROOT[m]!, ROOT[n]!)).toBe(
          false,
        )
    const [extra, rootOver] = [
      LEAVES[9]!,
      (root: Buffer) =>
        createHash('sha256')
          .update(Buffer.concat([Buffer.of(1), LEAVES[9]!, root]))
          .digest(),
    ]
    const proof = [...Merkle.consistencyProof(3, 4, LEAVES), extra]
    expect(Merkle.verifyConsistency(3, 4, proof, rootOver(ROOT[3]!), rootOver(ROOT[4]!))).toBe(false)
  })

  it('security: a rewritten past cannot be proved', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX }), fc.nat(), fc.nat(), (n, a, b) => {
        const m = 1 + (a % n)
        const rewritten = LEAVES.with(b % m, Merkle.leafHash('rewritten')).slice(0, n)
        const root = definition(rewritten)
        return !Merkle.verifyConsistency(m, n, Merkle.consistencyProof(m, n, rewritten), ROOT[m]!, root)
      }),
    )
  })

  it('is refused, without an exception, for numbers that are no sizes', () => {
    for (const bad of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(Merkle.verifyConsistency(bad, 2, [], ROOT[1]!, ROOT[2]!)).toBe(false)
      expect(Merkle.verifyConsistency(1, bad, [], ROOT[1]!, ROOT[2]!)).toBe(false)
      expect(() => Merkle.consistencyProof(bad, 2, LEAVES)).toThrow(RangeError)
    }
    expect(() => Merkle.consistencyProof(3, 2, LEAVES)).toThrow(RangeError)
  })
})
