import type { Statement } from 'better-sqlite3'
import { shapeOf } from '../../core/account.ts'
import type { Key, Lane, Snapshot } from '../../core/step.ts'
import { utcDay } from '../../core/time.ts'
import type { Broadcast, Deposit, Instrument, Purchase, Relayer, Scan, Transfer } from '../../core/types.ts'
import type { Connection } from './connection.ts'
import type { Statements } from './snapshot.ts'

type Part = Pick<Snapshot, 'transfer' | 'purchase' | 'broadcasts' | 'lane' | 'deposit' | 'scan' | 'lookAlike'>

const NOTHING: Part = {
  transfer: null,
  purchase: null,
  broadcasts: [],
  lane: null,
  deposit: null,
  scan: null,
  lookAlike: null,
}

/** The part of a snapshot that only payments on a chain have. For any other it costs nothing. */
export class TransferReader {
  private readonly tables: Statements
  private readonly broadcastsOf: Statement
  private readonly nextNonce: Statement
  private readonly freeNonce: Statement
  private readonly known: Statement
  private readonly alike: Statement

  constructor(connection: Connection, tables: Statements) {
    this.tables = tables
    const prepare = (sql: string): Statement => connection.prepare(sql).raw(true)
    this.broadcastsOf = prepare(`SELECT ${tables.broadcasts.list()} FROM broadcasts WHERE payment_id = ?`)
    this.nextNonce = prepare('SELECT max(relayer_nonce) FROM broadcasts WHERE relayer = ?')
    this.freeNonce = prepare(
      `WITH handed AS (SELECT relayer_nonce AS nonce FROM broadcasts WHERE relayer = ? AND relayer_nonce >= ?)
      SELECT min(nonce) FROM (SELECT ? AS nonce UNION ALL SELECT nonce + 1 FROM handed)
      WHERE nonce NOT IN (SELECT nonce FROM handed)`,
    )
    this.known = prepare('SELECT 1 FROM known_payees WHERE wallet_id = ? AND account = ?')
    this.alike = prepare('SELECT account FROM known_payees WHERE wallet_id = ? AND shape = ? ORDER BY account LIMIT 1')
  }

  read(key: Key, instrument: Instrument | null, walletId: string | undefined, now: number): Part {
    const { relayer, deposit } = key
    if (instrument?.type !== 'usdc' && relayer === undefined && deposit === undefined) return NOTHING
    const { paymentId } = key
    return {
      transfer: paymentId === undefined ? null : (this.tables.transfers.one({ paymentId }) as Transfer | null),
      purchase: paymentId === undefined ? null : (this.tables.purchases.one({ paymentId }) as Purchase | null),
      broadcasts: paymentId === undefined ? [] : this.broadcasts(paymentId),
      lane: relayer === undefined ? null : this.lane(relayer, key.relayerNonce, now),
      deposit:
        deposit === undefined || walletId === undefined
          ? null
          : (this.tables.deposits.one({ walletId, ...deposit }) as Deposit | null),
      scan:
        deposit === undefined || walletId === undefined ? null : (this.tables.scans.one({ walletId }) as Scan | null),
      lookAlike: walletId === undefined ? null : this.lookAlike(walletId, key.spender?.payeeKey),
    }
  }

  private broadcasts(paymentId: string): readonly Broadcast[] {
    const rows = this.broadcastsOf.all(paymentId) as unknown[][]
    return rows.map((values) => this.tables.broadcasts.decode(values) as unknown as Broadcast)
  }

  private lane(id: string, relayerNonce: number | undefined, now: number): Lane | null {
    const relayer = this.tables.relayers.one({ id }) as Relayer | null
    if (!relayer) return null
    const today = utcDay(now)
    const [last] = this.nextNonce.get(id) as [bigint | null]
    const fees = this.tables.fee_days.one({ relayer: id, day: today }) as { held: bigint; spent: bigint } | null
    const feesToday = (fees?.held ?? 0n) + (fees?.spent ?? 0n)
    const atNonce = relayerNonce === undefined ? [] : this.sentUnder(id, relayerNonce)
    const from = relayerNonce ?? 0
    const [free] = this.freeNonce.get(id, from, from) as [bigint]
    const nextNonce = last === null ? 0 : Number(last) + 1
    return { relayer, nextNonce, freeNonce: Number(free), today, feesToday, atNonce }
  }

  private sentUnder(relayer: string, nonce: number): readonly Broadcast[] {
    const clauses = 'WHERE relayer = ? AND relayer_nonce = ?'
    return this.tables.broadcasts.many(clauses, [relayer, nonce]) as unknown as Broadcast[]
  }

  private lookAlike(walletId: string, account: string | undefined): string | null {
    if (account === undefined || this.known.get(walletId, account)) return null
    return (this.alike.get(walletId, shapeOf(account)) as [string] | undefined)?.[0] ?? null
  }
}
