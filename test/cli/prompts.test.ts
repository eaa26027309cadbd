import { describe, expect, it } from 'vitest'
import { agent, CARD, emptyHome, newHome, owner, PASSPHRASE } from './fixture.ts'
import { typed } from './typed.ts'

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
