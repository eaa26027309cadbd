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
  app.get('/inbox', async (c) => {
    const session = await desk.signedIn(c.req.raw)
    const waiting = await bursar.store.read.list('approvals', { status: 'waiting' }, { limit: ITEMS_MAX })
    const mine: Approval[] = []
    for (const approval of waiting) if (await mayAnswer(bursar, approval, session.owner.id)) mine.push(approval)
    for (const { subjectId } of mine) desk.sessions.show(session, subjectId)
    return c.json({ items: await Promise.all(mine.map((approval) => itemOf(bursar, approval))) })
  })
  return app
}

async function mayAnswer({ store, clock }: Bursar, approval: Approval, ownerId: string): Promise<boolean> {
  if (!isWaiting(approval, clock.now())) return false
  return approval.owners > 1 || (await store.read.one('wallets', { id: approval.walletId }))?.ownerId === ownerId
}

async function itemOf(bursar: Bursar, approval: Approval) {
  const { read } = bursar.store
  const { subjectId } = approval
  const payment = (await read.one('payments', { id: subjectId })) as Payment | null
  const agentId = (payment ?? (await read.one('requests', { id: subjectId })))?.agentId as string
  const agent = (await read.one('agents', { id: agentId })) as Agent
  const wallet = (await read.one('wallets', { id: approval.walletId })) as Wallet
  const available = (await read.one('accounts', { walletId: wallet.id }))?.available ?? 0n
  const [first] = await read.list('answers', { approvalId: approval.id })
  return {
    question: await question(bursar, subjectId),
    kind: payment ? 'payment' : 'request',
    view: payment ? await paymentView(bursar, subjectId) : await requestView(bursar, subjectId),
    agent: { agent_id: agent.id, name: agent.name },
    paid_before: payment && (await paidBefore(bursar, payment)),
    wallet: {
      ...{ wallet_id: wallet.id, name: wallet.name, currency: wallet.currency },
      available_amount: formatUnits(available, wallet.decimals),
    },
    left_after: payment && (await leftAfter(bursar, payment, wallet)),
    ...(first && { first_yes: await firstYes(bursar, first) }),
  }
}

/** How often this agent paid the same payee. */
async function paidBefore({ store: { read } }: Bursar, { agentId, payeeKey }: Payment): Promise<number> {
  return (await read.list('payments', { agentId, payeeKey, status: PAID }, { limit: PAID_MAX })).length
}

/** Of the instrument, in the currency of the wallet. */
async function leftAfter({ store: { read } }: Bursar, payment: Payment, { decimals }: Wallet): Promise<string> {
  const { remaining } = (await read.one('instruments', { id: payment.instrumentId as string })) as Instrument
  const left = remaining - (payment.amount as bigint)
  return formatUnits(left < 0n ? 0n : left, decimals)
}

/** Who said yes first, and to what. */
export async function firstYes({ store: { read } }: Bursar, { ownerId, narrowed }: Answer) {
  const { name } = (await read.one('owners', { id: ownerId })) as Owner
  return { owner_id: ownerId, name, narrowed: JSON.parse(narrowed) as unknown }
}
