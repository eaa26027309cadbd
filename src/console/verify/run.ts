import type { Report } from '../../core/verify/index.ts'
import { token } from '../api.ts'
import type { PaymentProof } from '../types.ts'

/** What the worker is asked, and what it answers. */
export type Question =
  | {
      readonly kind: 'export'
      readonly path: string
      readonly headers: Readonly<Record<string, string>>
      readonly kept: readonly string[]
      readonly vkey: string | null
    }
  | { readonly kind: 'proof'; readonly proof: PaymentProof }
export type Answer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly why: string }

export interface Verdict {
  readonly report: Report
  readonly vkey: string
  /** Another key than this browser knew. */
  readonly newKey: boolean
  /** How many checkpoints from before it was compared with. */
  readonly witnesses: number
}

const WORKER = '/console/verify.js'
const EXPORT = '/api/v1/agent-payments/journal/export'
const KEPT = 'bursar.witness'
const KEPT_MAX = 50

interface Kept {
  readonly vkey: string
  readonly checkpoints: readonly string[]
}

/**
 * Verifies all journals here, and remembers the checkpoints of what held: the next time they witness it. They are public, and
 * worth keeping just because the server cannot reach them.
 */
export async function verifyJournals(): Promise<Verdict> {
  const kept = remembered()
  const known = { kept: kept?.checkpoints ?? [], vkey: kept?.vkey ?? null }
  const question = { kind: 'export', path: EXPORT, headers: token(), ...known } as const
  const { heads, ...verdict } = await ask<Verdict & { readonly heads: readonly string[] }>(question)
  if (verdict.report.ok && !verdict.newKey) {
    const all = new Set([...(kept?.checkpoints ?? []), ...heads])
    localStorage.setItem(
      KEPT,
      JSON.stringify({ vkey: verdict.vkey, checkpoints: [...all].slice(-KEPT_MAX) } satisfies Kept),
    )
  }
  return verdict
}

/** @throws Error unless the receipt is right, and this payment's, and signed by the key that this browser knows */
export async function checkProof(
  proof: PaymentProof,
  paymentId: string,
): Promise<{ readonly seq: number; readonly size: number }> {
  const found = await ask<{ seq: number; size: number; payment_id?: string; vkey: string }>({ kind: 'proof', proof })
  if (found.payment_id !== paymentId) throw new Error('The proof is of another payment.')
  const known = remembered()
  if (known && known.vkey !== found.vkey) throw new Error('The proof is signed by another key than this browser knows.')
  return found
}

function remembered(): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? 'null') as Kept | null
  } catch {
    return null
  }
}

function ask<Result>(question: Question): Promise<Result> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { type: 'module' })
    const end = (): void => worker.terminate()
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      end()
      if (data.ok) resolve(data.result as Result)
      else reject(new Error(data.why))
    })
    worker.addEventListener('error', () => {
      end()
      reject(new Error('The check could not run in this browser.'))
    })
    worker.postMessage(question)
  })
}
