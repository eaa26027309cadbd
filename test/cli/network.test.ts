// First: what is sealed and opened here is what other processes open and seal.
import '../support/light-work.cjs'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { configOf } from '../../src/config.ts'
import { networkAccess, readNetworks, removeNetwork, setNetwork } from '../../src/main/networks.ts'
import { type Scene, startScene, textIn, tokenOf, URL_SECRET } from './chain-fixture.ts'
import { agent, bursar, command, emptyHome, newHome, OWNER, owner, refused } from './fixture.ts'

const BASE = 'eip155:84532'
const TOKEN = { address: '0x700b6A60ce7EaaEA56F065753d8dcB9653dbAD35', name: 'USD Coin', version: '2', decimals: 6 }

describe('a network', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await startScene()
  })
  afterEach(() => {
    for (const node of scene.nodes) node.mend()
  })
  afterAll(() => scene.stop())

  const set = (...changed: string[]) => ['network', 'set', scene.chain.network, '--node', scene.urls[0], ...changed]

  it('is set, listed, asked, set anew and removed', async () => {
    const home = await newHome()
    const { network, token } = scene.chain
    const view = {
      ...{ network, name: network, mode: 'sandbox', native: 'ETH', token: { ...TOKEN, address: token } },
      nodes: [new URL(scene.urls[0]).host],
    }
    expect(await owner(home, 'network', 'list')).toEqual([])
    expect(await owner(home, ...set(...tokenOf(scene.chain)))).toEqual(view)
    expect(await owner(home, 'network', 'list')).toEqual([view])
    expect(await owner(home, ...set('--node', scene.urls[1], ...tokenOf(scene.chain)))).toMatchObject({
      nodes: scene.urls.map((url) => new URL(url).host),
    })
    const [{ check }] = await owner(home, 'network', 'list', '--check')
    expect(check).toMatchObject({ head: { block: 1 }, nodes: [{ problem: null }, { problem: null }] })
    expect(await owner(home, 'network', 'remove', network)).toEqual({ network, removed: true })
    expect(await owner(home, 'network', 'list')).toEqual([])
    expect(await refused(home, ['network', 'remove', network])).toMatchObject({ exit: 1, code: 'not_found' })
  })

  it('security: is not set where the chain or its token is another one, and nothing is written', async () => {
    const home = await newHome()
    const { network } = scene.chain
    const tries: [string[], string][] = [
      [['network', 'set', 'eip155:31338', '--node', scene.urls[0], ...tokenOf(scene.chain)], 'the chain id'],
      [['network', 'set', BASE, '--node', scene.urls[0]], 'the chain id'],
      [set(...tokenOf(scene.chain, { decimals: '7' })), "the token's number of decimals"],
      [set(...tokenOf(scene.chain, { name: 'USDC' })), "the token's name, version or address"],
      [
        [
          'network',
          'set',
          network,
          '--node',
          scene.urls[0],
          ...tokenOf({ ...scene.chain, token: `0x${'1'.repeat(40)}` } as never),
        ],
        'the contract',
      ],
    ]
    for (const [args, differs] of tries)
      expect(await refused(home, args)).toMatchObject({
        ...{ exit: 1, stdout: '', code: 'argument_invalid' },
        message: expect.stringContaining(`${differs} differs. Nothing was written`),
      })
    expect(textIn(home, 'networks.json')).toBe(null)
  })

  it('is not set while a node is down or two nodes differ, but with --unchecked', async () => {
    const home = await newHome()
    const both = set('--node', scene.urls[1], ...tokenOf(scene.chain))
    scene.nodes[1].down()
    expect(await refused(home, both)).toMatchObject({
      ...{ exit: 1, stdout: '', code: 'rail_unavailable' },
      message: expect.stringContaining(`${new URL(scene.urls[1]).host}: It gave no answer.`),
    })
    scene.nodes[1].mend()
    scene.nodes[1].lie('eth_getBlockByNumber', (_params, honest) => ({
      ...Object(honest),
      hash: `0x${'ab'.repeat(32)}`,
    }))
    expect(await refused(home, both)).toMatchObject({
      ...{ exit: 1, stdout: '', code: 'rail_unavailable' },
      message: expect.stringContaining('The nodes disagree.'),
    })
    expect(textIn(home, 'networks.json')).toBe(null)
    expect((await owner(home, ...both, '--unchecked')).nodes).toHaveLength(2)
  })

  it('security: shows of the URL of a node its host alone, wherever it is written', { timeout: 180_000 }, async () => {
    const home = await newHome()
    const { network } = scene.chain
    const more = { ...OWNER, BURSAR_LOG: 'debug' }
    const good = set(...tokenOf(scene.chain))
    const secret = scene.urls[0]
    let said = ''
    const run = async (...args: string[]) => {
      for (const json of [[], ['--json']]) {
        const { stdout, stderr } = await bursar(home, [...args, ...json], more)
        said += stdout + stderr
      }
    }
    await run(...good)
    await run('network', 'list', '--check')
    await run('doctor')
    scene.nodes[0].down()
    await run('network', 'list', '--check')
    await run(...good)
    await run('doctor')
    for (const wrong of ['http://example.com/', 'ftp://127.0.0.1/', ''])
      await run('network', 'set', network, '--node', wrong + URL_SECRET, ...tokenOf(scene.chain))
    await run('network', 'set', secret, '--node', secret)
    await run('network', 'set', network, `--nodes=${secret}`)
    await run('network', 'set', network, '--node', secret, '--token', URL_SECRET, ...tokenOf(scene.chain).slice(2))
    await run('network', 'list', secret)
    expect(said).toContain(new URL(secret).host)
    expect(said).not.toContain(URL_SECRET)
    expect(textIn(home, 'networks.json')).toContain(URL_SECRET)
    expect((await bursar(home, ['journal', 'export'])).stdout).not.toContain(URL_SECRET)
  })

  it('security: needs the passphrase: nodes are believed', async () => {
    const home = await newHome()
    for (const args of [set(...tokenOf(scene.chain)), ['network', 'remove', scene.chain.network]]) {
      const { code, stderr } = await command(home, [...args, '--json'])
      expect([code, JSON.parse(stderr).error.code]).toEqual([1, 'passphrase_wrong'])
    }
    expect(textIn(home, 'networks.json')).toBe(null)
  })

  it.each([
    ['no node', ['network', 'set', BASE]],
    ['half a token', ['network', 'set', BASE, '--node', 'https://a.example', '--token', TOKEN.address]],
    ['decimals that are none', ['network', 'set', BASE, '--node', 'https://a.example', '--decimals', '10']],
  ])('is a matter of usage, exit 2: %s', async (_what, args) => {
    expect((await command(await newHome(), args, OWNER)).code).toBe(2)
  })

  it('does not keep agents from cards where networks.json is damaged', async () => {
    const home = await newHome()
    writeFileSync(join(home, 'networks.json'), '{ "eip155:1": ', { mode: 0o600 })
    expect(await refused(home, ['network', 'list'])).toMatchObject({ exit: 2, code: 'config_invalid' })
    expect(await refused(home, set(...tokenOf(scene.chain)))).toMatchObject({ exit: 2, code: 'config_invalid' })
    const { call } = await agent(home)
    expect((await call('check_budget', {})).wallets).toMatchObject([{ available_amount: '1000.00' }])
  })
})

describe('networks.json', () => {
  const homeWith = (content: unknown) => {
    const { home } = configOf({ BURSAR_HOME: emptyHome() })
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(home.networks, text, { mode: 0o600 })
    return home
  }
  const nodes = ['https://node.example/key']

  it('is written whole, for its owner alone, and read back', () => {
    const { home } = configOf({ BURSAR_HOME: join(emptyHome(), 'new') })
    expect(readNetworks(home)).toEqual([])
    const known = networkAccess(BASE, [...nodes, 'http://[::1]:8545', 'http://localhost:8545/x'], null)
    const own = networkAccess('eip155:31337', nodes, { ...TOKEN, address: TOKEN.address.toLowerCase() })
    setNetwork(home, networkAccess(BASE, nodes, null))
    setNetwork(home, own)
    setNetwork(home, known)
    expect(readNetworks(home)).toEqual([own, known])
    expect(own.network).toMatchObject({ testnet: true, usdc: TOKEN })
    expect(JSON.parse(textIn(home.directory, 'networks.json')!)).toEqual({
      'eip155:31337': { nodes, token: TOKEN },
      [BASE]: { nodes: known.nodes },
    })
    if (process.platform !== 'win32') expect(statSync(home.networks).mode & 0o777).toBe(0o600)
    expect([removeNetwork(home, BASE), removeNetwork(home, BASE)]).toEqual([true, false])
    expect(readNetworks(home)).toEqual([own])
  })

  it.each([
    ['no nodes', {}, 'nodes is missing.'],
    ['an empty list of nodes', { nodes: [] }, 'nodes has none.'],
    ['four nodes', { nodes: [1, 2, 3, 4].map((n) => `https://${n}.example`) }, 'nodes has more than 3.'],
    ['one node twice', { nodes: [...nodes, ...nodes] }, 'nodes names one twice.'],
    ['http elsewhere', { nodes: ['http://node.example/key'] }, 'nodes.0 must be https://…'],
    ['a name that only begins like this machine', { nodes: ['http://localhost.example'] }, 'nodes.0 must be https://…'],
    ['another protocol', { nodes: ['wss://node.example/key'] }, 'nodes.0 must be https://…'],
    ['a number', { nodes: [1] }, 'nodes.0 must be a URL.'],
    ['a token of its own for a known network', { nodes, token: TOKEN }, 'the token of Base Sepolia is known'],
    ['something else', { nodes, 'https://node.example/key': 1 }, 'it has something that is neither'],
    ['a text', 'https://node.example/key', 'it is not an object.'],
    ['a list', [nodes], 'it is not an object.'],
    ['nothing', null, 'it is not an object.'],
  ])('names an entry that cannot be used, and shows nothing of it: %s', (_what, entry, why) => {
    const home = homeWith({ [BASE]: entry })
    const read = () => readNetworks(home)
    expect(read).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining(`networks.json, ${BASE}: ${why}`),
      }),
    )
    expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining('node.example') }))
  })

  it.each([
    ['no token', { nodes }, 'does not know this network'],
    [
      'a wrong checksum',
      { nodes, token: { ...TOKEN, address: TOKEN.address.replace('a', 'A') } },
      'token.address is not',
    ],
    ['ten decimals', { nodes, token: { ...TOKEN, decimals: 10 } }, 'token.decimals is above 9.'],
    ['half a decimal', { nodes, token: { ...TOKEN, decimals: 1.5 } }, 'token.decimals must be'],
    ['no name', { nodes, token: { ...TOKEN, name: '' } }, 'token.name is empty.'],
  ])('takes for an unknown network only a whole token: %s', (_what, entry, why) => {
    expect(() => readNetworks(homeWith({ 'eip155:31337': entry }))).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(why) }),
    )
  })

  it.each([
    'base',
    'eip155:',
    'eip155:0x1',
    'eip155:012',
    'https://node.example/key',
    'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp',
  ])('names no entry by what is no EVM chain: %s', (name) => {
    const read = () => readNetworks(homeWith({ 'eip155:1': { nodes }, [name]: { nodes } }))
    expect(read).toThrow(/CAIP-2/)
    expect(read).not.toThrow(/node\.example/)
  })

  it.each(['', '[', '[]', 'null', '"https://node.example/key"', '7'])('is an object: %j', (text) => {
    const read = () => readNetworks(homeWith(text))
    expect(read).toThrow(expect.objectContaining({ code: 'config_invalid' }))
    expect(read).not.toThrow(/node\.example/)
  })

  it.skipIf(process.platform === 'win32')('security: is refused where others can read it', () => {
    const home = homeWith({ [BASE]: { nodes } })
    chmodSync(home.networks, 0o640)
    expect(() => readNetworks(home)).toThrow(/chmod 600/)
  })
})
