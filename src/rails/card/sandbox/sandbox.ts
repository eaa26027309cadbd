import { randomUUID } from 'node:crypto'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Clock } from '../../../ports.ts'
import type { Card, CardIssuer, CardNetwork, CardOrder, CardStatus } from '../issuer.ts'
import { type Sleep, whenFree } from './busy.ts'
import { openDatabase } from './database.ts'
import type { Message } from './message.ts'
import { authorize, receive } from './network.ts'
import { testPan } from './pan.ts'
import { authorizationOf, type Records, recordsOf } from './records.ts'
import { SLOW_MS } from './scenarios.ts'

const DUE_AT_ONCE = 100
const CHANGES_AT_ONCE = 500

/** A card issuer and a card network in process, for demos and tests. No money moves. See docs/sandbox-cards.md. */
export interface CardSandbox {
  readonly issuer: CardIssuer
  readonly network: CardNetwork
  /** Closes the file. Nothing may be called after it. */
  close(): void
}

export interface SandboxOptions {
  /** Its own SQLite file, made on first use and shared by any number of processes; `:memory:` for a private one. */
  readonly path: string
  /** The issuer's clock: what expires, and what is due. */
  readonly clock: Clock
  /** How to wait for a busy file and for slow answers. Real time unless given. */
  readonly sleep?: Sleep
}

/** @throws Error for a file of another program, and for one that a newer bursar wrote. */
export async function sandboxIssuer({ path, clock, sleep = setTimeout }: SandboxOptions): Promise<CardSandbox> {
  const wait: Sleep = async (ms) => void (await sleep(ms))
  const db = await openDatabase(path, wait)
  const records = recordsOf(db)
  const read = <T>(work: () => T) => whenFree(wait, work)
  // Take the write lock before reading: what was decided on can then not change before it is written.
  const step = db.transaction((work: () => unknown) => work()).immediate
  const write = <T>(work: () => T) => whenFree(wait, () => step(work) as T)
  const settleDue = async () => {
    while (await read(() => records.anyDue(clock.now()))) {
      await write(() => {
        for (const message of records.takeDue(clock.now(), DUE_AT_ONCE)) receive(records, message)
      })
      // Promises alone do not let the event loop turn.
      await setImmediate()
    }
  }
  const books: Books = { records, clock, read, write, settleDue }
  return { issuer: issuerOf(books), network: networkOf(books, wait), close: () => void db.close() }
}

/** Ways to the books. What is due is taken in before anyone reads, so that no timer has to run. */
interface Books {
  readonly records: Records
  readonly clock: Clock
  read<T>(work: () => T): Promise<T>
  write<T>(work: () => T): Promise<T>
  settleDue(): Promise<void>
}

function issuerOf({ records, read, write, settleDue }: Books): CardIssuer {
  return {
    live: false,
    createCard: (order) => write(() => createCard(records, order)),
    setCardStatus: (cardId, status) => write(() => setCardStatus(records, cardId, status)),
    async retrieveAuthorization(paymentId) {
      await settleDue()
      const entry = await read(() => records.entry(paymentId))
      return entry ? authorizationOf(entry) : null
    },
    async listChanges(cursor) {
      await settleDue()
      return read(() => changes(records, cursor))
    },
  }
}

function createCard(records: Records, order: CardOrder): Card {
  const terms = JSON.stringify(order, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
  const existing = records.cardByInstrument(order.instrumentId)
  if (existing && existing.terms !== terms)
    throw new Error(`The card of ${order.instrumentId} was ordered otherwise before.`)
  if (existing) return { id: existing.id, last4: existing.last4 }
  let pan = testPan()
  while (records.panTaken(pan)) pan = testPan()
  const id = `sandbox_card_${randomUUID()}`
  records.insertCard(order, id, pan, terms)
  return { id, last4: pan.slice(-4) }
}

function setCardStatus(records: Records, cardId: string, status: CardStatus): void {
  const card = records.cardById(cardId)
  if (!card) throw new Error(`There is no card ${cardId}.`)
  if (card.status !== 'closed') records.setCardStatus(cardId, status)
  else if (status === 'active') throw new Error(`Card ${cardId} is closed for good.`)
}

function changes(records: Records, cursor: string | null): Awaited<ReturnType<CardIssuer['listChanges']>> {
  const networkId = records.networkId()
  const [, cursorNetwork, seq = '0'] = /^([0-9a-f-]{36}):([0-9]{1,18})$/.exec(cursor ?? `${networkId}:0`) ?? []
  if (!cursorNetwork) throw new Error('The cursor is not one that changes gave.')
  // The file was replaced by another: its changes begin anew.
  const changed = records.changedAfter(cursorNetwork === networkId ? BigInt(seq) : 0n, CHANGES_AT_ONCE)
  const last = changed.at(-1)
  return {
    authorizations: changed.map(({ entry }) => authorizationOf(entry)),
    cursor: last ? `${networkId}:${last.seq}` : cursor,
  }
}

function networkOf({ records, clock, write, settleDue }: Books, wait: Sleep): CardNetwork {
  const send = async (paymentId: string, messageId: string, message: Message) => {
    await settleDue()
    // A namespace of their own: no id that is given here meets one of a scenario.
    const stored = { ...message, paymentId, messageId: `given_${messageId}` }
    const taken = await write(() => receive(records, stored))
    if (!taken) throw new Error(`The state of payment ${paymentId} does not allow this ${message.kind}.`)
  }
  return {
    async authorize(request) {
      await settleDue()
      const deliver = () => write(() => authorize(records, request, clock.now()))
      const reply = await deliver()
      if (reply === 'twice') await deliver()
      if (reply === 'slow') await wait(SLOW_MS)
      // One error for lost requests and lost replies: who sent it cannot tell them apart.
      if (reply.startsWith('lost') || reply === 'unreachable') throw new Error('The card network did not answer.')
    },
    capture: (payment, id, amount, close) => send(payment, id, { kind: 'capture', amount, close }),
    reverse: (payment, id, amount) => send(payment, id, { kind: 'reverse', amount, close: false }),
    refund: (payment, id, amount) => send(payment, id, { kind: 'refund', amount, close: false }),
    forcePost: (payment, id, amount) => send(payment, id, { kind: 'force_post', amount, close: false }),
  }
}
