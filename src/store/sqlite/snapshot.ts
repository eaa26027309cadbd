import type { Statement } from 'better-sqlite3'
import { windowStart } from '../../core/calendar.ts'
import type { LimitUse, Spender } from '../../core/limit.ts'
import type { Key, Snapshot, Usage } from '../../core/step.ts'
import type { TableName, Tables } from '../../core/tables.ts'
import type { Counter, CounterKey, Instance, Limit, Payment, Wallet } from '../../core/types.ts'
import type { UsageRow } from '../shared/snapshots.ts'
import { allLimitUses, limitUses, NO_INSTANCE, SCOPE_COLUMNS, spenderOf, usageOf } from '../shared/snapshots.ts'
import type { Connection } from './connection.ts'
import { TableStatements } from './rows.ts'
import { READINGS } from './schema.ts'
import { IdentityReader } from './snapshot-identity.ts'
import { TransferReader } from './snapshot-transfers.ts'

export type Statements = { readonly [T in TableName]: TableStatements }

export function statementsOf(connection: Connection): Statements {
  const entries = Object.entries(READINGS).map(([name, table]) => [name, new TableStatements(connection, table)])
  return Object.fromEntries(entries) as Statements
}

/** Reads snapshots over one connection. Every query has a fixed cost: none of them grows with history. */
export class SnapshotReader {
  private readonly tables: Statements
  private readonly instance: Statement
  private readonly limitsOfWallet: Statement
  private readonly priorByKey: Statement
  private readonly priorByFingerprint: Statement
  private readonly priorUndecided: Statement
  private readonly openPurchase: Statement
  private readonly endedPurchase: Statement
  private readonly othersOpen: Statement
  private readonly connection: Connection
  private readonly transfers: TransferReader
  readonly identities: IdentityReader

  constructor(connection: Connection, tables: Statements) {
    this.connection = connection
    this.tables = tables
    this.transfers = new TransferReader(connection, tables)
    this.identities = new IdentityReader(connection, tables)
    const prepare = (sql: string): Statement => connection.prepare(sql).raw(true)
    const payments = tables.payments.list()
    this.instance = prepare(`SELECT ${tables.instance.list()} FROM instance`)
    this.limitsOfWallet = prepare(
      `SELECT ${tables.limits.list()} FROM limits WHERE wallet_id = ? AND removed_at IS NULL`,
    )
    this.priorByKey = prepare(
      `SELECT ${payments} FROM payments WHERE agent_id = ? AND idempotency_key = ?
       AND status NOT IN ('refused', 'voided', 'expired', 'canceled') ORDER BY id DESC LIMIT 1`,
    )
    this.priorByFingerprint = prepare(
      `SELECT ${payments} FROM payments WHERE agent_id = ? AND fingerprint = ?
       AND created_at > ? AND status NOT IN ('refused', 'voided', 'expired', 'canceled')
       ORDER BY created_at DESC, id DESC LIMIT 1`,
    )
    // What was delivered is done with: the next call buys again.
    const undelivered = 'NOT EXISTS (SELECT 1 FROM purchases WHERE payment_id = payments.id AND delivered_at <= ?)'
    this.openPurchase = prepare(
      `SELECT ${payments} FROM payments WHERE agent_id = ? AND fingerprint = ?
       AND status IN ('awaiting_approval', 'authorized', 'in_doubt') AND ${undelivered}
       ORDER BY created_at DESC, id DESC LIMIT 1`,
    )
    this.endedPurchase = prepare(
      `SELECT ${payments} FROM payments WHERE agent_id = ? AND fingerprint = ?
       AND created_at > ? AND status NOT IN ('refused', 'voided', 'expired', 'canceled')
       AND (status = 'captured' OR (status = 'denied' AND created_at > ?)) AND ${undelivered}
       ORDER BY created_at DESC, id DESC LIMIT 1`,
    )
    this.priorUndecided = prepare(
      `SELECT ${payments} FROM payments WHERE agent_id = ? AND fingerprint = ?
       AND status IN ('awaiting_approval', 'authorized', 'in_doubt') ORDER BY created_at DESC, id DESC LIMIT 1`,
    )
    // One is enough to know; there may be thousands in flight.
    this.othersOpen = prepare(
      `SELECT EXISTS (SELECT 1 FROM payments
       WHERE instrument_id = ? AND status IN ('authorized', 'in_doubt') AND id <> ?)`,
    )
  }

  read(key: Key, now: number): Snapshot {
    const payment = this.find('payments', key.paymentId) as Payment | null
    const subjectId = key.paymentId ?? key.requestId
    const request = this.find('requests', key.requestId)
    const instrument = this.find('instruments', key.instrumentId ?? payment?.instrumentId ?? undefined)
    const limit = this.find('limits', key.limitId)
    const walletId =
      key.walletId ?? instrument?.walletId ?? request?.walletId ?? payment?.walletId ?? limit?.walletId ?? undefined
    const wallet = this.find('wallets', walletId)
    const spender = spenderOf(key, payment, walletId, instrument?.id)
    const approval =
      subjectId === undefined ? null : (this.tables.approvals.one({ subjectId }) as Tables['approvals'] | null)
    return {
      now,
      instance: this.theInstance(),
      agent: this.find('agents', key.agentId ?? payment?.agentId ?? request?.agentId),
      wallet,
      accounts: wallet && (this.tables.accounts.one({ walletId: wallet.id }) as Tables['accounts'] | null),
      limits: wallet ? this.limits(wallet, spender, now) : [],
      request,
      instrument,
      payment,
      othersOpen: payment?.instrumentId ? this.hasOthers(payment.instrumentId, payment.id) : false,
      approval,
      limit,
      prior: key.same ? this.prior(key.same, now) : null,
      usage: key.usage && wallet ? this.usage(wallet, key.usage, now) : [],
      ...this.identities.read(key, payment, approval, now),
      ...this.transfers.read(key, instrument, walletId, now),
    }
  }

  theInstance(): Instance {
    const values = this.instance.get() as unknown[] | undefined
    return values ? (this.tables.instance.decode(values) as unknown as Instance) : NO_INSTANCE
  }

  /** The wallet's limits; with a spender, those that look at it, with what their window holds for it. */
  limits(wallet: Wallet, spender: Spender | null, now: number): readonly LimitUse[] {
    return limitUses(this.rules(wallet), spender, wallet, now, this.counterOf)
  }

  /** All of the wallet's limits with what their window holds: for this spender, or for the value that the limit names. */
  allLimits(wallet: Wallet, spender: Spender, now: number): readonly LimitUse[] {
    return allLimitUses(this.rules(wallet), spender, wallet, now, this.counterOf)
  }

  private rules(wallet: Wallet): readonly Limit[] {
    const rows = this.limitsOfWallet.all(wallet.id) as unknown[][]
    return rows.map((values) => this.tables.limits.decode(values) as unknown as Limit)
  }

  private readonly counterOf = ({ limitId, scopeValue, windowKey }: CounterKey): Counter | undefined =>
    (this.tables.counters.one({ limitId, scopeValue, windowKey }) as unknown as Counter | null) ?? undefined

  private find<T extends TableName>(table: T, id: string | undefined): Tables[T] | null {
    return id === undefined ? null : (this.tables[table].one({ id }) as Tables[T] | null)
  }

  /** By key if there is one; else the same purchase made lately, or one of any age whose outcome is still open. */
  prior(same: NonNullable<Key['same']>, now: number): Payment | null {
    const { agentId, idempotencyKey, undelivered } = same
    const byKey = idempotencyKey === null ? undefined : this.priorByKey.get(agentId, idempotencyKey)
    const values = (byKey ??
      (undelivered
        ? this.priorPurchase(same, undelivered, now)
        : idempotencyKey === null && this.priorPayment(same, now))) as unknown[] | false | undefined
    return values ? (this.tables.payments.decode(values) as unknown as Payment) : null
  }

  private priorPurchase(
    { agentId, fingerprint, withinMs }: NonNullable<Key['same']>,
    undelivered: { readonly withinMs: number; readonly began: number },
    now: number,
  ): unknown {
    const { began } = undelivered
    return (
      this.openPurchase.get(agentId, fingerprint, began) ??
      this.endedPurchase.get(agentId, fingerprint, now - undelivered.withinMs, now - withinMs, began)
    )
  }

  private priorPayment({ agentId, fingerprint, withinMs }: NonNullable<Key['same']>, now: number): unknown {
    return (
      this.priorByFingerprint.get(agentId, fingerprint, now - withinMs) ?? this.priorUndecided.get(agentId, fingerprint)
    )
  }

  private hasOthers(instrumentId: string, paymentId: string): boolean {
    const [found] = this.othersOpen.get(instrumentId, paymentId) as [bigint]
    return found === 1n
  }

  /** What counts in the current window so far, summed once, when a limit is set. */
  private usage(wallet: Wallet, wanted: NonNullable<Key['usage']>, now: number): readonly Usage[] {
    const { scope, window } = wanted
    if (window === 'payment') return []
    const session = window === 'session'
    const since = session || window === 'total' ? 0 : windowStart(window, now, wallet.timeZone)
    const rowsOf = (column: string) =>
      this.connection
        .prepare(
          `SELECT ${column}, ${session ? 'session_id' : 'NULL'}, sum(held + captured - forced), sum(forced), count(*)
           FROM payments WHERE wallet_id = ? AND authorized_at >= ? AND status <> 'voided' AND ${column} IS NOT NULL
           GROUP BY 1, 2`,
        )
        .raw(true)
        .all(wallet.id, since) as unknown as UsageRow[]
    return usageOf(SCOPE_COLUMNS[scope].flatMap(rowsOf), wanted, wallet, now)
  }
}
