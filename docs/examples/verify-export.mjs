// Verifies what `bursar journal export` wrote, with nothing but Node's own modules. See docs/journal.md.
//
//   node docs/examples/verify-export.mjs journal.jsonl [verifier key]
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'

const [path, trusted] = process.argv.slice(2)
if (path === undefined) fail('usage: verify-export.mjs FILE [VKEY]')

const lines = readFileSync(path, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))
const key = keyOf(trusted ?? lines.find(({ vkey }) => vkey)?.vkey ?? fail('This file is not an export.'))
const events = byJournal(lines.filter(({ event, archived }) => event ?? archived))
const heads = lines.flatMap(({ head }) => head ?? [])

/** The leaves of each journal, once its events and its checkpoint were found right. */
const trees = new Map()
for (const [journal, entries] of events) {
  const leaves = entries.map(({ event, leaf }, n) => {
    // Archived: its text is elsewhere, and its hash is in the tree all the same.
    if (!event) return Buffer.from(leaf, 'base64')
    const computed = sha256(Buffer.of(0), canonical(event))
    if (!computed.equals(Buffer.from(leaf, 'base64'))) fail(`${journal}: event ${n} is not the one that was hashed.`)
    if (event.v !== 1 || event.seq !== n) fail(`${journal}: event ${n} says that it is number ${event.seq}.`)
    return computed
  })
  const head = heads.find((one) => one.journal === journal) ?? fail(`${journal} has no checkpoint.`)
  const [origin, size, root] = opened(head.checkpoint).split('\n')
  if (origin !== `${key.name}/${journal}` || Number(size) !== leaves.length || root !== rootOf(leaves))
    fail(`${journal}: the checkpoint is over other events than these.`)
  trees.set(journal, leaves)
}
for (const { event = {} } of events.get('instance') ?? fail('The journal of the instance is missing.')) {
  if (event.type === 'journal.opened' && !trees.has(event.details.journal))
    fail(`The journal ${event.details.journal} is missing.`)
  for (const { journal, size, root } of event.details?.heads ?? [])
    if (rootOf(trees.get(journal)?.slice(0, size) ?? []) !== root)
      fail(`${journal}: its first ${size} events were others.`)
}
for (const { text } of lines.filter((line) => line.text)) {
  const found = sha256(Buffer.from(text.salt, 'hex'), text.text).toString('hex')
  if (found !== text.digest) fail(`The text under ${text.digest} is not the one that was hashed.`)
}

const count = [...events.values()].reduce((sum, { length }) => sum + length, 0)
const unread = lines.filter(({ archived }) => archived).length
process.stdout.write(`holds: ${count} events in ${events.size} journals, signed by ${key.name}\n`)
if (unread > 0) process.stdout.write(`${unread} of them are archived: their hashes were read, and not their texts.\n`)
if (trusted === undefined)
  process.stdout.write('The key came with the export: this shows only that it agrees with itself.\n')

/** RFC 8785, for JSON whose numbers are whole. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)
  return `{${fields.join(',')}}`
}

/** RFC 6962 §2.1, base64. */
function rootOf(leaves) {
  return treeHash(leaves).toString('base64')
}

function treeHash(leaves) {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return leaves[0]
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha256(Buffer.of(1), treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)))
}

/** The text of a signed note, once its signature by our key was found right. */
function opened(note) {
  const end = note.lastIndexOf('\n\n')
  const text = note.slice(0, end + 1)
  for (const line of note
    .slice(end + 2)
    .trimEnd()
    .split('\n')) {
    const [, name, encoded] = line.split(' ')
    const bytes = Buffer.from(encoded, 'base64')
    const ours = name === key.name && bytes.toString('hex', 0, 4) === key.id
    if (ours && verify(null, Buffer.from(text), key.publicKey, bytes.subarray(4))) return text
  }
  return fail('A checkpoint is not signed by this key.')
}

function keyOf(vkey) {
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey) ?? fail('The verifier key is malformed.')
  const typed = Buffer.from(encoded, 'base64')
  if (sha256(`${name}\n`, typed).toString('hex', 0, 4) !== id || typed[0] !== 1) fail('The verifier key is malformed.')
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: typed.subarray(1).toString('base64url') }
  return { name, id, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }
}

function sha256(...parts) {
  return parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
}

function byJournal(entries) {
  const journals = new Map()
  for (const entry of entries) {
    const { journal } = entry.event ?? entry.archived
    journals.set(journal, [...(journals.get(journal) ?? []), entry])
  }
  return journals
}

function fail(why) {
  process.stderr.write(`${why}\n`)
  process.exit(1)
}
