import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { canonical } from '../../core/canonical.ts'
import { BursarError } from '../../core/errors.ts'
import type { Hash } from '../../core/merkle.ts'
import { HASH_BYTES, inclusionProof } from '../../core/merkle.ts'
import type { NoteKey } from '../../core/note.ts'
import { parseVkey } from '../../core/note.ts'
import { proofText } from '../../core/proof.ts'
import { rfc3339 } from '../../core/time.ts'
import type { Payment, Text } from '../../core/types.ts'
import type { Kept, Report } from '../../core/verify/index.ts'
import { verify } from '../../core/verify/index.ts'
import type { Bursar, StoredEvent } from '../../ports.ts'
import { noSuchPayment } from '../views.ts'
import { type ArchiveFolder, nameOf } from './archive-files.ts'

/**
 * Verifies the live store: journals, checkpoints, approvals, and the tables against what the journals rebuild.
 *
 * @param archive where the bodies of archived events are; without it only their leaves are verified
 */
export async function verifyStore(
  bursar: Bursar,
  key: NoteKey,
  kept: readonly string[] = [],
  archive: ArchiveFolder | null = null,
): Promise<Report> {
  return bursar.store.read.together(async (read) => {
    const evidence = {
      heads: await read.heads(),
      journals: () => read.journals(),
      events: (journal: string) => archive?.whole(journal, read.events(journal)) ?? read.events(journal),
      texts: () => read.texts(),
      tables: read,
      ...(archive && { files: archive.files }),
    }
    const report = await verify(evidence, key, kept)
    const altered = (await read.altered()).map((why) => ({ journal: 'schema', seq: null, why }))
    return { ...report, ok: report.ok && altered.length === 0, problems: [...report.problems, ...altered] }
  })
}

/**
 * The journals as lines of JSON: a header, then every event with the hash of its leaf, then texts and heads. Whoever has it and
 * the key can verify it offline. Of an event that is archived, and in no file that was given, there is its place, type and leaf.
 */
export async function* exportLines(
  bursar: Bursar,
  key: NoteKey,
  archive: ArchiveFolder | null = null,
): AsyncIterable<string> {
  const { read } = bursar.store
  yield JSON.stringify({ bursar_journal: 1, vkey: key.vkey })
  // Events that are written while this runs are beyond these heads, and stay out.
  const heads = await read.heads()
  for (const { journal, size } of heads)
    for await (const event of archive?.whole(journal, read.events(journal)) ?? read.events(journal)) {
      if (event.seq >= size) break
      yield eventLine(event)
    }
  for await (const text of read.texts()) yield JSON.stringify({ text })
  for (const { journal, checkpoint } of heads) yield JSON.stringify({ head: { journal, checkpoint } })
}

/** As an export has it, and an archive. */
export function eventLine({ journal, seq, type, body, leaf }: StoredEvent): string {
  const said = body === null ? `"archived":${JSON.stringify({ journal, seq, type })}` : `"event":${body}`
  return `{${said},"leaf":"${leaf.toString('base64')}"}`
}

/**
 * Verifies an export.
 *
 * @param vkey the verifier key, from a place you trust; null takes the export's own word for it
 * @throws `argument_invalid` when the file is not an export
 */
export async function verifyExport(
  path: string,
  vkey: string | null,
  kept: readonly string[] = [],
): Promise<Report & { readonly vkey: string }> {
  const file = await readExport(path)
  const chosen = vkey ?? file.vkey
  const evidence = {
    heads: file.heads,
    journals: () => [...file.events.keys()],
    events: (journal: string) => file.events.get(journal) ?? [],
    texts: () => file.texts,
  }
  const report = await verify(evidence, parseVkey(chosen), kept)
  return { ...report, vkey: chosen }
}

interface Export {
  readonly vkey: string
  readonly heads: { journal: string; checkpoint: string }[]
  readonly events: Map<string, Kept[]>
  readonly texts: Text[]
}

async function readExport(path: string): Promise<Export> {
  const found: Export & { vkey: string } = { vkey: '', heads: [], events: new Map(), texts: [] }
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const value = parsed(line)
    if (typeof value.vkey === 'string') found.vkey = value.vkey
    else if (value.text) found.texts.push(strings(value.text, ['digest', 'salt', 'text']))
    else if (value.head) found.heads.push(strings(value.head, ['journal', 'checkpoint']))
    else {
      const { journal, stored } = storedOf(value)
      const events = found.events.get(journal)
      if (events) events.push(stored)
      else found.events.set(journal, [stored])
    }
  }
  if (found.vkey === '') throw notAnExport()
  return found
}

/** The hashed bytes are the canonical JSON of the event, however the line was written. */
function storedOf({ event, archived, leaf: text }: Record<string, unknown>): { journal: string; stored: Kept } {
  const found = event ?? archived
  if (typeof found !== 'object' || found === null || typeof text !== 'string') throw notAnExport()
  const leaf = Buffer.from(text, 'base64')
  if (!event && leaf.length !== HASH_BYTES) throw notAnExport()
  const { journal, type } = found as { journal?: unknown; type?: unknown }
  const stored = event ? { body: canonical(event), leaf } : { body: null, type: String(type), leaf }
  return { journal: String(journal), stored }
}

/** @throws `argument_invalid` unless the value has these texts */
function strings<Field extends string>(value: unknown, fields: readonly Field[]): Record<Field, string> {
  const found = value as Record<Field, string>
  if (fields.some((field) => typeof found[field] !== 'string')) throw notAnExport()
  return found
}

function notAnExport(): BursarError {
  return new BursarError('argument_invalid', 'This file is not a journal export.')
}

function parsed(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Falls through: not an export's line.
  }
  throw notAnExport()
}

/** A payment's receipt that anyone can check offline: its last event, and the C2SP proof that the journal holds it. */
export interface PaymentProof {
  readonly event: string
  /** C2SP tlog-proof. */
  readonly proof: string
  readonly vkey: string
}

/** @throws `not_found` */
export async function provePayment(bursar: Bursar, key: NoteKey, paymentId: string): Promise<PaymentProof> {
  const { read } = bursar.store
  const payment = (await read.one('payments', { id: paymentId })) as Payment | null
  if (!payment) throw noSuchPayment()
  const journal = payment.walletId ?? 'instance'
  const head = await read.head(journal)
  const leaves: Hash[] = []
  let event: string | null = ''
  for await (const stored of read.events(journal)) {
    if (stored.seq >= (head?.size ?? 0)) break
    leaves.push(stored.leaf)
    if (stored.seq === payment.seq) event = stored.body
  }
  if (event === null)
    throw new BursarError(
      'not_found',
      `The last event of this payment is archived: it is in ${nameOf(rfc3339(payment.updatedAt).slice(0, 7))}. \`bursar journal export --archive\` makes a whole export with it.`,
    )
  const path = inclusionProof(payment.seq, leaves.length, leaves)
  return { event, proof: proofText({ index: payment.seq, path, checkpoint: head?.checkpoint ?? '' }), vkey: key.vkey }
}
