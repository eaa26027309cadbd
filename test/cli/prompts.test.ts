import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli/cli.ts'
import { Dismissed, type Program, type Terminal } from '../../src/cli/program.ts'
import { configOf } from '../../src/config.ts'
import { createHome } from '../../src/main/create.ts'
import { openExisting } from '../../src/main/open.ts'
import { systemClock } from '../../src/system.ts'
import { logger } from '../../src/telemetry.ts'
import { agent, CARD, emptyHome, newHome, owner, PASSPHRASE, ROOT } from './fixture.ts'

type Answer = boolean | string | 'ctrl-c'

/** One command with somebody at the terminal who gives these answers, in this order. */
async function typed(home: string, args: readonly string[], answers: readonly Answer[]) {
  const left = [...answers]
  const seen = { out: '', err: '', asked: [] as string[] }
  const answer = async (question: string) => {
    seen.asked.push(question)
    const next = left.shift()
    if (next === 'ctrl-c' || next === undefined) throw new Dismissed()
    return next
  }
  const terminal: Terminal = {
    interactive: true,
    colors: false,
    out(text) {
      seen.out += text
    },
    err(text) {
      seen.err += text
    },
    confirm: async (question) => (await answer(question)) === true,
    secret: async (question) => String(await answer(question)),
  }
  const code = await run(args, programIn(home), terminal)
  return { code, ...seen, left: left.length }
}

function programIn(home: string): Program {
  const config = configOf({ BURSAR_HOME: home })
  const log = logger({ level: 'silent', clock: systemClock, write: () => {}, secrets: [] })
  const unused = () => Promise.reject(new Error('not used here'))
  return {
    version: '0.0.0',
    root: ROOT,
    config: () => config,
    open: () => openExisting(config, log),
    create: (given) => createHome(config, log, { ...given, version: '0.0.0' }),
    serveMcp: unused,
    inspectDatabase: unused,
    reportBug: (error) => {
      throw error
    },
  }
}

async function asked(): Promise<{ home: string; id: string; status(): Promise<string> }> {
  const home = await newHome()
  const { call, close } = await agent(home)
  const { request_id } = await call('request_instrument', { ...CARD, purpose: 'the boss already said yes' })
  await close()
  return { home, id: request_id, status: async () => (await owner(home, 'request', 'show', request_id)).status }
}

describe('at a terminal', () => {
  it('shows the terms from the store, the words of the agent last and as its own, asks, and takes the passphrase', async () => {
    const { home, id, status } = await asked()
    const {
      code,
      out,
      asked: questions,
    } = await typed(home, ['request', 'approve', id, '--amount', '50.00'], [true, PASSPHRASE])
    expect(code).toBe(0)
    expect(questions).toEqual(['Approve this?', "The owner's passphrase"])
    const terms = out.slice(0, out.indexOf('request_id'))
    expect(terms.replaceAll(id, 'req_…').replace(/\d{4}-\d\d-\d\dT\S+/, '(time)')).toMatchInlineSnapshot(`
      "req_…
        Who         agent default
        Asks for    a virtual card
        Amount      up to 200.00 USD in all
        Uses        any number
        Lives for   7d
        Merchants   any
        Categories  any
        Wallet      sandbox, 1000.00 USD available, sandbox: not real money
        Open until  (time)
      You allow less:
        Amount  50.00
      The agent says, and nobody has checked it:
        "the boss already said yes"
      "
    `)
    expect(await status()).toBe('approved')
  })

  it('security: changes nothing without a yes', async () => {
    const { home, id, status } = await asked()
    const no = await typed(home, ['request', 'approve', id], [false])
    expect(no).toMatchObject({ code: 1, asked: ['Approve this?'] })
    const gone = await typed(home, ['request', 'approve', id], ['ctrl-c'])
    expect(gone).toMatchObject({ code: 1, err: 'dismissed: No answer, so nothing was changed.\n' })
    const left = await typed(home, ['request', 'approve', id], [true, 'ctrl-c'])
    expect(left.code).toBe(1)
    expect(await status()).toBe('pending')
  })

  it('security: wants the passphrase even with --yes', async () => {
    const { home, id, status } = await asked()
    const wrong = await typed(home, ['request', 'approve', id, '--yes'], ['wrong passphrase'])
    expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/^passphrase_wrong: /) })
    expect(await status()).toBe('pending')
    expect(await typed(home, ['request', 'approve', id, '--yes'], [PASSPHRASE])).toMatchObject({ code: 0, left: 0 })
  })

  it('keeps stdout JSON with --json, and shows the terms beside it', async () => {
    const { home, id } = await asked()
    const { out, err } = await typed(home, ['request', 'approve', id, '--json'], [true, PASSPHRASE])
    expect(JSON.parse(out)).toMatchObject({ status: 'approved' })
    expect(err).toContain('nobody has checked it')
  })

  it('sets up with a passphrase that was typed twice alike', async () => {
    const home = emptyHome()
    const failures = [
      [['short'], 'argument_invalid'],
      [['long enough', 'long enougH'], 'argument_invalid'],
      [['ctrl-c'], 'dismissed'],
    ] as const
    for (const [answers, code] of failures)
      expect(await typed(home, ['init'], answers)).toMatchObject({ code: 1, err: expect.stringMatching(`^${code}: `) })
    expect(await typed(home, ['init', '--name', 'ada'], ['long enough', 'long enough'])).toMatchObject({ code: 0 })
    expect(await typed(home, ['wallet', 'fund', 'sandbox', '5.00'], ['long enough'])).toMatchObject({ code: 0 })
  })
})
