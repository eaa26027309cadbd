import { EventEmitter, once } from 'node:events'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { beginChannel } from '../../src/actions/notices.ts'
import { configOf } from '../../src/config.ts'
import { channelsOf } from '../../src/main/channel-desk.ts'
import { createHome } from '../../src/main/create.ts'
import { startTelling } from '../../src/main/notify.ts'
import { openBursar } from '../../src/main/open.ts'
import { leadOf } from '../../src/store/sqlite/lead.ts'
import { systemClock } from '../../src/system.ts'
import { logger } from '../../src/telemetry.ts'
import { bundled, Child } from '../support/children.ts'
import { temporaryFolder } from '../support/purse.ts'
import { receiver, SECRET, verified } from './receiver.ts'

let script = ''
beforeAll(async () => {
  script = await bundled('test/notify/teller.ts')
})
afterAll(() => rmSync(dirname(script), { recursive: true, force: true }))

async function home() {
  const config = configOf({ BURSAR_HOME: temporaryFolder() })
  const lines: string[] = []
  const logged = new EventEmitter()
  const log = logger({
    level: 'warn',
    clock: systemClock,
    write: (line) => logged.emit('line', lines.push(line)),
    secrets: [],
  })
  await createHome(config, log, { name: 'owner', passphrase: 'correct horse battery', version: 'test' })
  const running = await openBursar(config, log)
  const { bursar } = running
  onTestFinished(() => running.close())
  const caller = {
    ...{
      agentId: (await bursar.store.read.one('agents', { name: 'default' }))!.id,
      sessionId: 'ses',
      credentialId: null,
    },
  }
  const ask = (amount: string) =>
    requestInstrument(bursar, caller, {
      ...{ type: 'virtual_card', amount, currency: 'USD', expires_in: '1d', purpose: 'Tools' },
    })
  const tell = () => {
    const own = { ...bursar, consoleUrl: async () => 'https://parent.example' }
    const telling = startTelling({ bursar: own, linked: 'all', changes: running.changes, home: config.home, log })
    onTestFinished(() => telling.stop())
  }
  return { config, bursar, lines, logged, ask, tell, channels: channelsOf(config) }
}

it('of two processes one tells, and when it is killed between a notice and its note, the other sends it again', async () => {
  const { config, bursar, ask, tell, channels } = await home()
  const hook = await receiver()
  const input = { kind: 'webhook', name: 'hook', url: hook.url, secret: SECRET } as const
  await channels.add(input, () => beginChannel(bursar, 'hook'))
  const child = new Child(script, [config.home.directory])
  onTestFinished(() => void child.process.kill('SIGKILL'))
  await ask('10.00')
  await hook.next()
  tell()
  await ask('20.00')
  await hook.next()
  hook.answer = () => void child.process.kill('SIGKILL')
  await ask('30.00')
  await hook.next()
  await child.ended
  hook.answer = 200
  await hook.next()
  const told = hook.got.map(verified)
  expect(told.map(({ data }) => data.title.match(/\d\d\.\d\d/)?.[0])).toEqual(['10.00', '20.00', '30.00', '30.00'])
  expect(told.map(({ data }) => new URL(data.link as string).hostname.split('.')[0])).toEqual([
    ...['child', 'child', 'child', 'parent'],
  ])
  expect(told[2]?.id).toBe(told[3]?.id)
  expect(hook.got).toHaveLength(4)
})

it('of all that look, one holds the lock, and keeps it until it lets go', async () => {
  const path = join(temporaryFolder(), 'bursar.db')
  const locks = [0, 0, 0].map((tryEveryMs) => leadOf(path, 'notices', tryEveryMs))
  const held = () => locks.map((lock) => lock.isHeld())
  expect([held(), held()]).toEqual([Array.of(true, false, false), Array.of(true, false, false)])
  await locks[0]!.release()
  expect(locks[2]!.isHeld()).toBe(true)
  expect(held()).toEqual([false, false, true])
  await locks[2]!.release()
})

it('a channel that is added, changed or removed while a process runs counts from then on', async () => {
  const { bursar, ask, tell, channels } = await home()
  tell()
  const [first, second] = [await receiver(), await receiver()]
  const add = (name: string, url: string) =>
    channels.add({ kind: 'ntfy', name, url: `${url}/topic` }, () => beginChannel(bursar, name))
  await ask('10.00')
  await add('first', first.url)
  const [one] = await Promise.all([first.next(), ask('20.00')])
  expect(one.headers.title).toContain('20.00')
  channels.remove('first')
  await add('second', second.url)
  const [two] = await Promise.all([second.next(), ask('30.00')])
  expect(two.headers.title).toContain('30.00')
  expect([first.got.length, second.got.length]).toEqual([1, 1])
})

it('security: what is needed to reach a channel is for the owner’s user alone, and in no log and no list', async () => {
  const { config, bursar, lines, logged, ask, tell, channels } = await home()
  const hook = await receiver()
  hook.answer = 302
  const url = `${hook.url}/services/T000/secret-path`
  const { secret } = await channels.add({ kind: 'webhook', name: 'hook', url }, () => beginChannel(bursar, 'hook'))
  await channels.add({ kind: 'slack', name: 'slack', url }, () => beginChannel(bursar, 'slack'))
  expect(secret).toMatch(/^whsec_/)
  expect(statSync(config.home.channels).mode & 0o777).toBe(0o600)
  expect(readFileSync(config.home.channels, 'utf8')).toContain(secret)
  const listed = JSON.stringify(channels.list())
  tell()
  await Promise.all([hook.next(), ask('10.00')])
  while (lines.length < 2) await once(logged, 'line')
  for (const hidden of [secret as string, 'secret-path', 'words of the receiver']) {
    expect(listed).not.toContain(hidden)
    expect(lines.join()).not.toContain(hidden)
  }
  expect(lines.join()).toContain('It answered 302.')
  await expect(channels.test('slack')).rejects.toMatchObject({
    code: 'rail_unavailable',
    message: 'The notice was not taken. It answered 302.',
  })
})

it('a file of channels that is damaged says where, and shows nothing of it', async () => {
  const { config, channels } = await home()
  writeFileSync(config.home.channels, JSON.stringify({ hook: { kind: 'webhook', url: 'https://x.example/secret' } }), {
    mode: 0o600,
  })
  const why = () => channels.list()
  expect(why).toThrow(/channels\.json, hook: secret must be a text\./)
  writeFileSync(config.home.channels, '{"a": {"kind": "pigeon", "url": "https://x.example/secret"}}')
  expect(why).toThrow(/its kind is none of webhook, slack, ntfy, email, webpush\./)
})
