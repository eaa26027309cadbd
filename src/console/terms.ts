import { formatDuration } from '../core/duration.ts'
import { plain } from '../core/text.ts'
import type { Row } from './parts/bits.tsx'
import { words } from './parts/bits.tsx'
import type { InboxItem, Narrowing, PaymentView, RequestView } from './types.ts'

const TEXT_MAX = 2_000

/** Facts of a question that {@link factRows} says already, from the terms that are signed. All others are shown beside them. */
const SAID = new Set([
  ...['Who', 'Asks for', 'Amount', 'Per payment', 'Uses', 'Lives for', 'Wallet', 'With'],
  ...['Merchants', 'Categories', 'Addresses', 'Origins', 'Networks', 'Protocols', 'Countries'],
  ...['Pays', 'On', 'Called by the agent', 'Category', 'Country'],
])

/**
 * What a human decides on, in the order in which it should be read: who, pays whom, how much, what is left after, for what, and
 * from which wallet. It comes from the terms that are hashed and signed, and not from a text about them.
 */
export function factRows(item: InboxItem, narrowing: Narrowing = {}): Row[] {
  const { agent, wallet, left_after, question } = item
  const about = question.facts.find(([label]) => label === 'Wallet')?.[1]
  const payment = item.kind === 'payment'
  return [
    ['Who', `agent ${plain(agent.name, TEXT_MAX)}`],
    ...(payment ? payeeRows(item.view as PaymentView, item.paid_before) : payeesRows(item)),
    ...(payment ? amountRows(item.view as PaymentView) : askedRows(item.view as RequestView, narrowing)),
    ...(left_after === null
      ? []
      : [['Left after', `${left_after} ${item.view.currency ?? ''} on ${nameOf(item.view.instrument)}`] as const]),
    ...(payment ? paymentRows(item.view as PaymentView) : requestRows(item.view as RequestView, narrowing)),
    ['Wallet', about ?? `${plain(wallet.name, TEXT_MAX)}, ${wallet.available_amount} ${wallet.currency} available`],
  ]
}

/** What bursar knows beside the terms: what is bought, and of whom. Warnings come apart from it. */
export function otherRows({ question }: InboxItem): Row[] {
  return question.facts.filter(([label]) => !SAID.has(label) && label !== 'Beware')
}

export function warnings({ question }: InboxItem): readonly string[] {
  return question.facts.filter(([label]) => label === 'Beware').map(([, text]) => text)
}

/** In a few words: `A virtual card of up to 50.00 USD`, `12.00 USD to "Acme"`. */
export function titleOf({ kind, view }: InboxItem): string {
  if (kind === 'request') {
    const { type, amount, currency } = view as RequestView
    return `${type === 'virtual_card' ? 'A virtual card' : 'USDC'} of up to ${amount} ${currency}`
  }
  const { amount, currency, payee } = view as PaymentView
  return `${amount} ${currency} to ${payee.name === undefined ? (payee.address ?? payee.origin ?? 'somebody') : quoted(payee.name)}`
}

function known(times: number | null): string {
  if (times === null) return ''
  return times === 0 ? ' — for the first time' : times === 1 ? ' — paid once before' : ` — paid ${times} times before`
}

function payeeRows({ payee }: PaymentView, times: number | null): Row[] {
  const whom = payee.address ?? (payee.name === undefined ? quoted(payee.origin ?? '') : quoted(payee.name))
  return [
    ['Pays', `${whom}${known(times)}`],
    ...(payee.network === undefined ? [] : [['On', payee.network] as const]),
    ...(payee.address === undefined || payee.name === undefined
      ? []
      : [['Called by the agent', quoted(payee.name)] as const]),
    ...(payee.origin === undefined ? [] : [['Sold by', quoted(payee.origin)] as const]),
  ]
}

/** Whom it may pay, and that it may pay anybody, where nothing narrows it. */
function payeesRows({ view, question }: InboxItem): Row[] {
  const { type, constraints } = view as RequestView
  const { payees, origins, addresses, merchant_categories: categories } = constraints
  const list = (values: readonly string[] | undefined): string =>
    values ? values.map(quoted).join(', ') || 'nobody' : 'anybody'
  return [
    ...(type === 'usdc'
      ? [['Pays', addresses?.join(', ') ?? 'any address'] as const]
      : [['Pays', list(payees)] as const]),
    ...(type === 'usdc' && payees ? [['Payees', list(payees)] as const] : []),
    ...(type !== 'usdc' && addresses ? [['Addresses', list(addresses)] as const] : []),
    ...(origins ? [['Origins', list(origins)] as const] : []),
    ...(type === 'usdc' && !categories
      ? []
      : [['Kinds of merchants', categoriesText(categories, question.facts)] as const]),
  ]
}

function amountRows({ amount, currency }: PaymentView): Row[] {
  return [['Amount', `${amount} ${currency}`]]
}

function askedRows({ amount, per_payment_max, currency }: RequestView, narrowing: Narrowing): Row[] {
  const max = narrowing.per_payment_max ?? per_payment_max
  return [
    [
      'Amount',
      less(`up to ${narrowing.amount ?? amount} ${currency} in all`, narrowing.amount && `${amount} ${currency}`),
    ],
    [
      'Per payment',
      max === null
        ? 'no maximum of its own'
        : less(`up to ${max} ${currency}`, narrowing.per_payment_max && (per_payment_max ?? 'no maximum')),
    ],
  ]
}

function requestRows({ type, usage_limit, expires_in, constraints }: RequestView, narrowing: Narrowing): Row[] {
  const uses = narrowing.usage_limit ?? usage_limit
  const { expires_in_ms } = narrowing
  return [
    ['For', type === 'virtual_card' ? 'a virtual card' : 'payments in USDC'],
    [
      'Uses',
      less(uses === null ? 'any number' : String(uses), narrowing.usage_limit && String(usage_limit ?? 'any number')),
    ],
    ['Lives for', less(expires_in_ms ? formatDuration(expires_in_ms) : expires_in, expires_in_ms && expires_in)],
    ...(['networks', 'protocols', 'countries'] as const).flatMap((name): Row[] => {
      const values = constraints[name]
      return values ? [[`Only ${name}`, values.map(quoted).join(', ') || 'none']] : []
    }),
  ]
}

function paymentRows({ payee, protocol, instrument }: PaymentView): Row[] {
  const { merchant_category: code, category_name: name, country } = payee
  return [
    ...(code === undefined ? [] : [['Kind of merchant', `${code} ${name ?? ''}`] as const]),
    ...(country === undefined ? [] : [['Country', country] as const]),
    ['By', protocol === 'card' ? 'card' : words(protocol)],
    ['With', nameOf(instrument)],
  ]
}

function nameOf(instrument: PaymentView['instrument']): string {
  return instrument?.display ?? instrument?.instrument_id ?? ''
}

function less(text: string, asked: string | number | undefined): string {
  return asked === undefined || asked === '' || asked === 0 ? text : `${text} (asked: ${asked})`
}

/** Names for codes where the question has them; the codes are what counts, so they come from the terms. */
function categoriesText(codes: readonly string[] | undefined, facts: InboxItem['question']['facts']): string {
  if (!codes) return 'any'
  const named = facts.find(([label]) => label === 'Categories')?.[1] ?? ''
  const same =
    named
      .split('; ')
      .map((part) => part.slice(0, 4))
      .join() === codes.join()
  return same ? named : codes.join(', ') || 'none'
}

/** The agent or a seller chose it: between quotation marks, so that it cannot pass for a fact beside it. */
function quoted(text: string): string {
  return JSON.stringify(plain(text, TEXT_MAX))
}
