import assert from 'node:assert/strict'
import { recover } from '../../src/actions/recover.ts'
import { makeWorld, type World } from '../support/world.ts'
import type { Model, ModelLimit, ModelPayment } from './model.ts'
import { isUnsettled } from './model-settle.ts'
import type { Op, Program } from './ops.ts'
import { ownerStep } from './run-owner.ts'
import { payStep } from './run-pay.ts'
import { hear, type Run } from './run-shared.ts'
import { timeStep } from './run-time.ts'

/** Runs a program on a new world and on the model, and compares after every step. Returns what came of it. */
export async function runProgram({ begins, ops }: Program): Promise<Tally> {
  const world = await makeWorld(Date.parse(begins))
  try {
    const run: Run = { world, model: await modelOf(world) }
    for (const op of [...CARDS, ...ops]) {
      await compare(run)
      await step(run, op)
    }
    await compare(run)
    await end(run)
    return tally(run)
  } finally {
    await world.close()
  }
}

export type Tally = ReadonlyMap<string, number>

/** How often what became of a payment: its status, or why it was refused. */
async function tally({ world }: Run): Promise<Tally> {
  const found = (await world.bursar.store.read.list('payments', {})).map(
    ({ status, refusal }) => refusal?.code ?? status,
  )
  const counts = new Map<string, number>()
  for (const one of found) counts.set(one, (counts.get(one) ?? 0) + 1)
  return counts
}

/** What every program begins with: a card in each wallet. */
const CARDS: readonly Op[] = [
  { currency: 'USD', units: 60_000n, who: 0 },
  { currency: 'EUR', units: 40_000n, who: 1 },
  { currency: 'JPY', units: 2_000n, who: 2 },
].map((card) => ({
  op: 'grant',
  uses: null,
  perPayment: null,
  lives: '30d',
  categories: null,
  countries: null,
  ...card,
}))

async function step(run: Run, op: Op): Promise<void> {
  switch (op.op) {
    case 'pay':
    case 'payNonsense':
    case 'approvePayment':
    case 'refund':
    case 'merchant':
      return payStep(run, op)
    case 'wait':
    case 'waitUntil':
    case 'weather':
    case 'recover':
      return timeStep(run, op)
    default:
      return ownerStep(run, op)
  }
}

/** After a fair week and the longest life of anything, no money is held and nothing waits; recovering again finds nothing. */
async function end(run: Run): Promise<void> {
  const { world, model } = run
  world.weather.now = 'fair'
  world.time.now += 20 * 24 * 3_600_000
  await timeStep(run, { op: 'recover' })
  await compare(run, true)
  const open = model.payments.filter((payment) => isUnsettled(payment) || payment.status === 'awaiting_approval')
  assert.deepEqual(
    open.map(({ id }) => id),
    [],
  )
  const before = world.audit.events
  await recover(world.bursar)
  hear(run)
  await compare(run, true)
  assert.equal(world.audit.events, before, 'recovering again wrote something')
}

async function compare({ world, model }: Run, settled = false): Promise<void> {
  const { read } = world.bursar.store
  assert.deepEqual(await world.audit.problems(settled), [])
  for (const wallet of model.wallets) {
    const { available, held, overdrawn } = (await read.one('accounts', { walletId: wallet.id }))!
    assert.deepEqual(
      { available, held, owed: -overdrawn },
      { available: wallet.available, held: wallet.held, owed: wallet.owed },
    )
    assert.equal((await read.one('wallets', { id: wallet.id }))!.status, wallet.frozen ? 'frozen' : 'active')
    const limits = (await read.list('limits', { walletId: wallet.id, removedAt: null })).map(({ id }) => id)
    assert.deepEqual(limits.toSorted(), wallet.limits.map(({ id }) => id).toSorted())
  }
  for (const { id, status } of model.requests) assert.equal((await read.one('requests', { id }))!.status, status, id)
  for (const { id, status, remaining, consumed } of model.instruments) {
    const real = (await read.one('instruments', { id }))!
    assert.deepEqual([real.status, real.remaining, real.usageConsumed], [status, remaining, consumed], id)
  }
  for (const payment of model.payments) {
    const real = (await read.one('payments', { id: payment.id }))!
    assert.deepEqual(moneyOf(real), moneyOf(payment), payment.id)
  }
}

function moneyOf({
  status,
  held,
  captured,
  forced,
  refunded,
}: Pick<ModelPayment, 'status' | 'held' | 'captured' | 'forced' | 'refunded'>) {
  return { status, held, captured, forced, refunded }
}

async function modelOf({ bursar, callers }: World): Promise<Model> {
  const { read } = bursar.store
  const wallet = async (
    name: string,
    zone: string,
    available: bigint,
    tiers: Model['wallets'][number]['tiers'],
    agentId: string | null = null,
  ) => {
    const { id, currency, decimals } = (await read.one('wallets', { name }))!
    const limits = defaultLimits(await read.list('limits', { walletId: id }), 10n ** BigInt(decimals))
    return { id, currency, decimals, zone, agentId, tiers, frozen: false, available, held: 0n, owed: 0n, limits }
  }
  const host = [{ upTo: null, assurance: 'host' }]
  const tiers = [
    { upTo: 500n, assurance: 'none' },
    { upTo: 20_000n, assurance: 'host' },
    { upTo: null, assurance: 'operator' },
  ]
  return {
    ...{
      frozen: false,
      authorizations: 0,
      revokedAgents: new Set<string>(),
      requests: [],
      instruments: [],
      payments: [],
    },
    wallets: [
      await wallet('sandbox', 'UTC', 100_000n, host),
      await wallet('paris', 'Europe/Paris', 80_000n, tiers),
      await wallet('yen', 'America/St_Johns', 2_500n, host, callers[2].agentId),
    ],
  }
}

/** The limits that every wallet is born with, as DESIGN §6 says them. */
function defaultLimits(
  real: readonly { id: string; scope: string; window: string; over: string }[],
  one: bigint,
): ModelLimit[] {
  const born = [
    ...[
      ['wallet', 'payment', 500n, 'deny'],
      ['wallet', 'payment', 100n, 'ask'],
      ['session', 'session', 500n, 'deny'],
    ],
    ...[
      ['wallet', 'day', 1000n, 'deny'],
      ['payee', 'month', 100n, 'ask'],
    ],
  ] as [string, string, bigint, 'deny' | 'ask'][]
  assert.equal(real.length, born.length)
  return born.map(([scope, window, amount, over]) => {
    const { id } = real.find((l) => l.scope === scope && l.window === window && l.over === over)!
    return {
      id,
      scope,
      value: null,
      window,
      maxAmount: amount * one,
      maxCount: null,
      over,
      since: 0,
      carried: new Map(),
    }
  })
}
