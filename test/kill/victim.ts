// A process that is killed: by itself at one exact point of the story, or by its parent at any time.
import Database from 'better-sqlite3'
import { pay } from '../../src/actions/agent/pay.ts'
import type { Store } from '../../src/ports.ts'
import { type DiskOptions, openDisk } from '../support/disk.ts'
import { story } from './story.ts'

const [folder = '', job = '', ...args] = process.argv.slice(2)
const points: string[] = []
const killAt = job === 'story' ? Number(args[0]) : 0

const say = (...words: string[]): void => void process.stdout.write(`${words.join(' ')}\n`)

function point(name: string): void {
  points.push(name)
  if (points.length !== killAt) return
  process.kill(process.pid, 'SIGKILL')
  for (;;);
}

/** The same object, with a point before and after each of its calls. */
function pointed<T extends object>(name: string, one: T): T {
  return new Proxy(one, {
    get(target, key) {
      const value = Reflect.get(target, key) as unknown
      if (typeof value !== 'function') return value
      return async (...given: unknown[]) => {
        point(`before ${name}.${String(key)}`)
        const answer = await (value as (...given: unknown[]) => unknown).apply(target, given)
        point(`after ${name}.${String(key)}`)
        return answer
      }
    },
  })
}

/** Points around each step, within it (under the lock), and on both sides of the commit that several may share. */
function pointedStore(store: Store): Store {
  return {
    ...store,
    async update(key, decide) {
      point('before update')
      const result = await store.update(key, (snapshot) => {
        const change = decide(snapshot)
        point(`within the step that writes ${change.facts.map(({ type }) => type).join(', ') || 'nothing'}`)
        return change
      })
      point('after update')
      return result
    },
  }
}

function pointCommits(): void {
  const { prepare } = Database.prototype
  Database.prototype.prepare = function (this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql) as Database.Statement<[]>
    if (sql !== 'COMMIT') return statement
    return {
      run() {
        point('before COMMIT')
        const done = statement.run()
        point('after COMMIT')
        return done
      },
    }
  } as never
}

const POINTED: DiskOptions = {
  store: pointedStore,
  // Whom it serves is no call to a rail.
  rail: (rail) => ({ ...pointed('rail', rail), serves: rail.serves }),
  sandbox: ({ issuer, network, close }) => ({
    issuer: pointed('issuer', issuer),
    network: pointed('network', network),
    close,
  }),
}

async function tellStory(): Promise<void> {
  pointCommits()
  const disk = await openDisk(folder, POINTED)
  await story(disk, (key, view) => say(key, view.payment_id, view.status))
  say('points', JSON.stringify(points))
  await disk.close()
}

/** Buys `first`, `first + 1`, … with as many in flight at a time, for ever; says each key before and after. */
async function buyOn(): Promise<void> {
  const [instrument_id = '', first = '0', atOnce = '1'] = args
  const disk = await openDisk(folder)
  let next = Number(first)
  const buyer = async (): Promise<never> => {
    for (;;) {
      const key = `key-${next++}`
      say('begun', key)
      const input = { instrument_id, amount: '0.10', payee: { name: 'Shop' }, purpose: key, idempotency_key: key }
      const view = await pay(disk.bursar, { agentId: disk.agentId, sessionId: 'on and on', credentialId: null }, input)
      say('done', key, view.payment_id, view.status)
    }
  }
  await Promise.all(Array.from({ length: Number(atOnce) }, buyer))
}

await (job === 'story' ? tellStory() : buyOn())
