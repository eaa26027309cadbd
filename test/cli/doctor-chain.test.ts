import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { homeWithWallet, type Scene, startScene, tokenOf, URL_SECRET } from './chain-fixture.ts'
import { command, newHome, owner } from './fixture.ts'

interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly found: string
  readonly mend?: string
}

const CHAINS = ['networks', 'network', 'relayer', 'account key', 'wallet', 'key file']

describe('doctor, of chains', () => {
  let scene: Scene
  let home: string
  let relayer: `0x${string}`
  beforeAll(async () => {
    scene = await startScene()
    const made = await homeWithWallet(scene)
    home = made.home
    relayer = made.relayer
    await owner(
      home,
      'network',
      'set',
      scene.chain.network,
      '--node',
      scene.urls[0],
      '--node',
      scene.urls[1],
      ...tokenOf(scene.chain),
    )
    await scene.chain.give(relayer, 10n ** 18n)
  })
  afterEach(() => {
    for (const node of scene.nodes) node.mend()
  })
  afterAll(() => scene.stop())

  const examine = async (where = home): Promise<{ code: number | null; findings: Finding[]; problems: Finding[] }> => {
    const { code, stdout, stderr } = await command(where, ['doctor', '--json'])
    expect(stdout + stderr).not.toContain(URL_SECRET)
    const findings = (JSON.parse(stdout) as Finding[]).filter(({ check }) => CHAINS.includes(check))
    const problems = findings.filter(({ ok }) => !ok)
    for (const { mend } of problems) expect(mend).toMatch(/\w/)
    return { code, findings, problems }
  }

  it('finds nothing to look at where there is neither network nor wallet on one', async () => {
    const { findings } = await examine(await newHome())
    expect(new Set(findings.map(({ check }) => check))).toEqual(new Set(['key file', 'wallet']))
  })

  it('finds nodes that agree, coins for fees, and keys that open', async () => {
    const { code, findings } = await examine()
    expect(code).toBe(0)
    const of = (name: string) => findings.filter(({ check }) => check === name).map(({ found }) => found)
    expect(of('network')).toEqual([expect.stringMatching(/2 nodes that agree, block \d+$/)])
    expect(of('relayer')).toEqual([expect.stringMatching(/has 1\.000000000 ETH$/)])
    expect(of('account key')).toEqual(Array(2).fill(expect.stringMatching(/opens with vault\.passphrase, beside it$/)))
    expect(of('key file').filter((path) => /networks\.json|vault\.passphrase|accounts/.test(path))).toHaveLength(4)
  })

  it('finds a node that is down, or another chain than it was', async () => {
    scene.nodes[1].down()
    const down = await examine()
    expect(down).toMatchObject({ code: 4, problems: [{ check: 'network' }, { check: 'relayer' }] })
    expect(down.problems[0]?.mend).toContain(`${new URL(scene.urls[1]).host}: It gave no answer.`)
    scene.nodes[1].mend()
    scene.nodes[1].lie('eth_chainId', () => '0x1')
    expect((await examine()).problems[0]?.mend).toContain('the chain id differs')
  })

  it('takes a few seconds where nobody answers', async () => {
    for (const node of scene.nodes) for (const method of ['eth_chainId', 'eth_getBalance']) node.hang(method)
    const began = Date.now()
    expect((await examine()).problems.map(({ check }) => check)).toEqual(['network', 'relayer'])
    expect(Date.now() - began).toBeLessThan(30_000)
  })

  it('finds two nodes that do not agree', async () => {
    scene.nodes[0].lie('eth_getBlockByNumber', (_params, honest) => ({
      ...Object(honest),
      hash: `0x${'ab'.repeat(32)}`,
    }))
    const [network] = (await examine()).problems
    expect(network?.mend).toContain('The nodes disagree.')
  })

  it('finds a chain whose clock is ahead of this one', async () => {
    for (const one of scene.nodes)
      one.lie('eth_getBlockByNumber', (_params, honest) => ({
        ...Object(honest),
        timestamp: `0x${(4e9).toString(16)}`,
      }))
    expect((await examine()).problems).toMatchObject([
      { check: 'network', found: expect.stringContaining('ahead of this one') },
    ])
  })

  it('finds a relayer that cannot pay a fee', async () => {
    await scene.chain.give(relayer, 1n)
    const { problems } = await examine()
    await scene.chain.give(relayer, 10n ** 18n)
    expect(problems).toMatchObject([{ check: 'relayer', mend: expect.stringContaining(relayer) }])
  })

  it.skipIf(process.platform === 'win32')(
    'finds keys that others can read, are gone, or have no passphrase',
    async () => {
      const made = await homeWithWallet(scene)
      await scene.chain.give(made.relayer, 10n ** 18n)
      const [first, second] = readdirSync(join(made.home, 'accounts')).map((name) => join(made.home, 'accounts', name))
      chmodSync(first!, 0o640)
      const open = await examine(made.home)
      expect(open.problems.map(({ check }) => check)).toEqual(['key file', 'account key'])
      expect(open.problems[1]?.mend).toContain('chmod 600')
      chmodSync(first!, 0o600)
      rmSync(second!)
      expect((await examine(made.home)).problems).toMatchObject([
        { check: 'account key', mend: expect.stringContaining('There is no key of') },
      ])
      rmSync(join(made.home, 'vault.passphrase'))
      expect((await examine(made.home)).problems.map(({ check }) => check)).toEqual(['account key', 'account key'])
    },
  )

  it('finds a wallet whose network is not set up, and networks that cannot be read', async () => {
    const made = await homeWithWallet(scene)
    await owner(made.home, 'network', 'remove', scene.chain.network)
    expect((await examine(made.home)).problems).toMatchObject([
      { check: 'wallet', found: expect.stringContaining('shopping') },
    ])
    writeFileSync(join(made.home, 'networks.json'), JSON.stringify({ 'eip155:1': { nodes: [`ftp://${URL_SECRET}`] } }))
    expect((await examine(made.home)).problems).toMatchObject([
      { check: 'networks', found: expect.stringContaining('eip155:1') },
    ])
  })
})
