import { describe, expect, it } from 'vitest'
import { cancel } from '../../src/actions/agent/cancel.ts'
import { getPayment } from '../../src/actions/agent/read.ts'
import { humanActor } from '../../src/actions/owner/authority.ts'
import { hostDesk } from '../../src/actions/owner/desk.ts'
import {
  freezeAll,
  freezeInstrument,
  freezeWallet,
  revokeInstrument,
  unfreezeAll,
} from '../../src/actions/owner/freeze.ts'
import { listLimits } from '../../src/actions/owner/inspect.ts'
import { removeLimit } from '../../src/actions/owner/limit.ts'
import { setApprovals } from '../../src/actions/owner/wallets.ts'
import { instrumentView } from '../../src/actions/views.ts'
import { hostProof } from '../../src/approvals/host.ts'
import { balances, buy, type Purse } from '../support/purse.ts'
import { expectBooksToAgree } from './books.ts'
import { approvePayment, codeOf, limit, MINUTE, ruleOf, waiting } from './desk.ts'

describe('security: an approved payment is decided again, at the moment of the yes', () => {
  it.each<[string, string, (purse: Purse, card: string) => Promise<unknown>]>([
    ['spending_frozen', 'instance.frozen', ({ bursar, authority }) => freezeAll(bursar, authority)],
    [
      'spending_frozen',
      'agent.status',
      // As if it had died before it took back what the agent asks for.
      ({ bursar, authority, caller: { agentId } }) =>
        bursar.store.update({}, () => ({
          facts: [{ type: 'agent.revoked', actor: humanActor(authority), agent_id: agentId, details: {} }],
          result: null,
        })),
    ],
    [
      'spending_frozen',
      'wallet.status',
      ({ bursar, authority, walletId }) => freezeWallet(bursar, authority, walletId),
    ],
    [
      'instrument_frozen',
      'instrument.status',
      ({ bursar, authority }, card) => freezeInstrument(bursar, authority, card),
    ],
    [
      'instrument_revoked',
      'instrument.status',
      ({ bursar, authority }, card) => revokeInstrument(bursar, authority, card),
    ],
    ['instrument_revoked', 'instrument.status', ({ bursar, caller }, card) => cancel(bursar, caller, card)],
    ['instrument_expired', 'instrument.expires_at', async (purse) => (purse.time.now += 10 * MINUTE)],
    ['limits_missing', 'wallet.limits', dropDay],
    ['amount_exceeds_remaining', 'instrument.amount', (purse, card) => spend(purse, card, 5)],
    ['usage_limit_reached', 'instrument.usage_limit', (purse, card) => spend(purse, card, 6)],
  ])('%s by %s', async (code, rule, meanwhile) => {
    const { purse, card, yes, now } = await waiting({
      amount: '125.00',
      usage_limit: 6,
      expires_in: '10m',
      constraints: {},
    })
    await meanwhile(purse, card.instrument_id)
    expect(ruleOf(await yes())).toEqual(['denied', code, rule])
    await unfreezeAll(purse.bursar, purse.authority)
    expect(await codeOf(yes())).toBe('not_pending')
    expect((await now()).status).toBe('denied')
    expect((await balances(purse)).held).toBe(0n)
    await expectBooksToAgree(purse)
  })

  it('limit_exceeded by a limit that was set meanwhile', async () => {
    const { purse, yes } = await waiting()
    const { limit_id } = await limit(purse, { scope: 'payee', window: 'month', max_amount: '79.99', over: 'deny' })
    const denied = await yes()
    expect(ruleOf(denied)).toEqual(['denied', 'limit_exceeded', limit_id])
    expect(denied.refusal?.message).toBe('Limit per payee and month: 79.99 USD of 79.99 USD is left.')
  })

  it('and is not stopped by a limit that only asks', async () => {
    const { purse, yes } = await waiting()
    await limit(purse, { scope: 'payee', window: 'month', max_amount: '1.00', over: 'ask' })
    expect((await yes()).status).toBe('captured')
  })

  async function dropDay(purse: Purse) {
    const day = (await listLimits(purse.bursar, purse.walletId)).find(({ window }) => window === 'day')
    await removeLimit(purse.bursar, purse.authority, day?.limit_id as string)
  }

  async function spend(purse: Purse, card: string, times: number) {
    const view = await instrumentView(purse.bursar, card)
    for (let n = 0; n < times; n++) expect((await buy(purse, view, '10.00')).status).toBe('captured')
  }
})

describe('the host’s desk', () => {
  it('security: can say no to anything, and yes only to what was shown and is worth host', async () => {
    const { purse, card, id, now } = await waiting()
    const desk = hostDesk(purse.bursar, hostProof)
    expect(await codeOf(desk.approve(id, 'a'.repeat(64), 'form', {}))).toBe('approval_invalid')
    await setApprovals(purse.bursar, purse.authority, purse.walletId, [{ up_to: null, assurance: 'passkey' }])
    const big = await buy(purse, card, '90.00')
    const { digest } = (await purse.bursar.store.read.one('approvals', { subjectId: big.payment_id }))!
    expect(await codeOf(desk.approve(big.payment_id, digest, 'form', {}))).toBe('assurance_too_low')
    await desk.deny(big.payment_id, 'form', null)
    expect((await getPayment(purse.bursar, purse.caller, big.payment_id)).status).toBe('denied')
    expect((await now()).status).toBe('awaiting_approval')
  })

  it('records that it asked and what came of it, and changes nothing else', async () => {
    const { purse, id, now } = await waiting()
    const desk = hostDesk(purse.bursar, hostProof)
    await desk.asked(id, 'form')
    expect((await now()).approval?.asked).toBe('form')
    for (const outcome of ['no_channel', 'timed_out', 'declined_by_host', 'dismissed'] as const) {
      await desk.unanswered(id, 'form', outcome)
      expect([(await now()).status, (await now()).approval?.asked]).toEqual(['awaiting_approval', outcome])
    }
    expect((await approvePayment(purse, id)).status).toBe('captured')
  })
})
