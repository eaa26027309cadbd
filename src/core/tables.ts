import type {
  Accounts,
  Agent,
  Answer,
  Approval,
  Broadcast,
  Counter,
  Credential,
  Deposit,
  Entry,
  FeeDay,
  Instance,
  Instrument,
  Invitation,
  KnownPayee,
  Limit,
  NoticeCursor,
  Owner,
  Passkey,
  Payment,
  Purchase,
  RailCursor,
  Relayer,
  Request,
  Scan,
  Transfer,
  Wallet,
} from './types.ts'

/** Everything that a journal rebuilds. A table is a reading of the journal: nothing writes to it but {@link Op}s of events. */
export interface Tables {
  instance: Instance
  owners: Owner
  agents: Agent
  wallets: Wallet
  accounts: Accounts
  entries: Entry
  limits: Limit
  counters: Counter
  requests: Request
  instruments: Instrument
  payments: StoredPayment
  purchases: Purchase
  approvals: Approval
  rails: RailCursor
  transfers: Transfer
  broadcasts: Broadcast
  relayers: Relayer
  fee_days: FeeDay
  deposits: Deposit
  scans: Scan
  known_payees: KnownPayee
  credentials: Credential
  passkeys: Passkey
  invitations: Invitation
  answers: Answer
  notice_cursors: NoticeCursor
}
export type TableName = keyof Tables

/** A payment while its step is being put together; the database refuses to keep the status `attempted`. */
export type StoredPayment = Omit<Payment, 'status'> & { readonly status: Payment['status'] | 'attempted' }

/** The columns that name a row. */
export const KEYS: { readonly [T in TableName]: readonly (keyof Tables[T] & string)[] } = {
  instance: ['id'],
  owners: ['id'],
  agents: ['id'],
  wallets: ['id'],
  accounts: ['walletId'],
  entries: ['journal', 'seq', 'n'],
  limits: ['id'],
  counters: ['limitId', 'scopeValue', 'windowKey'],
  requests: ['id'],
  instruments: ['id'],
  payments: ['id'],
  purchases: ['paymentId'],
  approvals: ['id'],
  rails: ['id'],
  transfers: ['paymentId'],
  broadcasts: ['txHash'],
  relayers: ['id'],
  fee_days: ['relayer', 'day'],
  deposits: ['walletId', 'txHash', 'position'],
  scans: ['walletId'],
  known_payees: ['walletId', 'account'],
  credentials: ['id'],
  passkeys: ['id'],
  invitations: ['codeHash'],
  answers: ['approvalId', 'ownerId'],
  notice_cursors: ['channel', 'journal'],
}

type Addable<Row> = { readonly [C in keyof Row as Row[C] extends bigint | number ? C : never]?: Row[C] }

/** One write: a new row, or a change to the row with this key. `make` is the row to begin from where there is none yet. */
export type Op = {
  [T in TableName]:
    | { readonly table: T; readonly insert: Tables[T] }
    | {
        readonly table: T
        readonly key: Partial<Tables[T]>
        readonly set?: Partial<Tables[T]>
        readonly add?: Addable<Tables[T]>
        readonly make?: Tables[T]
      }
}[TableName]

type AnyRow = Readonly<Record<string, unknown>>
interface AnyOp {
  readonly table: TableName
  readonly insert?: AnyRow
  readonly key?: AnyRow
  readonly set?: AnyRow
  readonly add?: AnyRow
  readonly make?: AnyRow
}

/** The text that names a row among all rows of all tables. */
export function rowName(table: TableName, row: AnyRow): string {
  let name: string = table
  for (const column of KEYS[table]) name += `\n${String(row[column])}`
  return name
}

/** Changes a row by `set` and `add`. */
function change(row: Record<string, unknown>, { set, add }: AnyOp): void {
  for (const column in set) row[column] = set[column]
  for (const column in add) row[column] = plus(row[column], add[column])
}

function plus(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a + b
  return (a as number) + (b as number)
}

/**
 * The same writes with at most one per row, so that a row is written once and no half-made row is ever stored. Payments
 * come last: the database checks each against what it took.
 */
export function merged(ops: readonly Op[]): readonly Op[] {
  const rows = new Map<string, AnyOp>()
  for (const op of ops as readonly AnyOp[]) {
    const name = rowName(op.table, (op.insert ?? op.key) as AnyRow)
    const before = rows.get(name)
    rows.set(name, before ? joined(before, op) : op)
  }
  const all = [...rows.values()] as Op[]
  return [...all.filter(({ table }) => table !== 'payments'), ...all.filter(({ table }) => table === 'payments')]
}

function joined(first: AnyOp, second: AnyOp): AnyOp {
  if (first.insert) {
    const insert = { ...first.insert }
    change(insert, second)
    return { ...first, insert }
  }
  const add: Record<string, unknown> = { ...first.add }
  for (const column in second.add)
    add[column] = column in add ? plus(add[column], second.add[column]) : second.add[column]
  return { ...first, set: { ...first.set, ...second.set }, add }
}

/** Tables in memory: what a journal says, rebuilt without a database. */
export class Rebuilt {
  readonly rows: ReadonlyMap<string, AnyRow>
  // Copies that are changed in place: a journal changes some of its rows a million times.
  private readonly own = new Map<string, Record<string, unknown>>()

  constructor() {
    this.rows = this.own
  }

  /** @throws RangeError when an op changes a row that no earlier event made. */
  apply(ops: readonly Op[]): void {
    for (const op of ops as readonly AnyOp[]) {
      const name = rowName(op.table, (op.insert ?? op.key) as AnyRow)
      const row = this.own.get(name)
      if (op.insert) {
        if (row) throw new RangeError('An event makes a row that is there already.')
        this.own.set(name, { ...op.insert })
      } else if (row) change(row, op)
      else this.own.set(name, begun(op))
    }
  }
}

function begun(op: AnyOp): Record<string, unknown> {
  if (!op.make) throw new RangeError('An event changes a row that no earlier event made.')
  const row = { ...op.make }
  change(row, op)
  return row
}
