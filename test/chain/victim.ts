// A process that is killed: by itself at one exact point of what it does, or by its parent at any time.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import Database from 'better-sqlite3'
import { pay } from '../../src/actions/agent/pay.ts'
import { recover } from '../../src/actions/recover.ts'
import type { TransferBooks, Vault } from '../../src/ports/chain.ts'
import type { Store } from '../../src/ports.ts'
import type { Chain as Reads } from '../../src/rails/usdc/chain.ts'
import { type ChainPlace, type ChainPurse, openChainPurse } from '../support/chain-purse.ts'
import { CONFIRMATIONS, shopOf, story, withBlocks } from './kill-story.ts'

/** What a victim is told to do, in a line of JSON. */
export interface Orders {
  readonly folder: string
  readonly place: ChainPlace
  readonly job: 'story' | 'recover' | 'buy'
  /** How far its clock is before the system's. */
  readonly aheadMs: number
  /** At which point it ends itself; 0: at none. */
  readonly killAt: number
  /** To `buy`: with which instrument, from which number on, and how many at the same time. */
  readonly instrument: string
  readonly first: number
  readonly atOnce: number
}

// It is there, with all that it loads, before it is needed.
const [line] = (await once(createInterface({ input: process.stdin }), 'line')) as [string]
process.stdin.destroy()
const orders = JSON.parse(line) as Orders
const points: string[] = []

const say = (...words: string[]): void => void process.stdout.write(`${words.join(' ')}\n`)

function point(name: string): void {
  points.push(name)
  if (points.length !== orders.killAt) return
  process.kill(process.pid, 'SIGKILL')
  for (;;);
}

/** The same object, with a point before and after each call of the methods that answer later. */
function pointed<T extends object>(name: string, one: T, methods: readonly (keyof T)[]): T {
  const around = (method: keyof T) => {
    const call = one[method] as unknown as (...given: unknown[]) => Promise<unknown>
    return async (...given: unknown[]) => {
      point(`before ${name}.${String(method)}`)
      const answer = await call.apply(one, given)
      point(`after ${name}.${String(method)}`)
      return answer
    }
  }
  return { ...one, ...Object.fromEntries(methods.map((method) => [method, around(method)])) }
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

function pointedVault(vault: Vault): Vault {
  return {
    payer: async (account) => pointed('payer', await vault.payer(account), ['sign']),
    async relayer(account) {
      const signer = await vault.relayer(account)
      return {
        async carry(carries) {
          const sign = await signer.carry(carries)
          return (terms) => {
            point('before relayer.sign')
            const signed = sign(terms)
            point('after relayer.sign')
            return signed
          }
        },
      }
    },
  }
}

const BOOKS: readonly (keyof TransferBooks)[] = ['sign', 'broadcast', 'feePaid', 'finalized']
const ASKS: readonly (keyof Reads)[] = ['check', 'block', 'look', 'usedAt', 'balance', 'deposits', 'wouldMove']
const READS: readonly (keyof Reads)[] = [...ASKS, 'gasFor', 'fees', 'count', 'cost', 'nativeBalance', 'send']

async function open(isPointed: boolean): Promise<ChainPurse> {
  const { folder, place, aheadMs } = orders
  const common = {
    confirmations: CONFIRMATIONS,
    clock: { now: () => Date.now() + aheadMs },
    sessionId: 'a day',
  }
  if (!isPointed) return openChainPurse(folder, place, common)
  pointCommits()
  return openChainPurse(folder, place, {
    ...common,
    store: pointedStore,
    books: (books) => pointed('books', books, BOOKS),
    vault: pointedVault,
    reads: (reads) => pointed('chain', withBlocks(reads, place), READS),
  })
}

async function pointedJob(job: (purse: ChainPurse) => Promise<unknown>): Promise<void> {
  const purse = await open(true)
  await job(purse)
  say('points', JSON.stringify(points))
  await purse.close()
}

/** Buys `first`, `first + 1`, … for ever; says each key before and after. */
async function buyOn(): Promise<void> {
  const purse = await open(false)
  const { instrument: instrument_id } = orders
  let next = orders.first
  const buyer = async (): Promise<never> => {
    for (;;) {
      const n = next++
      const key = `key-${n}`
      say('begun', key)
      const payee = { address: shopOf(purse, `shop ${n % 5}`) }
      const input = { instrument_id, amount: '0.10', payee, purpose: key, idempotency_key: key }
      const view = await pay(purse.bursar, purse.caller, input)
      say('done', key, view.payment_id, view.status)
    }
  }
  await Promise.all(Array.from({ length: orders.atOnce }, buyer))
}

if (orders.job === 'buy') await buyOn()
else if (orders.job === 'recover') await pointedJob(({ bursar }) => recover(bursar))
else await pointedJob((purse) => story(purse, (key, view) => say(key, view.payment_id, view.status)))
