import { digestOf } from '../core/canonical.ts'
import type { EventType, JournalEvent } from '../core/event.ts'
import { formatUnits } from '../core/money.ts'
import { plain } from '../core/text.ts'
import type { Payee, Wallet } from '../core/types.ts'
import type { Notice, NoticeKind } from '../ports/notice.ts'
import type { Bursar } from '../ports.ts'

type Facts = Notice['facts']

/** What an event is told as, before it is known when and where it stands. */
interface Telling {
  readonly kind: NoticeKind
  readonly title: string
  readonly facts: Facts
  /** Below the console's address. */
  readonly page: string
  /** What is told once, however often it happens: a limit, and the hour. */
  readonly once?: string
}

type Tell = (bursar: Bursar, event: JournalEvent) => Telling | null | Promise<Telling | null>

const NAME_MAX = 60
const RULE_MAX = 200
const HOUR = '2026-11-21T19'.length

/**
 * What owners are told of, by the events that say so. Events are written along with the state that they tell of, so that
 * nothing is told that did not happen, and nothing that happened is forgotten.
 */
const TOLD: { readonly [T in EventType]?: Tell } = {
  'request.created': asked,
  'payment.awaiting_approval': asked,
  'approval.seconded': asked,
  'request.denied': denied,
  'payment.denied': denied,
  'payment.refused': stopped,
  'instrument.limit_reached': usedUp,
  'instrument.frozen': instrumentFrozen,
  'wallet.frozen': walletFrozen,
  'spending.frozen': () => ({ kind: 'frozen', title: 'All spending was frozen', facts: [], page: '' }),
  'payment.stuck': stuck,
}

export function isTold(type: string): boolean {
  return Object.hasOwn(TOLD, type)
}

/** Which notices have a link: a console that is there only while something waits is no place to look for the rest. */
export type Linked = 'asks' | 'all'

/** An event as a notice; null where there is nothing to tell, such as a question that was answered meanwhile. */
export async function noticeOf(bursar: Bursar, event: JournalEvent, linked: Linked): Promise<Notice | null> {
  const telling = await TOLD[event.type]?.(bursar, event)
  if (!telling) return null
  const { kind, title, facts, page, once } = telling
  const console = linked === 'all' || kind === 'ask' ? ((await bursar.consoleUrl?.()) ?? null) : null
  return {
    id: `ntc_${digestOf(once === undefined ? { journal: event.journal, seq: event.seq } : { once }).slice(0, 32)}`,
    ...{ kind, title, at: event.ts },
    facts: [...(await walletFacts(bursar, event)), ...(await agentFacts(bursar, event)), ...facts],
    ids: idsOf(event),
    link: console === null ? null : `${console}${page}`,
    checkpoint: (await bursar.store.read.head(event.journal))?.checkpoint ?? '',
  }
}

/** A question that still waits. The agent's own words for it are not told: they are for the page where it is decided. */
async function asked({ store: { read } }: Bursar, event: JournalEvent): Promise<Telling | null> {
  const subjectId = event.payment_id ?? event.request_id ?? ''
  const approval = await read.one('approvals', { subjectId })
  if (approval?.status !== 'waiting' || approval.needs === 'none') return null
  const first = event.type === 'approval.seconded'
  const sum = first ? '' : ` of ${amountOf(event)}`
  const what = event.payment_id === undefined ? `A request for ${instrumentText(event)}` : 'A payment'
  return {
    kind: 'ask',
    title: first ? 'One of two owners said yes; another has to answer' : `${what}${sum} waits for an answer`,
    facts: [...payeeFacts(event), ['Answer before', new Date(approval.expiresAt).toISOString()]],
    page: `/inbox/${subjectId}`,
  }
}

function instrumentText(event: JournalEvent): string {
  return event.type === 'request.created' && event.details.terms.type === 'usdc' ? 'USDC' : 'a card'
}

function denied(_bursar: Bursar, event: JournalEvent): Telling | null {
  if (event.type !== 'request.denied' && event.type !== 'payment.denied') return null
  const what = event.payment_id === undefined ? 'A request' : 'A payment'
  const { code, message } = event.details.refusal
  const why = code === 'approval_denied' ? 'was denied' : 'was approved, and then stopped by a rule'
  return {
    kind: 'denied',
    title: `${what} ${why}`,
    facts: [...payeeFacts(event), ['Why', plain(message, RULE_MAX)]],
    page: event.payment_id === undefined ? `/inbox/${event.request_id}` : `/payments/${event.payment_id}`,
  }
}

/** An agent that runs into a limit may do so a thousand times: it is told once for each limit and hour. */
function stopped(_bursar: Bursar, event: JournalEvent): Telling | null {
  if (event.type !== 'payment.refused' || event.details.refusal.code !== 'limit_exceeded') return null
  const { rule, message } = event.details.refusal
  return {
    kind: 'limit_reached',
    title: `A limit stopped a payment of ${amountOf(event)}`,
    facts: [...payeeFacts(event), ['Limit', plain(message, RULE_MAX)]],
    page: `/payments/${event.payment_id}`,
    once: `${rule} ${event.ts.slice(0, HOUR)}`,
  }
}

async function usedUp({ store: { read } }: Bursar, { instrument_id = '' }: JournalEvent): Promise<Telling> {
  const display = (await read.one('instruments', { id: instrument_id }))?.display ?? instrument_id
  return {
    kind: 'limit_reached',
    title: 'An instrument is used up',
    facts: [['Instrument', plain(display, NAME_MAX)]],
    page: `/instruments/${instrument_id}`,
  }
}

async function instrumentFrozen({ store: { read } }: Bursar, event: JournalEvent): Promise<Telling> {
  const { instrument_id = '', payment_id = '', wallet_id = '' } = event
  const display = (await read.one('instruments', { id: instrument_id }))?.display ?? instrument_id
  const facts: Facts = [['Instrument', plain(display, NAME_MAX)]]
  const page = `/instruments/${instrument_id}`
  if (event.rule !== 'over_capture') return { kind: 'frozen', title: 'An instrument was frozen', facts, page }
  const payment = await read.one('payments', { id: payment_id })
  const wallet = (await read.one('wallets', { id: wallet_id })) as Wallet
  const forced = formatUnits(payment?.forced ?? 0n, wallet.decimals)
  return {
    kind: 'over_capture',
    title: 'More was taken than was approved; the instrument was frozen',
    facts: [...facts, ...payeeFacts({ payee: payment?.payee }), ['Taken beyond it', `${forced} ${wallet.currency}`]],
    page: `/payments/${payment_id}`,
  }
}

function walletFrozen(_bursar: Bursar, event: JournalEvent): Telling | null {
  if (event.type !== 'wallet.frozen') return null
  // What a human wrote is for whoever may see the wallet; what bursar found is told.
  const found = event.actor.role === 'system' ? event.details.reason : undefined
  return {
    kind: 'frozen',
    title: 'A wallet was frozen',
    facts: found === undefined ? [] : [['Why', plain(found, RULE_MAX)]],
    page: `/wallets/${event.wallet_id}`,
  }
}

function stuck(_bursar: Bursar, event: JournalEvent): Telling {
  return {
    kind: 'in_doubt',
    title: `It is unknown for an hour whether a payment of ${amountOf(event)} was made`,
    facts: payeeFacts(event),
    page: `/payments/${event.payment_id}`,
  }
}

function amountOf({ amount, currency }: JournalEvent): string {
  return `${amount} ${currency}`
}

async function agentFacts({ store: { read } }: Bursar, { agent_id }: JournalEvent): Promise<Facts> {
  const agent = agent_id === undefined ? null : await read.one('agents', { id: agent_id })
  return agent ? [['Agent', quoted(agent.name)]] : []
}

async function walletFacts({ store: { read } }: Bursar, { wallet_id }: JournalEvent): Promise<Facts> {
  const wallet = wallet_id === undefined ? null : await read.one('wallets', { id: wallet_id })
  return wallet ? [['Wallet', `${quoted(wallet.name)}${wallet.mode === 'sandbox' ? ', not real money' : ''}`]] : []
}

function payeeFacts({ payee }: { readonly payee?: Payee | undefined }): Facts {
  if (!payee) return []
  const { name, origin, address, network } = payee
  return [
    ...(origin === undefined ? [] : ([['Asked by', quoted(origin)]] as const)),
    ...(address === undefined ? [] : ([['Pays', `${address} on ${network}`]] as const)),
    ...(name === undefined ? [] : ([[address === undefined ? 'Pays' : 'Called', quoted(name)]] as const)),
  ]
}

/**
 * Somebody else chose it: between quotation marks, cut, and so written that no program makes a link of it. The only link in a
 * notice is the console's.
 */
function quoted(text: string): string {
  const unlinked = plain(text, NAME_MAX)
    .replace(/(?<=[^\s.])[.。．｡](?=[^\s.])/gu, '[.]')
    .replaceAll('://', '[:]//')
    .replaceAll('@', '[at]')
  return JSON.stringify(unlinked)
}

const IDS = ['wallet_id', 'agent_id', 'request_id', 'instrument_id', 'payment_id'] as const

function idsOf(event: JournalEvent): Notice['ids'] {
  return Object.fromEntries(IDS.flatMap((name) => (event[name] === undefined ? [] : [[name, event[name]]])))
}
