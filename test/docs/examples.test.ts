import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const folder = mkdtempSync(join(tmpdir(), 'bursar-examples-'))
const BURSAR_HOME = join(folder, 'home')
const journal = join(folder, 'journal.jsonl')

afterAll(() => rmSync(folder, { recursive: true }))

function node(path: string, args: readonly string[], input = '') {
  const { BURSAR_AGENT: _, BURSAR_AGENT_KEY: __, ...others } = process.env
  return spawnSync(process.execPath, [join(ROOT, path), ...args], {
    env: { ...others, BURSAR_HOME },
    input,
    encoding: 'utf8',
  })
}

describe('docs/examples', () => {
  let vkey = ''
  let agent: ReturnType<typeof node>
  beforeAll(() => {
    agent = node('docs/examples/agent.mjs', [], 'approve\n')
    const exported = node('dist/main.js', ['journal', 'export', '--out', journal, '--json'])
    vkey = (JSON.parse(exported.stdout) as { vkey: string }).vkey
  })

  it('agent.mjs asks, is approved, pays, and pays once', () => {
    expect(agent.stderr).not.toContain('Error')
    expect(agent.stdout).toContain('Amount: up to 50.00 USD in all')
    expect(agent.stdout.match(/paid 12\.00 USD/g)).toHaveLength(2)
    expect(agent.stdout).toContain('nothing was paid again')
    expect(agent.stdout).toContain('38.00 USD and 1 of 2 uses left')
    expect(agent.status).toBe(0)
  })

  it('verify-export.mjs finds that a journal holds, under the key of its instance', () => {
    const { status, stdout, stderr } = node('docs/examples/verify-export.mjs', [journal, vkey])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^holds: \d+ events in 2 journals, signed by bursar-[0-9a-f]{16}\n$/)
    expect(status).toBe(0)
  })

  it('security: verify-export.mjs names an event that was changed', () => {
    const lines = readFileSync(journal, 'utf8').split('\n')
    const changed = lines.find((line) => line.includes('"type":"payment.captured"'))!
    const { seq } = (JSON.parse(changed) as { event: { seq: number } }).event
    const { status, stderr } = verified(lines.map((line) => (line === changed ? line.replace('12.00', '12.01') : line)))
    expect(stderr).toContain(`event ${seq} is not the one that was hashed`)
    expect(status).toBe(1)
  })

  describe('security: verify-export.mjs misses', () => {
    type Line = { event?: { journal: string; type: string }; head?: { journal: string } }
    const ofWallet = ({ event, head }: Line) => (event ?? head)?.journal.startsWith('wal_') === true
    it.each<[string, (line: Line, n: number) => boolean, RegExp]>([
      ['an event in the middle', (_, n) => n === 3, /event 2 says that it is number 3/],
      ['a whole journal', ofWallet, /The journal wal_\S+ is missing/],
      [
        'the journal of the instance',
        (line) => (line.event ?? line.head)?.journal === 'instance',
        /of the instance is missing/,
      ],
      ['a checkpoint', (line) => line.head !== undefined && ofWallet(line), /has no checkpoint/],
      ['the end of a journal', ({ event }) => event?.type === 'payment.captured', /over other events than these/],
    ])('%s', (_what, isGone, why) => {
      const lines = readFileSync(journal, 'utf8').trimEnd().split('\n')
      expect(verified(lines.filter((line, n) => !isGone(JSON.parse(line) as Line, n))).stderr).toMatch(why)
    })
  })

  it('security: verify-export.mjs does not take another key', () => {
    const other = 'bursar-321f16caecd80480+0273e322+AVYNr0gY2hvd0PbnucxSiqnY26/DjKwafcUz1qSEZ2Gd'
    expect(node('docs/examples/verify-export.mjs', [journal, other]).stderr).toMatch(/not signed by this key/)
  })

  function verified(lines: readonly string[]) {
    const path = join(folder, 'changed.jsonl')
    writeFileSync(path, `${lines.join('\n')}\n`)
    return node('docs/examples/verify-export.mjs', [path, vkey])
  }
})
