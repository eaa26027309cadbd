import { join } from 'node:path'
import { expect, it } from 'vitest'
import { run } from '../../src/cli/cli.ts'
import type { Program, Terminal } from '../../src/cli/program.ts'
import { JOURNAL_HANDLERS } from '../../src/http/owner/journal.ts'
import { EVENTS } from '../../src/http/shared/schemas-records.ts'
import { latestEvents } from '../../src/mcp/journal.ts'
import { makePurse } from '../support/purse.ts'
import { makeOldPurse, month, type OldPurse, refuseThree } from './archive-purse.ts'
import { makeCardOf } from './store-purse.ts'

/** The command line on a purse. What it says is gathered. */
async function cli(purse: Pick<OldPurse, 'bursar' | 'key' | 'authority'>, ...args: string[]) {
  const said = { code: 0, out: '', err: '' }
  const asked: string[] = []
  const { bursar, key: noteKey, authority } = purse
  const unlock = async (passphrase: string) => {
    asked.push(passphrase)
    return authority
  }
  const program = {
    version: '0.0.0',
    config: () => ({ ownerPassphrase: 'the passphrase' }),
    open: async () => ({ bursar, noteKey, unlock, close: async () => undefined }),
    reportBug(error: unknown) {
      throw error
    },
  } as unknown as Program
  const terminal = {
    ...{ interactive: false, colors: false },
    out(text: string) {
      said.out += text
    },
    err(text: string) {
      said.err += text
    },
  } as unknown as Terminal
  said.code = await run(args, program, terminal)
  return { ...said, asked }
}

it('the command line archives by the owner, and says what it did not look at', async () => {
  const purse = await makeOldPurse()
  const archive = ['--archive', purse.out]
  const made = await cli(purse, 'journal', 'archive', '--before', '2026-05', '--out', purse.out, '--json')
  expect([made.code, made.asked]).toEqual([0, ['the passphrase']])
  const { cleared } = JSON.parse(made.out) as { cleared: number }
  const part = await cli(purse, 'journal', 'verify')
  expect([part.code, part.out]).toEqual([0, expect.stringMatching(/complete +false/)])
  expect(part.err).toContain(`${cleared} archived events were not read`)
  const whole = await cli(purse, 'journal', 'verify', ...archive, '--json')
  expect([whole.code, whole.err, JSON.parse(whole.out)]).toMatchObject([0, '', { complete: true, archived: 0 }])
  const file = join(purse.folder, 'export.jsonl')
  await cli(purse, 'journal', 'export', '--out', file, ...archive)
  expect((await cli(purse, 'journal', 'verify', file, '--json')).out).toContain('"complete": true')
  const list = await cli(purse, 'journal', 'list', '--limit', '1000')
  expect([list.code, list.out.split('\n').filter((line) => line.startsWith('archived'))]).toMatchObject([
    0,
    { length: cleared },
  ])
  const [first] = purse.paid
  const found = await cli(purse, 'journal', 'list', '--payment', first!.payment_id)
  expect(found.out).toContain(`${cleared} archived events were not searched`)
  expect((await cli(purse, 'payment', 'show', first!.payment_id)).out).toMatch(/events_archived +true/)
})

it('the command line says how many refused payments left, and where one of them is', async () => {
  const purse = await makeOldPurse()
  purse.time.now = month(0)
  const card = await makeCardOf(purse, purse.caller, { expires_in: '365d', per_payment_max: undefined })
  const [refused = ''] = await refuseThree(purse, card)
  purse.time.now = month(3)
  expect((await cli(purse, 'payment', 'show', refused)).code).toBe(0)
  const made = await cli(purse, 'journal', 'archive', '--before', '2026-05', '--out', purse.out, '--json')
  expect(JSON.parse(made.out)).toMatchObject({ refused_payments: 3 })
  const shown = await cli(purse, 'payment', 'show', refused)
  expect([shown.code === 0, shown.err]).toEqual([
    false,
    expect.stringContaining('in the files of `bursar journal archive`'),
  ])
  const list = await cli(purse, 'payment', 'list', '--json')
  expect([list.code, list.out.includes(purse.paid[0]!.payment_id), list.out.includes(refused)]).toEqual([
    0,
    true,
    false,
  ])
  const whole = await cli(purse, 'journal', 'verify', '--archive', purse.out)
  expect([whole.code, whole.out]).toEqual([0, expect.stringMatching(/complete +true/)])
})

it('the command line says of a file what to do instead', async () => {
  const purse = await makePurse()
  const args = ['journal', 'archive', '--before', '2026-01', '--out', join(purse.folder, 'out')]
  const { code, err } = await cli({ ...purse, key: { vkey: '' } as never }, ...args)
  expect([code === 0, err]).toEqual([false, expect.stringContaining('bursar migrate-store')])
})

it('REST and MCP show of archived events what there is', async () => {
  const purse = await makeOldPurse()
  await purse.archive()
  const { bursar, key: noteKey } = purse
  const query = { journal: purse.walletId, from: 0, limit: 200 }
  const { body } = await JOURNAL_HANDLERS.listEvents({ bursar, noteKey, query } as never)
  const { events, size } = EVENTS.parse(body)
  expect(events).toHaveLength(size)
  expect(events[0]).toEqual({ archived: true, seq: 0, type: 'wallet.created', leaf: expect.any(String) })
  expect(events.at(-1)!.event).toBeDefined()
  const latest = await latestEvents({ bursar, caller: purse.caller } as never)
  expect(latest.events.length).toBeGreaterThan(0)
  expect(latest.events.length).toBeLessThan(size)
})
