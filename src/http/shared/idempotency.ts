import { BursarError, CODES, type Code } from '../../core/errors.ts'

/** An answer as it went out. */
export interface Kept {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Entry {
  /** Digest of what was asked for. */
  readonly asked: string
  /** When it is forgotten, in milliseconds since the epoch. */
  readonly until: number
  /** Null while it is worked on. */
  kept: Kept | null
}

interface Shelf {
  readonly entries: Map<string, Entry>
  bytes: number
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Answers that hold a key are in memory no longer than a retry takes. */
const SECRET_MS = 10 * 60 * 1000

export interface Room {
  /** How many keys of one caller are remembered. */
  readonly keys: number
  /** Bytes of answers that are kept for one caller, and for all. */
  readonly bytes: number
  readonly allBytes: number
}
const ROOM: Room = { keys: 1_000, bytes: 500_000, allBytes: 50_000_000 }

export interface Ask {
  readonly caller: string
  readonly key: string
  /** Digest of what is asked for: the same key for something else is a mistake. */
  readonly asked: string
  readonly secret: boolean
}

/**
 * The answers to earlier calls, by who asked and the key that they gave (draft-ietf-httpapi-idempotency-key-header). In memory:
 * a restart forgets them. Payments do not need it, their key is in the database.
 */
export function keptAnswers(now: () => number, room: Room = ROOM) {
  const shelves = new Map<string, Shelf>()
  let allBytes = 0

  /** Whoever asked last is last. */
  function shelfOf(caller: string): Shelf {
    const shelf = shelves.get(caller) ?? { entries: new Map<string, Entry>(), bytes: 0 }
    shelves.delete(caller)
    shelves.set(caller, shelf)
    return shelf
  }

  function drop(shelf: Shelf, key: string): void {
    const size = shelf.entries.get(key)?.kept?.body.length ?? 0
    shelf.entries.delete(key)
    shelf.bytes -= size
    allBytes -= size
  }

  /** Forgets the oldest answer; what is worked on stays. */
  function dropOldest(shelf: Shelf): boolean {
    for (const [key, { kept }] of shelf.entries)
      if (kept !== null) {
        drop(shelf, key)
        return true
      }
    return false
  }

  function keep(shelf: Shelf, entry: Entry, kept: Kept): void {
    entry.kept = kept
    shelf.bytes += kept.body.length
    allBytes += kept.body.length
    while (shelf.bytes > room.bytes && dropOldest(shelf));
    for (const [caller, other] of shelves) {
      while (allBytes > room.allBytes && dropOldest(other));
      if (other.entries.size === 0) shelves.delete(caller)
      if (allBytes <= room.allBytes) return
    }
  }

  /**
   * Does the work, once for each key.
   *
   * @throws `idempotency_conflict`; `busy` while the first call of the key is worked on
   */
  return async (ask: Ask, work: () => Promise<Kept>): Promise<Kept & { readonly replayed: boolean }> => {
    const shelf = shelfOf(ask.caller)
    const earlier = shelf.entries.get(ask.key)
    if (earlier && (earlier.kept === null || now() < earlier.until)) return { ...again(earlier, ask), replayed: true }
    drop(shelf, ask.key)
    if (shelf.entries.size >= room.keys && !dropOldest(shelf))
      throw new BursarError('busy', 'Too many calls are worked on at once.')
    const entry: Entry = { asked: ask.asked, until: now() + (ask.secret ? SECRET_MS : DAY_MS), kept: null }
    shelf.entries.set(ask.key, entry)
    try {
      const kept = await work()
      if (isFinal(kept)) keep(shelf, entry, kept)
      return { ...kept, replayed: false }
    } finally {
      if (entry.kept === null) shelf.entries.delete(ask.key)
    }
  }
}

function again({ asked, kept }: Entry, ask: Ask): Kept {
  if (asked !== ask.asked)
    throw new BursarError('idempotency_conflict', 'This Idempotency-Key was used for another call.')
  if (kept === null) throw new BursarError('busy', 'The first call of this Idempotency-Key is worked on.')
  return kept
}

/** Whether asking again can only be answered the same. What may pass by itself is tried again; what may have been done is not. */
function isFinal({ status, body, headers }: Kept): boolean {
  if (status === 401) return false
  if (headers['content-type'] !== 'application/problem+json') return true
  const { code } = JSON.parse(body) as { code?: Code }
  return code === undefined || code === 'outcome_unknown' || CODES[code].retry !== 'later'
}

const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
const BARE = /^[\x21\x23-\x5b\x5d-\x7e]+$/
const KEY_MAX = 128

/** The key as a structured field (RFC 8941, a string) or, as most send it, bare. @throws `argument_invalid` */
export function keyOf(header: string | null): string | null {
  if (header === null) return null
  const quoted = QUOTED.exec(header)?.[1]?.replace(/\\(.)/g, '$1')
  const key = quoted ?? (BARE.test(header) ? header : '')
  if (key === '' || key.length > KEY_MAX || key.includes(' '))
    throw new BursarError('argument_invalid', `Idempotency-Key is 1 to ${KEY_MAX} printable ASCII characters.`)
  return key
}
