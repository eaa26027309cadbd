import type { Statement } from 'better-sqlite3'
import type { Ask, Asking, Key, Snapshot } from '../../core/step.ts'
import type { TableName, Tables } from '../../core/tables.ts'
import type { Answer, Approval, Credential, Payment } from '../../core/types.ts'
import { CHAIN_MAX, DENIED_WITHIN_MS, NOTHING_ASKED, TAKEN_BACK_WITHIN_MS } from '../shared/snapshots.ts'
import type { Connection } from './connection.ts'
import type { TableStatements } from './rows.ts'

type Part = Pick<Snapshot, 'credentials' | 'minted' | 'passkey' | 'invitation' | 'answers' | 'asking'>

/** Reads the part of a snapshot that says who is who, and what was asked of whom. */
export class IdentityReader {
  private readonly tables: { readonly [T in TableName]: TableStatements }
  private readonly answersTo: Statement
  private readonly minted: Statement
  private readonly waiting: Statement
  private readonly takenBack: Statement
  private readonly same: Statement
  private readonly deniedRequests: Statement
  private readonly deniedPayments: Statement

  constructor(connection: Connection, tables: { readonly [T in TableName]: TableStatements }) {
    this.tables = tables
    const prepare = (sql: string): Statement => connection.prepare(sql).raw(true)
    this.answersTo = prepare(`SELECT ${tables.answers.list()} FROM answers WHERE approval_id = ?`)
    this.minted = prepare(
      'SELECT count(*) FROM credentials WHERE parent_id = ? AND revoked_at IS NULL AND expires_at > ?',
    )
    this.waiting = prepare(
      `SELECT (SELECT count(*) FROM requests WHERE agent_id = ? AND status = 'pending')
       + (SELECT count(*) FROM payments WHERE agent_id = ? AND status = 'awaiting_approval')`,
    )
    this.takenBack = prepare(
      `SELECT (SELECT count(*) FROM requests WHERE agent_id = ? AND status = 'canceled' AND created_at > ?)
       + (SELECT count(*) FROM payments WHERE agent_id = ? AND status = 'canceled' AND created_at > ?)`,
    )
    this.same = prepare(
      `SELECT id FROM requests WHERE agent_id = ? AND fingerprint = ? AND status = 'pending' ORDER BY id LIMIT 1`,
    )
    this.deniedRequests = prepare(
      `SELECT max(answered_at), count(*) FROM approvals WHERE status = 'denied' AND answered_at > ? AND subject_id IN (
         SELECT id FROM requests WHERE agent_id = ? AND fingerprint = ? AND status = 'denied')`,
    )
    // By a human: what a rule refused after a yes is no denial. It was updated last when it was denied.
    this.deniedPayments = prepare(
      `SELECT max(updated_at), count(*) FROM payments WHERE agent_id = ? AND wallet_id = ? AND payee_key = ? AND amount = ?
       AND status = 'denied' AND updated_at > ? AND refusal ->> 'code' = 'approval_denied'`,
    )
  }

  read(key: Key, payment: Payment | null, approval: Approval | null, now: number): Part {
    return {
      credentials: this.chain(key.credentialId ?? payment?.credentials[0]),
      minted: key.minting ? Number((this.minted.get(key.credentialId, now) as [bigint])[0]) : 0,
      passkey: key.passkeyId === undefined ? null : this.one('passkeys', { id: key.passkeyId }),
      invitation: key.codeHash === undefined ? null : this.one('invitations', { codeHash: key.codeHash }),
      answers: approval !== null && approval.owners > 1 ? this.answers(approval.id) : [],
      asking: key.asking ? this.asking(key.asking, now) : NOTHING_ASKED,
    }
  }

  /** The credential, then what minted it, up to one that the owner gave. */
  chain(id: string | undefined): readonly Credential[] {
    const found: Credential[] = []
    for (let next: string | null = id ?? null; next !== null && found.length < CHAIN_MAX; ) {
      const credential: Credential | null = this.one('credentials', { id: next })
      if (!credential) break
      found.push(credential)
      next = credential.parentId
    }
    return found
  }

  private answers(approvalId: string): readonly Answer[] {
    const rows = this.answersTo.all(approvalId) as unknown[][]
    return rows.map((values) => this.tables.answers.decode(values) as unknown as Answer)
  }

  private asking(ask: Ask, now: number): Asking {
    const { agentId } = ask
    const since = now - DENIED_WITHIN_MS
    const [waiting] = this.waiting.get(agentId, agentId) as [bigint]
    const lately = now - TAKEN_BACK_WITHIN_MS
    const [takenBack] = this.takenBack.get(agentId, lately, agentId, lately) as [bigint]
    const same = 'fingerprint' in ask ? (this.same.get(agentId, ask.fingerprint) as [string] | undefined) : undefined
    const [at, times] = (
      'fingerprint' in ask
        ? this.deniedRequests.get(since, agentId, ask.fingerprint)
        : this.deniedPayments.get(agentId, ask.walletId, ask.payeeKey, ask.amount, since)
    ) as [bigint | null, bigint]
    return {
      waiting: Number(waiting),
      takenBack: Number(takenBack),
      same: same?.[0] ?? null,
      denied: at === null ? null : { at: Number(at), times: Number(times) },
    }
  }

  private one<T extends TableName>(table: T, key: Partial<Tables[T]>): Tables[T] | null {
    return this.tables[table].one(key) as Tables[T] | null
  }
}
