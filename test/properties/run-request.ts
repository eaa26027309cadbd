import assert from 'node:assert/strict'
import { requestInstrument } from '../../src/actions/agent/request-instrument.ts'
import { approve } from '../../src/actions/owner/approve.ts'
import { question } from '../../src/actions/question.ts'
import type { RequestView } from '../../src/actions/wire.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { operatorProof } from '../../src/approvals/operator.ts'
import type { Narrowing } from '../../src/core/approval.ts'
import type { ModelInstrument, ModelRequest, ModelTerms, ModelWallet } from './model.ts'
import { endOverdue, sameRequests, sameTerms, unasked } from './model-asking.ts'
import type { Op } from './ops.ts'
import { outcome, picked, type Run } from './run-shared.ts'

type Requesting = Extract<Op, { op: 'request' | 'grant' }>
type Approving = Extract<Op, { op: 'approveRequest' }>

/** A decimal string, with all decimals of the wallet. */
export function decimal(units: bigint, { decimals }: Pick<ModelWallet, 'decimals'>): string {
  if (decimals === 0) return `${units}`
  const digits = `${units}`.padStart(decimals + 1, '0')
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

const RANK = ['none', 'host', 'operator', 'passkey']
export const isEnough = (given: string, needs: string): boolean => RANK.indexOf(given) >= RANK.indexOf(needs)
export const needs = ({ tiers }: ModelWallet, amount: bigint): string =>
  tiers.find(({ upTo }) => upTo === null || amount <= upTo)!.assurance

export async function proofOf({ world }: Run, id: string, by: 'host' | 'operator', narrowing: Narrowing) {
  const { digest } = await question(world.bursar, id)
  return by === 'host'
    ? hostProof(world.authority.ownerId, digest, 'test')
    : await operatorProof(world.bursar, world.authority, id, digest, narrowing)
}

const LIVES: Record<string, number> = {
  '30m': 30 * 60_000,
  '12h': 12 * 3_600_000,
  '3d': 3 * 86_400_000,
  '30d': 30 * 86_400_000,
  '366d': 366 * 86_400_000,
}

export async function request(run: Run, op: Requesting): Promise<void> {
  const { world, model } = run
  const caller = world.callers[op.who]!
  const usable = model.wallets.filter(
    ({ currency, agentId }) => currency === op.currency && (agentId ?? caller.agentId) === caller.agentId,
  )
  const wallet = usable[0]
  const amount = decimal(op.units, wallet ?? { decimals: op.currency === 'JPY' ? 0 : 2 })
  const asked = requestInstrument(world.bursar, caller, {
    ...{
      type: 'virtual_card',
      amount,
      currency: op.currency,
      expires_in: op.lives,
      purpose: 'A property',
      usage_limit: op.uses ?? undefined,
    },
    ...(op.perPayment !== null && { per_payment_max: decimal(op.perPayment, wallet ?? { decimals: 0 }) }),
    constraints: { merchant_categories: op.categories ?? undefined, countries: op.countries ?? undefined },
  })
  const { value, code } = await outcome<RequestView>(asked)
  if (!wallet) return assert.equal(code, 'currency_mismatch')
  endOverdue(model, world.time.now)
  if (model.frozen || wallet.frozen) return assert.equal(code, 'spending_frozen')
  const terms: ModelTerms = {
    ...{
      amount: op.units,
      uses: op.uses,
      categories: op.categories,
      countries: op.countries,
      livesMs: LIVES[op.lives]!,
    },
    perPayment: op.perPayment !== null && op.perPayment > op.units ? op.units : op.perPayment,
  }
  const assurance = needs(wallet, op.units)
  if (assurance !== 'none') {
    const same = sameRequests(model, sameTerms(caller.agentId, wallet, terms))
    const waiting = same.find(({ status }) => status === 'pending')
    if (waiting) {
      assert.equal(value?.request_id, waiting.id)
      return op.op === 'grant' ? decideRequest(run, waiting, GRANT) : undefined
    }
    const why = unasked(model, caller.agentId, same, world.time.now)
    if (why) return assert.equal(code, why.code)
  }
  assert.equal(code, null)
  const made: ModelRequest = {
    ...{ ...terms, id: value!.request_id, wallet, agentId: caller.agentId, status: 'pending' },
    question: { needs: assurance, expiresAt: world.time.now + 86_400_000, answered: assurance === 'none' },
  }
  model.requests.push(made)
  if (assurance === 'none') instrumentOf(run, made, terms, value!)
  assert.equal(value!.status, made.status)
  if (op.op === 'grant') await decideRequest(run, made, GRANT)
}

const GRANT = { by: 'operator', percent: null, uses: null } as const

export async function approveRequest(run: Run, op: Approving): Promise<void> {
  const asked = picked(run.model.requests, op.pick)
  if (asked) await decideRequest(run, asked, op)
}

type Decision = Pick<Approving, 'by' | 'percent' | 'uses'>

async function decideRequest(run: Run, asked: ModelRequest, op: Decision): Promise<void> {
  const { world } = run
  const cut = op.percent === null ? null : (asked.amount * BigInt(op.percent)) / 100n
  if (cut === 0n) return
  const narrowing: Narrowing = {
    ...(cut !== null && { amount: decimal(cut, asked.wallet) }),
    ...(op.uses !== null && { usage_limit: op.uses }),
  }
  const proof = await proofOf(run, asked.id, op.by, narrowing)
  const { value, code } = await outcome(approve(world.bursar, asked.id, proof, narrowing))
  const more = (cut ?? 0n) > asked.amount || (asked.uses !== null && op.uses !== null && op.uses > asked.uses)
  if (asked.question.answered) return assert.equal(code, 'not_pending')
  if (world.time.now >= asked.question.expiresAt) return assert.equal(code, 'approval_expired')
  if (!isEnough(op.by, asked.question.needs)) return assert.equal(code, 'assurance_too_low')
  if (more) return assert.equal(code, 'argument_invalid')
  assert.equal(code, null)
  asked.question.answered = true
  instrumentOf(run, asked, { ...asked, amount: cut ?? asked.amount, uses: op.uses ?? asked.uses }, value as RequestView)
}

function instrumentOf({ world, model }: Run, asked: ModelRequest, terms: ModelTerms, view: RequestView): void {
  asked.status = 'approved'
  const { wallet, agentId } = asked
  const { amount, uses, perPayment, livesMs, categories, countries } = terms
  const instrument: ModelInstrument = {
    ...{
      id: view.instrument!.instrument_id,
      wallet,
      agentId,
      amount,
      uses,
      perPayment,
      livesMs,
      categories,
      countries,
    },
    ...{ remaining: amount, consumed: 0, status: 'active', expiresAt: world.time.now + livesMs },
  }
  model.instruments.push(instrument)
}
