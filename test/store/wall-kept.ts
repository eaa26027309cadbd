import { type Allowed, type Changes, cases } from './wall.ts'

const CALL = {
  ...{ caller: `'agent crd_1'`, key: `'k'`, asked: `'${'f'.repeat(64)}'`, holder: `'${'1'.repeat(36)}'` },
  ...{ busy_until: '1', expires_at: '2', bytes: '0', answer: 'NULL' },
}
const NAME = { name: `'${'f'.repeat(64)}'`, holder: `'${'1'.repeat(36)}'`, expires_at: '2' }

const row = (table: string, columns: Changes) =>
  `INSERT INTO ${table} (${Object.keys(columns).join(', ')}) VALUES (${Object.values(columns).join(', ')})`
const call = (changes: Changes = {}) => row('kept_calls', { ...CALL, ...changes })
const name = (changes: Changes = {}) => row('kept_names', { ...NAME, ...changes })
/** A text of so many characters. */
const text = (length: number) => `'${'x'.repeat(length)}'`

const calls = cases('kept_calls', [
  ['length(caller) BETWEEN 1 AND 300', 'is of nobody', call({ caller: `''` })],
  ['length(caller) BETWEEN 1 AND 300', 'is of a name without end', call({ caller: text(301) })],
  ['length(key) BETWEEN 1 AND 128', 'has no key', call({ key: `''` })],
  ['length(key) BETWEEN 1 AND 128', 'has a key without end', call({ key: text(129) })],
  ['length(asked) = 64', 'asks for no digest', call({ asked: text(63) })],
  ['length(holder) = 36', 'is held by nobody', call({ holder: `''` })],
  ['busy_until BETWEEN 0 AND expires_at', 'is worked on after its end', call({ busy_until: '3' })],
  ['bytes BETWEEN 0 AND 500000', 'has a longer answer', call({ bytes: '500001', answer: text(500_001) })],
  ['coalesce(octet_length(answer), 0) = bytes', 'says less of its answer', call({ answer: `'é'`, bytes: '1' })],
  ['coalesce(octet_length(answer), 0) = bytes', 'has no answer, and room for one', call({ bytes: '1' })],
])
const names = cases('kept_names', [
  ['length(name) = 64', 'is no digest', name({ name: text(65) })],
  ['length(holder) = 36', 'is held by nobody', name({ holder: `''` })],
  ['expires_at >= 0', 'was over before there was time', name({ expires_at: '-1' })],
])
const room = cases('kept_room', [['share BETWEEN 0 AND 15', 'is one of more', 'INSERT INTO kept_room VALUES (16, 0)']])

/** What is only remembered. */
export const KEPT = [...calls, ...names, ...room]

export const ALLOWED_KEPT: readonly Allowed[] = [
  { bad: call() },
  { bad: call({ caller: text(300), key: text(128), busy_until: '2' }) },
  { bad: call({ answer: `''` }) },
  { bad: call({ answer: text(500_000), bytes: '500000' }) },
  { bad: `UPDATE kept_calls SET answer = 'é', bytes = 2`, before: call() },
  { bad: 'DELETE FROM kept_calls', before: call() },
  { bad: name() },
  { bad: 'DELETE FROM kept_names', before: name() },
  { bad: 'INSERT INTO kept_room VALUES (15, -1)' },
]
