import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { verifyStore } from '../src/actions/owner/journal.ts'
import { setLimit } from '../src/actions/owner/limit.ts'
import type { Wallet } from '../src/core/types.ts'
import { journalNoteKey } from '../src/store/sqlite/index.ts'
import { type Disk, openDisk, wideWallet } from '../test/support/disk.ts'
import { addMember, type Member, type Served, startServe, startServer } from '../test/support/served.ts'
import type { Figure } from './measure.ts'
import { progress } from './measure.ts'
import { temporaryFolder } from './purse.ts'
import { type Agent, connected, load, percentile } from './serve-agents.ts'

const MINUTE_MS = 60_000
/** `USER_HZ` of Linux. */
const MS_PER_TICK = 10
const WARM_MS = 5_000
/** An agent does something every other second. */
const BEAT_MS = 2_000
const TURNS = ['check_budget', 'pay', 'check_budget', 'list_payments', 'pay'] as const
const PRICE = '0.70'
/** Two wallets, by their currencies. One agent of five spends from the second, whose day limit is this many purchases. */
const WIDE = 'EUR'
const SHARED = 'SEK'
const SHARED_EVERY = 5
const SHARED_MAX = 300
const AGENTS = 200

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * 200 agents for a minute on one server, and as many on a server that does nothing, at the same time: whatever else the
 * machine does meets both alike.
 */
export async function manyAgents(): Promise<readonly Figure[]> {
  progress(`${AGENTS} agents over HTTP, each with a call every ${BEAT_MS / 1000} s, and as many at a bare server`)
  const folder = await temporaryFolder()
  const disk = await openDisk(folder)
  const members = await membersOf(disk)
  const bursar = await startServe(join(ROOT, 'dist/main.js'), folder)
  const bare = await startServer([join(ROOT, 'bench/bare-http.mjs')], {})
  const [paying, idle] = await Promise.all([measured(bursar, members, pays(members)), measured(bare, members, nothing)])
  const paid = await lookedOver(disk, paying.refused)
  await disk.close()
  const name = `${AGENTS} agents over HTTP for a minute`
  const against = 'of a bare one-tool server on the same SDK and transport, under the same load at the same time'
  const figureOf = (what: string, ours: number, theirs: number, more = ''): Figure => {
    const note = `${ours.toFixed(1)} against ${theirs.toFixed(1)} ms${more}`
    progress(`  ${what}: ${note}`)
    return { name: `${name}, ${what}`, against, ratio: ours / theirs, target: null, note }
  }
  const calls = `; ${paying.took.length} calls, ${paid} payments, no error`
  return [
    figureOf('processor time of a call', paying.busy, idle.busy, calls),
    ...[50, 95, 99].map((p) => figureOf(`time of a call, p${p}`, percentile(paying.took, p), percentile(idle.took, p))),
  ]
}

async function membersOf(disk: Disk): Promise<readonly Member[]> {
  await wideWallet(disk, WIDE, '100000.00')
  const wallet = await wideWallet(disk, SHARED, '100000.00')
  // Not quite one purchase more.
  const max_amount = (SHARED_MAX * Number(PRICE) + 0.5).toFixed(2)
  await setLimit(disk.bursar, disk.authority, wallet, { scope: 'wallet', window: 'day', max_amount, over: 'deny' })
  const members: Member[] = []
  for (let n = 0; n < AGENTS; n++) members.push(await addMember(disk, n % SHARED_EVERY === 0 ? SHARED : WIDE))
  return members
}

interface Load {
  readonly took: readonly number[]
  /** Of the processor, for a call, in milliseconds. */
  readonly busy: number
  /** Payments that the shared day limit refused. */
  readonly refused: number
}
type Act = (agent: Agent, n: number, turn: number) => Promise<boolean>

/** Half of the agents speak 2026-07-28, the others have a session of 2025-11-25. @throws whatever goes wrong in any call */
async function measured(served: Served, members: readonly Member[], act: Act): Promise<Load> {
  const agents = await Promise.all(
    members.map(({ key }, n) => connected(served.origin, key, n % 2 === 0 ? 'modern' : 'legacy')),
  )
  let refused = 0
  const counted = async (agent: Agent, n: number, turn: number): Promise<void> => {
    if (await act(agent, n, turn)) refused += 1
  }
  await load(agents, BEAT_MS, WARM_MS, (agent, n, turn) => counted(agent, n, -turn - 1))
  const before = await busyMs(served)
  const took = await load(agents, BEAT_MS, MINUTE_MS, counted)
  const busy = ((await busyMs(served)) - before) / took.length
  await Promise.all(agents.map((agent) => agent.close()))
  served.process.kill('SIGTERM')
  await served.ended
  return { took, busy, refused }
}

/** How long a process has kept a processor busy, as the kernel counts it. */
async function busyMs({ process: { pid } }: Served): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number) as [number, number]
  return (user + system) * MS_PER_TICK
}

async function nothing(agent: Agent): Promise<boolean> {
  await agent.call('answer', {})
  return false
}

/** Says whether a payment was refused by the limit that some share. */
function pays(members: readonly Member[]): Act {
  return async (agent, n, turn) => {
    const { agentId, instrumentId, currency } = members[n] as Member
    const what = TURNS[Math.abs(turn) % TURNS.length]
    if (what !== 'pay') {
      const { isError } = await agent.call(what as string, {})
      if (isError) throw new Error(`A measured call of ${what} failed.`)
      return false
    }
    const { structuredContent } = await agent.call('pay_with_instrument', {
      ...{ instrument_id: instrumentId, amount: PRICE, purpose: `Purchase ${turn} of ${agentId}` },
      payee: { name: 'Acme Software', merchant_category: '5734', country: 'US' },
    })
    const code = structuredContent?.refusal?.code ?? structuredContent?.status
    if (code !== 'captured' && !(code === 'limit_exceeded' && currency === SHARED))
      throw new Error(`A measured payment failed: ${code}.`)
    return code === 'limit_exceeded'
  }
}

/** @throws Error where a limit was passed, or not reached, or the books are not what the journal says. */
async function lookedOver({ bursar, publicKey }: Disk, refused: number): Promise<number> {
  const { read } = bursar.store
  const shared = (await read.one('wallets', { currency: SHARED })) as Wallet
  const captured = await read.list('payments', { status: 'captured' })
  const inShared = captured.filter(({ walletId }) => walletId === shared.id).length
  if (inShared !== SHARED_MAX || refused === 0) throw new Error(`The shared limit let ${inShared} purchases through.`)
  const open = await read.list('payments', { status: ['authorized', 'in_doubt', 'awaiting_approval', 'voided'] })
  const { problems } = await verifyStore(bursar, journalNoteKey(publicKey))
  if (open.length > 0 || problems.length > 0) throw new Error(`${open.length} payments are open; ${problems}`)
  return captured.length
}
