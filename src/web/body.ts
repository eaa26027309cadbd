import type { Duplex } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'

/** How much of a body comes in, compressed, and how much is kept, decompressed. In bytes. */
const RECEIVED_MAX = 1024 * 1024
const KEPT_MAX = 256 * 1024
const MEMORY_START = 4 * 1024

/** What requests say that they take (RFC 9110 §12.5.3). */
export const ACCEPTED = 'gzip, deflate, br'

export interface Body {
  readonly bytes: Buffer
  readonly truncated: boolean
}

export interface Keeper {
  /** @returns false once something had to be left out */
  add(chunk: Buffer): boolean
  bytes(): Buffer
}

/** Keeps the first `max` bytes that it gets, in one piece: a million chunks of one byte cost no more than their bytes. */
export function keeperOf(max: number): Keeper {
  let memory = Buffer.alloc(Math.min(max, MEMORY_START))
  let length = 0

  function add(chunk: Buffer): boolean {
    const taken = Math.min(chunk.length, max - length)
    const needed = length + taken
    if (needed > memory.length) memory = Buffer.concat([memory], Math.min(max, Math.max(needed, 2 * memory.length)))
    chunk.copy(memory, length, 0, taken)
    length = needed
    return taken === chunk.length
  }

  return { add, bytes: () => memory.subarray(0, length) }
}

/** How a body is compressed. Null: in a way that nobody asked for, or in several, one in the other. */
export type Coding = 'identity' | 'gzip' | 'deflate' | 'br' | null

/** @param values every value of the header `content-encoding` */
export function codingOf(values: readonly string[]): Coding {
  const [value = 'identity', ...others] = values.map((one) => one.toLowerCase())
  if (others.length > 0) return null
  // RFC 9110 §8.4.1.3.
  if (value === 'gzip' || value === 'x-gzip') return 'gzip'
  return value === 'identity' || value === 'deflate' || value === 'br' ? value : null
}

/** How many bytes of a body are received at most: none where it cannot be read. */
export function receivedMax(coding: Coding): number {
  if (coding === null) return 0
  return coding === 'identity' ? KEPT_MAX : RECEIVED_MAX
}

/**
 * Decompresses as much as is kept. The status and the headers of an answer count also where its body is broken: then it is
 * what could be read, and truncated.
 */
export async function decoded({ bytes, truncated }: Body, coding: Coding): Promise<Body> {
  if (bytes.length === 0 || coding === null || coding === 'identity') return { bytes, truncated }
  const keeper = keeperOf(KEPT_MAX)
  try {
    const decoder = decoderOf(coding, bytes)
    decoder.end(bytes)
    for await (const chunk of decoder) {
      // Leaving the loop destroys the decoder: a bomb is not unpacked any further.
      if (!keeper.add(chunk)) return { bytes: keeper.bytes(), truncated: true }
    }
    return { bytes: keeper.bytes(), truncated }
  } catch {
    // From here on it is not compressed in that way, or it breaks off.
    return { bytes: keeper.bytes(), truncated: true }
  }
}

function decoderOf(coding: 'gzip' | 'deflate' | 'br', bytes: Buffer): Duplex {
  if (coding === 'br') return createBrotliDecompress()
  if (coding === 'gzip') return createGunzip()
  // Some servers leave out the wrapper that RFC 9110 §8.4.1.2 asks for. Its first byte ends in 8.
  return ((bytes[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw()
}
