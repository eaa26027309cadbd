import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../../ports.ts'
import type { Card, CardIssuer, CardNetwork, CardOrder, CardStatus } from '../issuer.ts'
import type { Books } from './books.ts'
import type { Sleep } from './busy.ts'
import type { Message } from './message.ts'
import { authorize, receive } from './network.ts'
import { testPan } from './pan.ts'
import { authorizationOf, type Records } from './records.ts'
import { SLOW_MS } from './scenarios.ts'

const DUE_AT_ONCE = 100
const CHANGES_AT_ONCE = 500

/** The issuer and the network of cards, wherever the books are. What is due is taken in before anyone reads: no timer runs. */
export function sidesOf(books: Books, clock: Clock, wait: Sleep): { issuer: CardIssuer; network: CardNetwork } {
  const settleDue = async () => {
    for (;;) {
      const due = await books.read((records) => records.due(clock.now(), DUE_AT_ONCE))
      if (due.length === 0) return
      for (const { n, paymentId } of due) await books.update(payment(paymentId), (records) => arrive(records, n))
      // Promises alone do not let the event loop turn.
      await setImmediate()
    }
  }
  return { issuer: issuerOf(books, settleDue), network: networkOf(books, clock, wait, settleDue) }
}

function payment(id: string): string {
  return `payment:${id}`
}

/** A message that comes too late for the state of its payment is dropped. */
async function arrive(records: Records, n: bigint): Promise<void> {
  const message = await records.take(n)
  if (message) await receive(records, message)
}

function issuerOf({ read, update }: Books, settleDue: () => Promise<void>): CardIssuer {
  return {
    live: false,
    createCard: (order) => update(`instrument:${order.instrumentId}`, (records) => createCard(records, order)),
    setCardStatus: (cardId, status) => update(`card:${cardId}`, (records) => setCardStatus(records, cardId, status)),
    async retrieveAuthorization(paymentId) {
      await settleDue()
      const entry = await read((records) => records.entry(paymentId))
      return entry ? authorizationOf(entry) : null
    },
    async listChanges(cursor) {
      await settleDue()
      return read((records) => changes(records, cursor))
    },
  }
}

async function createCard(records: Records, order: CardOrder): Promise<Card> {
  const terms = JSON.stringify(order, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
  const existing = await records.cardByInstrument(order.instrumentId)
  if (existing && existing.terms !== terms)
    throw new Error(`The card of ${order.instrumentId} was ordered otherwise before.`)
  if (existing) return { id: existing.id, last4: existing.last4 }
  const id = `sandbox_card_${randomUUID()}`
  let pan = testPan()
  while (!(await records.insertCard(order, id, pan, terms))) pan = testPan()
  return { id, last4: pan.slice(-4) }
}

async function setCardStatus(records: Records, cardId: string, status: CardStatus): Promise<void> {
  const card = await records.cardById(cardId)
  if (!card) throw new Error(`There is no card ${cardId}.`)
  if (card.status !== 'closed') await records.setCardStatus(cardId, status)
  else if (status === 'active') throw new Error(`Card ${cardId} is closed for good.`)
}

async function changes(records: Records, cursor: string | null): ReturnType<CardIssuer['listChanges']> {
  const networkId = await records.networkId()
  const [, cursorNetwork, seq = '0'] = /^([0-9a-f-]{36}):([0-9]{1,18})$/.exec(cursor ?? `${networkId}:0`) ?? []
  if (!cursorNetwork) throw new Error('The cursor is not one that changes gave.')
  // The books were replaced by others: their changes begin anew.
  const changed = await records.changedAfter(cursorNetwork === networkId ? BigInt(seq) : 0n, CHANGES_AT_ONCE)
  const last = changed.at(-1)
  return {
    authorizations: changed.map(({ entry }) => authorizationOf(entry)),
    cursor: last ? `${networkId}:${last.seq}` : cursor,
  }
}

function networkOf({ update }: Books, clock: Clock, wait: Sleep, settleDue: () => Promise<void>): CardNetwork {
  const send = async (paymentId: string, messageId: string, message: Message) => {
    await settleDue()
    // A namespace of their own: no id that is given here meets one of a scenario.
    const stored = { ...message, paymentId, messageId: `given_${messageId}` }
    const taken = await update(payment(paymentId), (records) => receive(records, stored))
    if (!taken) throw new Error(`The state of payment ${paymentId} does not allow this ${message.kind}.`)
  }
  return {
    async authorize(request) {
      await settleDue()
      const deliver = () => update(payment(request.paymentId), (records) => authorize(records, request, clock.now()))
      const reply = await deliver()
      if (reply === 'twice') await deliver()
      if (reply === 'slow') await wait(SLOW_MS)
      // One error for lost requests and lost replies: who sent it cannot tell them apart.
      if (reply.startsWith('lost') || reply === 'unreachable') throw new Error('The card network did not answer.')
    },
    capture: (id, messageId, amount, close) => send(id, messageId, { kind: 'capture', amount, close }),
    reverse: (id, messageId, amount) => send(id, messageId, { kind: 'reverse', amount, close: false }),
    refund: (id, messageId, amount) => send(id, messageId, { kind: 'refund', amount, close: false }),
    forcePost: (id, messageId, amount) => send(id, messageId, { kind: 'force_post', amount, close: false }),
  }
}
