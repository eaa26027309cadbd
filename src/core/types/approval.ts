import type { InstrumentType } from './instrument.ts'
import type { Assurance } from './wallet.ts'

/** The question to a human about one request or payment, and the answer. */
export interface Approval {
  readonly id: string
  /** A `req_` or `pay_` id. */
  readonly subjectId: string
  readonly walletId: string
  /** SHA-256 of the canonical terms, hex: what the answer is bound to. */
  readonly digest: string
  readonly needs: Assurance
  /** How many different owners have to say yes. */
  readonly owners: number
  readonly status: 'waiting' | 'approved' | 'denied' | 'expired' | 'canceled'
  /** How it was asked last, and what came of it: `form`, `no_channel`, `timed_out`, … */
  readonly asked: string | null
  readonly assurance: Assurance | null
  readonly createdAt: number
  readonly expiresAt: number
  readonly answeredAt: number | null
  /** Digest of the human's own words in `texts`, where there are any. */
  readonly reasonRef: string | null
}

/** How far a rail's own books have been read. */
export interface RailCursor {
  readonly id: InstrumentType
  readonly cursor: string
}

/** Large or personal text, apart from the journal so that it can be erased. */
export interface Text {
  /** SHA-256 of salt and text, hex. */
  readonly digest: string
  readonly salt: string
  readonly text: string
}
