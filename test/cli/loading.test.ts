import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { homeWithWallet, type Scene, startScene } from './chain-fixture.ts'
import { agent, bursar, emptyHome, LIGHT, newHome } from './fixture.ts'

/** Writes down every module that a program loads. */
const HOOK = `
import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED, url + '\\n')
  return next(url, context)
}`
const REGISTER = `import { register } from 'node:module'; register('./hook.mjs', import.meta.url)`

describe('what `bursar` loads', () => {
  const folder = emptyHome()
  let scene: Scene
  beforeAll(async () => {
    writeFileSync(join(folder, 'hook.mjs'), HOOK)
    writeFileSync(join(folder, 'register.mjs'), REGISTER)
    scene = await startScene()
  })
  afterAll(() => scene.stop())

  function watched(name: string) {
    const log = join(folder, name)
    writeFileSync(log, '')
    const more = { LOADED: log, NODE_OPTIONS: `${LIGHT} --import ${pathToFileURL(join(folder, 'register.mjs'))}` }
    const loaded = () => [...new Set(readFileSync(log, 'utf8').trim().split('\n'))]
    return { more, loaded, ofChains: () => loaded().flatMap(ofChain) }
  }

  /** What is in a module that only who uses a chain needs: its name, if anything. */
  function ofChain(url: string): string[] {
    if (/keyring/.test(url)) return ['the keychain']
    if (!url.startsWith('file:') || !url.includes('/dist/')) return []
    const path = fileURLToPath(url)
    const text = readFileSync(path, 'utf8')
    // viem's errors name it and its version; the curve's equation has this order.
    return /viem@\$?\{|fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141/i.test(text)
      ? [basename(path)]
      : []
  }

  it('is nothing of chains while an agent is served that has no wallet on one', async () => {
    const home = await newHome()
    const { more, loaded, ofChains } = watched('cards')
    const { call, close } = await agent(home, more)
    await call('check_budget', {})
    // The first look at the rails' books is over.
    await vi.waitFor(() => expect(loaded().some((url) => /sandbox/.test(url))).toBe(true), { timeout: 30_000 })
    await close()
    expect(ofChains()).toEqual([])
  })

  it('is nothing of HTTP while an agent is served over stdio', async () => {
    const home = await newHome()
    const { more, loaded } = watched('http')
    const { call, close } = await agent(home, more)
    await call('check_budget', {})
    await close()
    // What tells Node's server of Hono that somebody else answered.
    const isHttp = (url: string) =>
      url.includes('/dist/') && readFileSync(fileURLToPath(url), 'utf8').includes('x-hono-')
    expect(loaded().filter(isHttp)).toEqual([])
  })

  it('is nothing of chains for commands that use none', async () => {
    const { home } = await homeWithWallet(scene)
    const { more, ofChains } = watched('commands')
    for (const args of [['wallet', 'list'], ['network', 'list'], ['payment', 'list'], ['--help']])
      expect((await bursar(home, args, more)).code).toBe(0)
    expect(ofChains()).toEqual([])
  })

  // The first look at the chain comes a quarter of a second after the start: this machine may be slower to see the answer.
  it('is nothing of chains before `initialize` is answered, and then what a wallet needs', { retry: 3 }, async () => {
    const { home } = await homeWithWallet(scene)
    const { more, ofChains } = watched('wallet')
    const { close } = await agent(home, more)
    expect(ofChains()).toEqual([])
    await vi.waitFor(() => expect(ofChains()).not.toEqual([]), { timeout: 30_000 })
    await close()
    expect(ofChains()).not.toContain('the keychain')
  })
})
