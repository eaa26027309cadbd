import { windowStart } from '../../core/calendar.ts'
import { counterKey, type Spender, valuesOf } from '../../core/limit.ts'
import type { Asking, Key, Lane, Snapshot, Usage } from '../../core/step.ts'
import type { Tables } from '../../core/tables.ts'
import { utcDay } from '../../core/time.ts'
import type { Counter, CounterKey, Limit, Payment, Wallet } from '../../core/types.ts'
import type { UsageRow } from '../shared/snapshots.ts'
import { limitUses, NO_INSTANCE, NOTHING_ASKED, SCOPE_COLUMNS, spenderOf, usageOf } from '../shared/snapshots.ts'
import type { Asked } from './asks.ts'
import { allOf, parseRows, rowOf } from './rows.ts'
import { quoted, sought } from './text.ts'

/** Asks for one JSON text more within the step's transaction. */
export type More = (sql: string) => Promise<string>

type Found = Readonly<Record<string, unknown>>

/**
 * The snapshot of a step out of what `bursar.snapshot` found. What only the wallet's time zone or a clock that went on tells
 * is asked for in one more message: the counters of windows that were not asked for, a sum over a window, another day.
 *
 * @param now milliseconds since the epoch: the moment of the decision, read after the answer came
 */
export async function snapshotOf(key: Key, asked: Asked, json: string, now: number, more: More): Promise<Snapshot> {
  const found = parseRows(json) as Found
  const payment = rowOf('payments', found.payment) as Payment | null
  const instrument = rowOf('instruments', found.instrument)
  const wallet = rowOf('wallets', found.wallet)
  const approval = rowOf('approvals', found.approval)
  const walletId = wallet?.id
  const spender = spenderOf(key, payment, walletId, instrument?.id)
  const limits = allOf('limits', found.limits)
  const counters = await countersOf(found, asked, limits, spender, wallet, now, more)
  return {
    now,
    instance: rowOf('instance', found.instance) ?? NO_INSTANCE,
    agent: rowOf('agents', found.agent),
    wallet,
    accounts: rowOf('accounts', found.accounts),
    limits: wallet ? limitUses(limits, spender, wallet, now, counters) : [],
    request: rowOf('requests', found.request),
    instrument,
    payment,
    othersOpen: found.others_open === true,
    approval,
    limit: rowOf('limits', found.limit),
    prior: key.same ? priorOf(found.prior, key.same, now) : null,
    usage: key.usage && wallet ? await usageIn(wallet, key.usage, now, more) : [],
    credentials: allOf('credentials', found.credentials),
    minted: Number(found.minted ?? 0),
    passkey: rowOf('passkeys', found.passkey),
    invitation: rowOf('invitations', found.invitation),
    answers: allOf('answers', found.answers),
    ...(await chainedOf(found.chained as Found | null, asked, now, more)),
    get asking() {
      return askingOf(key.asking, found.asking as Found | null | undefined)
    },
  }
}

type Chained = Pick<Snapshot, 'transfer' | 'purchase' | 'broadcasts' | 'lane' | 'deposit' | 'scan' | 'lookAlike'>

/** The part that only payments on a chain have. */
async function chainedOf(found: Found | null, asked: Asked, now: number, more: More): Promise<Chained> {
  return {
    transfer: rowOf('transfers', found?.transfer),
    purchase: rowOf('purchases', found?.purchase),
    broadcasts: allOf('broadcasts', found?.broadcasts),
    lane: found?.lane ? await laneOf(found.lane as Found, asked, now, more) : null,
    deposit: rowOf('deposits', found?.deposit),
    scan: rowOf('scans', found?.scan),
    lookAlike: (found?.alike as string | null | undefined) ?? null,
  }
}

async function laneOf(found: Found, asked: Asked, now: number, more: More): Promise<Lane> {
  const relayer = rowOf('relayers', found.relayer) as Tables['relayers']
  const today = utcDay(now)
  const fees = rowOf('fee_days', today === asked.today ? found.fees : parseRows(await more(feesOf(relayer.id, today))))
  return {
    relayer,
    nextNonce: found.last === null ? 0 : Number(found.last) + 1,
    freeNonce: Number(found.free),
    today,
    feesToday: (fees?.held ?? 0n) + (fees?.spent ?? 0n),
    atNonce: allOf('broadcasts', found.at_nonce),
  }
}

function feesOf(relayer: string, day: string): string {
  return `SELECT coalesce((SELECT row_to_json(f) FROM bursar.fee_days f
    WHERE f.relayer = ${quoted(relayer)} AND f.day = ${quoted(day)}), 'null')::text`
}

/** A decision looked at what was not read for it: it is to be made again, with it, under these locks. */
export class Unread extends Error {
  readonly locks: readonly string[]

  constructor(locks: readonly string[]) {
    super('This was not read.')
    this.locks = locks
  }
}

function askingOf(ask: Key['asking'], found: Found | null | undefined): Asking {
  if (!ask) return NOTHING_ASKED
  if (!found) throw new Unread([`agent:${ask.agentId}`])
  const { waiting, taken_back: takenBack, same, denied_at: at, denied_times: times } = found
  return {
    waiting: Number(waiting),
    takenBack: Number(takenBack),
    same: (same as string | null) ?? null,
    denied: at === null ? null : { at: Number(at), times: Number(times) },
  }
}

/** By key if there is one; else the same purchase made lately, or one of any age whose outcome is still open. */
export function priorOf(found: unknown, same: NonNullable<Key['same']>, now: number): Payment | null {
  const rows = (found ?? {}) as Found
  const row = (name: string): Payment | null => rowOf('payments', rows[name]) as Payment | null
  const since = (payment: Payment | null, withinMs: number): Payment | null =>
    payment !== null && payment.createdAt > now - withinMs ? payment : null
  const byKey = row('by_key')
  if (byKey) return byKey
  if (!same.undelivered) return since(row('newest'), same.withinMs) ?? row('undecided')
  const captured = since(row('captured'), same.undelivered.withinMs)
  const denied = since(row('denied'), Math.min(same.undelivered.withinMs, same.withinMs))
  return row('open') ?? newer(captured, denied)
}

function newer(a: Payment | null, b: Payment | null): Payment | null {
  if (!a || !b) return a ?? b
  const order = a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)
  return order > 0 ? a : b
}

type CounterOf = (key: CounterKey) => Counter | undefined

/** The counters that are wanted now. One that was asked for and is not there has counted nothing; another is asked for. */
async function countersOf(
  found: Found,
  asked: Asked,
  limits: readonly Limit[],
  spender: Spender | null,
  wallet: Wallet | null,
  now: number,
  more: More,
): Promise<CounterOf> {
  const { values, session } = found.asked as { readonly values: readonly string[]; readonly session: string | null }
  const windows: Readonly<Record<string, string | null>> = { ...asked.windows, total: 'total', session }
  const missing =
    !wallet || !spender
      ? []
      : wantedOf(limits, spender, wallet, now).filter(
          ({ limit, key }) => !values.includes(key.scopeValue) || windows[limit.window] !== key.windowKey,
        )
  const further = missing.length === 0 ? [] : parseRows(await more(countersBy(missing.map(({ key }) => key))))
  const counters = [...allOf('counters', found.counters), ...allOf('counters', further)]
  const byName = new Map(counters.map((counter) => [nameOf(counter), counter]))
  return (key) => byName.get(nameOf(key))
}

function wantedOf(limits: readonly Limit[], spender: Spender, wallet: Wallet, now: number) {
  return limits.flatMap((limit) =>
    valuesOf(limit, spender).flatMap((value) => {
      const key = counterKey(limit, value, spender.sessionId, now, wallet.timeZone)
      return key ? [{ limit, key }] : []
    }),
  )
}

function nameOf({ limitId, scopeValue, windowKey }: CounterKey): string {
  return `${limitId}\n${windowKey}\n${scopeValue}`
}

export function countersBy(keys: readonly CounterKey[]): string {
  return `SELECT coalesce(json_agg(row_to_json(c)), '[]')::text FROM jsonb_array_elements(${sought(keys)}::jsonb) k
    JOIN bursar.counters c ON c.limit_id = k ->> 'limitId' AND c.scope_value = k ->> 'scopeValue'
    AND c.window_key = k ->> 'windowKey'`
}

/** What counts in the current window so far, summed once, when a limit is set. */
async function usageIn(
  wallet: Wallet,
  usage: NonNullable<Key['usage']>,
  now: number,
  more: More,
): Promise<readonly Usage[]> {
  const { scope, window } = usage
  if (window === 'payment') return []
  const session = window === 'session'
  const since = session || window === 'total' ? 0 : windowStart(window, now, wallet.timeZone)
  const sums = SCOPE_COLUMNS[scope].map(
    (column) => `SELECT ${column} AS value, ${session ? 'session_id' : 'NULL'} AS session,
      sum(held + captured - forced) AS amount, sum(forced) AS forced, count(*) AS count
      FROM bursar.payments WHERE wallet_id = ${quoted(wallet.id)} AND authorized_at >= ${since} AND status <> 'voided'
      AND ${column} IS NOT NULL GROUP BY 1, 2`,
  )
  const sql = `SELECT coalesce(json_agg(row_to_json(u)), '[]')::text FROM (${sums.join(' UNION ALL ')}) u`
  const rows = (parseRows(await more(sql)) as Readonly<Record<string, string | number | null>>[]).map(
    ({ value, session: of, amount, forced, count }): UsageRow =>
      [
        value as string,
        of as string | null,
        ...[amount, forced, count].map((one) => BigInt(one as number | string)),
      ] as unknown as UsageRow,
  )
  return usageOf(rows, usage, wallet, now)
}
