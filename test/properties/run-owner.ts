import assert from 'node:assert/strict'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { deny } from '../../src/actions/owner/approve.ts'
import {
  freezeAll,
  freezeInstrument,
  freezeWallet,
  revokeInstrument,
  unfreezeAll,
  unfreezeInstrument,
  unfreezeWallet,
} from '../../src/actions/owner/freeze.ts'
import { fund } from '../../src/actions/owner/fund.ts'
import { removeLimit, setLimit } from '../../src/actions/owner/limit.ts'
import type { ModelInstrument, ModelLimit, ModelRequest } from './model.ts'
import { carriedOver } from './model-limits.ts'
import { credit } from './model-settle.ts'
import type { Op } from './ops.ts'
import { approveRequest, decimal, request } from './run-request.ts'
import { outcome, picked, type Run } from './run-shared.ts'

type OwnerOp = Exclude<
  Op,
  {
    op: 'pay' | 'payNonsense' | 'approvePayment' | 'refund' | 'merchant' | 'wait' | 'waitUntil' | 'weather' | 'recover'
  }
>

export async function ownerStep(run: Run, op: OwnerOp): Promise<void> {
  const { world, model } = run
  const { bursar, authority } = world
  switch (op.op) {
    case 'request':
    case 'grant':
      return request(run, op)
    case 'approveRequest':
      return approveRequest(run, op)
    case 'denyRequest':
    case 'denyPayment': {
      const subjects: readonly Asked[] = op.op === 'denyRequest' ? model.requests : model.payments
      const subject = picked(mostlyOpen(subjects, op.pick), op.pick)
      if (!subject) return
      const { code } = await outcome(
        deny(bursar, subject.id, { ownerId: authority.ownerId, channel: 'test', reason: 'no' }),
      )
      const open = subject.question ? !subject.question.answered : false
      assert.equal(code, open ? null : 'not_pending')
      if (!open) return
      subject.question!.answered = true
      subject.question!.deniedAt = world.time.now
      subject.status = 'denied'
      return
    }
    case 'cancelRequest':
    case 'cancelPayment':
    case 'cancelInstrument':
      return take(run, op)
    case 'freeze':
    case 'unfreeze':
      return freeze(run, op)
    case 'revoke': {
      const instrument = picked(model.instruments, op.pick)
      if (instrument)
        await turn(instrument, revokeInstrument(bursar, authority, instrument.id), ['active', 'frozen'], 'revoked')
      return
    }
    case 'setLimit':
      return limit(run, op)
    case 'removeLimit': {
      const wallet = picked(model.wallets, op.wallet)!
      const gone = picked(wallet.limits, op.pick)
      if (!gone) return
      await removeLimit(bursar, authority, gone.id)
      wallet.limits = wallet.limits.filter((one) => one !== gone)
      return
    }
    case 'fund': {
      const wallet = picked(model.wallets, op.wallet)!
      await fund(bursar, authority, wallet.id, decimal(op.units, wallet))
      credit(wallet, op.units)
    }
  }
}

interface Asked {
  readonly id: string
  readonly agentId: string
  status: string
  readonly question?: ModelRequest['question'] | null
}

/** Those that wait for an answer, and every fifth time all of them: to decide twice is wrong too. */
function mostlyOpen<T extends Asked>(subjects: readonly T[], pick: number): readonly T[] {
  const open = subjects.filter(({ question }) => question && !question.answered)
  return pick % 5 === 0 || open.length === 0 ? subjects : open
}

async function take(
  { world, model }: Run,
  op: OwnerOp & { op: 'cancelRequest' | 'cancelPayment' | 'cancelInstrument' },
): Promise<void> {
  const kinds = { cancelRequest: model.requests, cancelPayment: model.payments, cancelInstrument: model.instruments }
  const subject = picked(mostlyOpen<Asked>(kinds[op.op], op.pick), op.pick)
  if (!subject) return
  const stranger = world.callers.find(({ agentId }) => agentId !== subject.agentId)!
  assert.equal((await outcome(cancel(world.bursar, stranger, subject.id))).code, 'not_found')
  const { code } = await outcome(
    cancel(world.bursar, { agentId: subject.agentId, sessionId: 'any', credentialId: null }, subject.id),
  )
  const from = {
    cancelRequest: ['pending'],
    cancelPayment: ['awaiting_approval'],
    cancelInstrument: ['active', 'frozen'],
  }[op.op]
  if (!from.includes(subject.status)) return assert.equal(code, 'wrong_state')
  assert.equal(code, null)
  subject.status = op.op === 'cancelInstrument' ? 'returned' : 'canceled'
  if (subject.question) subject.question.answered = true
}

async function freeze(
  { world, model }: Run,
  { op, what, pick }: OwnerOp & { op: 'freeze' | 'unfreeze' },
): Promise<void> {
  const { bursar, authority } = world
  const on = op === 'freeze'
  if (what === 'all' || (!on && model.frozen)) {
    await (on ? freezeAll : unfreezeAll)(bursar, authority)
    model.frozen = on
  } else if (what === 'wallet') {
    const wallet = picked(model.wallets, pick)!
    await (on ? freezeWallet : unfreezeWallet)(bursar, authority, wallet.id)
    wallet.frozen = on
  } else {
    const instrument = picked(model.instruments, pick)
    if (!instrument) return
    if (on) await turn(instrument, freezeInstrument(bursar, authority, instrument.id), ['active'], 'frozen')
    else await turn(instrument, unfreezeInstrument(bursar, authority, instrument.id), ['frozen'], 'active')
  }
}

async function turn(
  instrument: ModelInstrument,
  action: Promise<unknown>,
  from: readonly string[],
  to: string,
): Promise<void> {
  const { code } = await outcome(action)
  if (instrument.status !== to && !from.includes(instrument.status)) return assert.equal(code, 'wrong_state')
  assert.equal(code, null)
  instrument.status = to
}

async function limit({ world, model }: Run, op: OwnerOp & { op: 'setLimit' }): Promise<void> {
  const wallet = picked(model.wallets, op.wallet)!
  const [caller] = world.callers
  const names: Record<string, string | undefined> = {
    ...{ wallet: wallet.id, agent: caller.agentId, instrument: model.instruments[0]?.id, session: caller.sessionId },
    ...{ payee: 'ACME  software', category: '5734', protocol: 'card' },
  }
  const said = op.named ? names[op.scope] : undefined
  const input = {
    ...{ scope: op.scope, scopeValue: said, window: op.window, over: op.over, max_count: op.count ?? undefined },
    max_amount: op.units === null ? undefined : decimal(op.units, wallet),
  }
  const { value: view, code } = await outcome(setLimit(world.bursar, world.authority, wallet.id, input))
  if (op.units === null && op.count === null) return assert.equal(code, 'argument_invalid')
  assert.equal(code, null)
  const value = op.scope === 'payee' && said !== undefined ? 'name:acme software' : (said ?? null)
  const isSame = (l: ModelLimit) =>
    l.scope === op.scope && l.value === value && l.window === op.window && l.over === op.over
  const before = wallet.limits.find(isSame)
  const set: ModelLimit = {
    ...{ id: view!.limit_id, scope: op.scope, value, window: op.window, over: op.over, since: model.authorizations },
    // What is not said stays as it was.
    maxAmount: op.units ?? before?.maxAmount ?? null,
    maxCount: op.count ?? before?.maxCount ?? null,
    carried: carriedOver(model, wallet, op.window, world.time.now),
  }
  wallet.limits = [...wallet.limits.filter((l) => !isSame(l)), set]
}
