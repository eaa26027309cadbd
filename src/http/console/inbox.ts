import { Hono } from 'hono'
import { question } from '../../actions/question.ts'
import { paymentView, requestView } from '../../actions/views.ts'
import { isWaiting } from '../../core/approval.ts'
import { formatUnits } from '../../core/money.ts'
import type { Agent, Answer, Approval, Instrument, Owner, Payment, Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import type { Desk } from './desk.ts'

/** An agent asks three things at a time. */
const ITEMS_MAX = 500
const PAID = ['captured', 'partially_refunded', 'refunded'] as const
const PAID_MAX = 1_000

/** What waits for the owner who is signed in: to their own wallets, and where two owners have to agree. */
export function inboxRoutes(desk: Desk): Hono {
  const { bursar } = desk.deps
  const app = new Hono()
  app.get('/inbox', (c) => {
    const session = desk.signedIn(c.req.raw)
    const waiting = bursar.store.read.list('approvals', { status: 'waiting' }, { limit: ITEMS_MAX })
    const mine = waiting.filter((approval) => mayAnswer(bursar, approval, session.owner.id))
    for (const { subjectId } of mine) desk.sessions.show(session, subjectId)
    return c.json({ items: mine.map((approval) => itemOf(bursar, approval)) })
  })
  return app
}

function mayAnswer({ store, clock }: Bursar, approval: Approval, ownerId: string): boolean {
  if (!isWaiting(approval, clock.now())) return false
  return approval.owners > 1 || store.read.one('wallets', { id: approval.walletId })?.ownerId === ownerId
}

function itemOf(bursar: Bursar, approval: Approval) {
  const { read } = bursar.store
  const { subjectId } = approval
  const payment = read.one('payments', { id: subjectId }) as Payment | null
  const agentId = (payment ?? read.one('requests', { id: subjectId }))?.agentId as string
  const agent = read.one('agents', { id: agentId }) as Agent
  const wallet = read.one('wallets', { id: approval.walletId }) as Wallet
  const available = read.one('accounts', { walletId: wallet.id })?.available ?? 0n
  const [first] = read.list('answers', { approvalId: approval.id })
  return {
    question: question(bursar, subjectId),
    kind: payment ? 'payment' : 'request',
    view: payment ? paymentView(bursar, subjectId) : requestView(bursar, subjectId),
    agent: { agent_id: agent.id, name: agent.name },
    paid_before: payment && paidBefore(bursar, payment),
    wallet: {
      ...{ wallet_id: wallet.id, name: wallet.name, currency: wallet.currency },
      available_amount: formatUnits(available, wallet.decimals),
    },
    left_after: payment && leftAfter(bursar, payment, wallet),
    ...(first && { first_yes: firstYes(bursar, first) }),
  }
}

/** How often this agent paid the same payee. */
function paidBefore({ store: { read } }: Bursar, { agentId, payeeKey }: Payment): number {
  return read.list('payments', { agentId, payeeKey, status: PAID }, { limit: PAID_MAX }).length
}

/** Of the instrument, in the currency of the wallet. */
function leftAfter({ store: { read } }: Bursar, payment: Payment, { decimals }: Wallet): string {
  const { remaining } = read.one('instruments', { id: payment.instrumentId as string }) as Instrument
  const left = remaining - (payment.amount as bigint)
  return formatUnits(left < 0n ? 0n : left, decimals)
}

/** Who said yes first, and to what. */
export function firstYes({ store: { read } }: Bursar, { ownerId, narrowed }: Answer) {
  const { name } = read.one('owners', { id: ownerId }) as Owner
  return { owner_id: ownerId, name, narrowed: JSON.parse(narrowed) as unknown }
}
