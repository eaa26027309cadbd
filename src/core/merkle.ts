import { sha256 } from './canonical.ts'

/** 32 bytes: SHA-256 of a leaf or of an inner node. */
export type Hash = Buffer
export const HASH_BYTES = 32

/** Leaf hashes in order, whole or on demand. */
export type Leaves = readonly Hash[] | ((index: number) => Hash)

/**
 * All of a tree that appending needs: the roots of its complete subtrees, largest first, one for each set bit of `size`.
 * A plain value: {@link append} makes a new one.
 */
export interface Frontier {
  readonly size: number
  readonly roots: readonly Hash[]
}

export const EMPTY: Frontier = { size: 0, roots: [] }

/** The hash of one entry (RFC 6962 §2.1). Strings are hashed as UTF-8. */
export function leafHash(entry: Uint8Array | string): Hash {
  // A string stays a string: U+0000 is the byte 0x00 in UTF-8, and copying bytes costs more than the hash.
  if (typeof entry === 'string') return sha256(`\0${entry}`)
  const bytes = Buffer.allocUnsafe(1 + entry.length)
  bytes[0] = 0
  bytes.set(entry, 1)
  return sha256(bytes)
}

/** The tree with one more leaf, given by its hash. @throws RangeError unless that is 32 bytes. */
export function append(frontier: Frontier, leaf: Hash): Frontier {
  if (leaf.length !== HASH_BYTES) throw new RangeError('A leaf hash is 32 bytes.')
  const roots = frontier.roots.slice()
  let top = leaf
  // Each trailing set bit of the old size is a complete subtree of the same height as `top`: they become one.
  for (let bits = frontier.size; bits % 2 === 1; bits = half(bits)) top = nodeHash(roots.pop() as Hash, top)
  roots.push(top)
  return { size: frontier.size + 1, roots }
}

/** Merkle Tree Hash (RFC 6962 §2.1). Of the empty tree: SHA-256 of nothing. */
export function rootOf(frontier: Frontier): Hash {
  if (frontier.roots.length === 0) return sha256('')
  return frontier.roots.reduceRight((right, left) => nodeHash(left, right))
}

/** The roots one after the other, 32 bytes each. The size is stored apart. */
export function serializeFrontier(frontier: Frontier): Buffer {
  return Buffer.concat(frontier.roots)
}

/** Inverse of {@link serializeFrontier}. @throws RangeError when there is not one root for each set bit of `size`. */
export function parseFrontier(size: number, bytes: Uint8Array): Frontier {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('A tree size is a whole number from 0 to 2^53 - 1.')
  const count = setBits(size)
  if (bytes.length !== count * HASH_BYTES)
    throw new RangeError(`A tree of ${size} leaves has ${count} subtree roots, which is not what these bytes hold.`)
  // Copied: a database may reuse the memory it handed out.
  const copy = Buffer.from(bytes)
  const roots = Array.from({ length: count }, (_, i) => copy.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))
  return { size, roots }
}

/**
 * The sibling hashes from leaf to root (RFC 6962 §2.1.1). Reads all `size` leaves.
 *
 * @throws RangeError unless 0 ≤ index < size.
 */
export function inclusionProof(index: number, size: number, leaves: Leaves): Hash[] {
  assertSize(size)
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new RangeError('An index is a whole number from 0 to below the size.')
  const at = accessor(leaves)
  const path: Hash[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    const inLeft = index < middle
    path.push(inLeft ? subtreeRoot(at, middle, end) : subtreeRoot(at, start, middle))
    if (inLeft) end = middle
    else start = middle
  }
  return path.reverse()
}

/**
 * Proof that the tree of `newSize` begins with the tree of `oldSize` (RFC 6962 §2.1.2); empty when either holds
 * trivially: equal sizes, or an old tree without leaves. Reads all `newSize` leaves.
 *
 * @throws RangeError unless 0 ≤ oldSize ≤ newSize.
 */
export function consistencyProof(oldSize: number, newSize: number, leaves: Leaves): Hash[] {
  assertSize(oldSize)
  assertSize(newSize)
  if (oldSize > newSize) throw new RangeError('The old size is at most the new size.')
  if (oldSize === 0) return []
  const at = accessor(leaves)
  const path: Hash[] = []
  let start = 0
  let end = newSize
  while (end !== oldSize) {
    const middle = start + splitOf(end - start)
    const inLeft = oldSize <= middle
    path.push(inLeft ? subtreeRoot(at, middle, end) : subtreeRoot(at, start, middle))
    if (inLeft) end = middle
    else start = middle
  }
  // The old root itself is known to the verifier; a part of it is not.
  if (start > 0) path.push(subtreeRoot(at, start, end))
  return path.reverse()
}

/** Whether `leaf` is entry `index` of the tree of this size and root (RFC 9162 §2.1.3.2). Never throws. */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!isSize(size) || !isSize(index) || index >= size || !areHashes([leaf, root, ...proof])) return false
  let node = index
  let last = size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      // A node that is last and even has no sibling on its level: rise to where it has one.
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else hash = nodeHash(hash, sibling)
    node = half(node)
    last = half(last)
  }
  return last === 0 && hash.equals(root)
}

/** Whether the new tree begins with exactly the leaves of the old (RFC 9162 §2.1.4.2). Never throws. */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  proof: readonly Hash[],
  oldRoot: Hash,
  newRoot: Hash,
): boolean {
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize) return false
  if (!areHashes([oldRoot, newRoot, ...proof])) return false
  if (oldSize === newSize) return proof.length === 0 && oldRoot.equals(newRoot)
  if (oldSize === 0) return proof.length === 0 && oldRoot.equals(rootOf(EMPTY))
  return climb(oldSize, newSize, proof, oldRoot, newRoot)
}

function climb(oldSize: number, newSize: number, proof: readonly Hash[], oldRoot: Hash, newRoot: Hash): boolean {
  let node = oldSize - 1
  let last = newSize - 1
  while (node % 2 === 1) {
    node = half(node)
    last = half(last)
  }
  // An old tree that is one complete subtree is its own first node, and is not in the proof.
  const [first, ...rest] = node === 0 ? [oldRoot, ...proof] : proof
  if (first === undefined) return false
  let oldHash = first
  let newHash = first
  for (const sibling of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash)
      newHash = nodeHash(sibling, newHash)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else newHash = nodeHash(newHash, sibling)
    node = half(node)
    last = half(last)
  }
  return last === 0 && oldHash.equals(oldRoot) && newHash.equals(newRoot)
}

// Reused, because it is overwritten before and read within the same synchronous call.
const inner = Buffer.alloc(1 + 2 * HASH_BYTES, 1)

function nodeHash(left: Hash, right: Hash): Hash {
  inner.set(left, 1)
  inner.set(right, 1 + HASH_BYTES)
  return sha256(inner)
}

function subtreeRoot(at: (index: number) => Hash, start: number, end: number): Hash {
  if (end - start === 1) return at(start)
  const middle = start + splitOf(end - start)
  return nodeHash(subtreeRoot(at, start, middle), subtreeRoot(at, middle, end))
}

/** The largest power of two below `size` (RFC 6962 §2.1, k). */
function splitOf(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

/** Bit shifts would cut sizes to 32 bits. */
function half(value: number): number {
  return Math.floor(value / 2)
}

function setBits(size: number): number {
  let count = 0
  for (let bits = size; bits > 0; bits = half(bits)) count += bits % 2
  return count
}

function accessor(leaves: Leaves): (index: number) => Hash {
  if (typeof leaves === 'function') return leaves
  return (index) => {
    const leaf = leaves[index]
    if (leaf === undefined) throw new RangeError(`There is no leaf ${index}.`)
    return leaf
  }
}

function areHashes(hashes: readonly Hash[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES)
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function assertSize(value: number): void {
  if (!isSize(value)) throw new RangeError('A tree size is a whole number from 0 to 2^53 - 1.')
}
