import { addressIn } from '../core/account.ts'
import { isWaiting, paymentTerms, requestTerms, termsDigest } from '../core/approval.ts'
import { categoryName } from '../core/category.ts'
import { formatDuration } from '../core/duration.ts'
import { BursarError } from '../core/errors.ts'
import type { WireConstraints } from '../core/event.ts'
import { kindOf } from '../core/ids.ts'
import { formatUnits } from '../core/money.ts'
import { networkOf } from '../core/network.ts'
import { resourceIn } from '../core/resource.ts'
import { constraintsToWire } from '../core/terms.ts'
import { rfc3339 } from '../core/time.ts'
import type { Agent, Approval, Instrument, InstrumentType, Payment, Request, Wallet } from '../core/types.ts'
import type { Bursar } from '../ports.ts'
import { lookAlikeOf } from './look-alike.ts'
import type { Question } from './wire.ts'

type Facts = Question['facts']

/**
 * What a human is asked about a request or a waiting payment: the stored terms and their digest, and the agent's own
 * words apart from them.
 *
 * @throws `not_found`; `not_pending` when nothing was ever asked about it
 */
export async function question(bursar: Bursar, subjectId: string): Promise<Question> {
  const { read } = bursar.store
  const approval = (await read.one('approvals', { subjectId })) as Approval | null
  const kind = kindOf(subjectId)
  if (kind !== 'request' && kind !== 'payment') throw new BursarError('not_found', 'There is no such request.')
  const subject =
    kind === 'request' ? await read.one('requests', { id: subjectId }) : await read.one('payments', { id: subjectId })
  if (!subject) throw new BursarError('not_found', `There is no such ${kind}.`)
  if (!approval) throw new BursarError('not_pending', 'Nobody has to decide on this.')
  const wallet = (await read.one('wallets', { id: approval.walletId })) as Wallet
  const agent = (await read.one('agents', { id: subject.agentId })) as Agent
  const request = kind === 'request' ? (subject as Request) : null
  const payment = kind === 'payment' ? (subject as Payment) : null
  return {
    subject_id: subjectId,
    approval_id: approval.id,
    digest: request
      ? termsDigest(requestTerms(request, wallet))
      : termsDigest(paymentTerms(payment as Payment, wallet)),
    needs: approval.needs,
    owners: approval.owners,
    waiting: isWaiting(approval, bursar.clock.now()),
    expires_at: rfc3339(approval.expiresAt),
    facts: [
      ['Who', `agent ${agent.name}`],
      ...(request
        ? await requestFacts(bursar, request, wallet)
        : await paymentFacts(bursar, payment as Payment, wallet)),
      ['Wallet', await walletText(bursar, wallet)],
      ...(await agreedFacts(bursar, approval)),
    ],
    words: (await read.text(subject.purposeRef)) ?? '(erased)',
  }
}

/** Where two owners have to agree: who has, and to what. */
async function agreedFacts({ store: { read } }: Bursar, { id, owners }: Approval): Promise<Facts> {
  if (owners === 1) return []
  const [first] = await read.list('answers', { approvalId: id })
  if (!first) return [['Owners', 'two have to agree; none has yet']]
  const name = quoted((await read.one('owners', { id: first.ownerId }))?.name ?? '')
  const less = first.narrowed === '{}' ? 'this' : `less: ${first.narrowed}`
  return [['Owners', `two have to agree; ${name} agreed to ${less}`]]
}

async function requestFacts(bursar: Bursar, request: Request, wallet: Wallet): Promise<Facts> {
  const { addresses = [] } = request.constraints
  const alike = await Promise.all(addresses.map((account) => looksLike(bursar, wallet.id, account)))
  const amount = (units: bigint): string => `${formatUnits(units, wallet.decimals)} ${wallet.currency}`
  return [
    ['Asks for', request.type === 'virtual_card' ? 'a virtual card' : `USDC on ${networkOf(wallet.asset as string)}`],
    ['Amount', `up to ${amount(request.amount)} in all`],
    ...(request.perPaymentMax === null ? [] : ([['Per payment', `up to ${amount(request.perPaymentMax)}`]] as const)),
    ['Uses', request.usageLimit === null ? 'any number' : String(request.usageLimit)],
    ['Lives for', formatDuration(request.expiresInMs)],
    ...constraintFacts(request.type, constraintsToWire(request.constraints)),
    ...alike.flat(),
  ]
}

/** Every constraint is said, and so is the absence of those that matter most: whom a card or an account may pay. */
export function constraintFacts(type: InstrumentType, constraints: WireConstraints): Facts {
  const { merchant_categories: categories, payees, addresses, ...others } = constraints
  return [
    ...(type === 'usdc'
      ? ([['Addresses', addresses?.map(addressIn).join(', ') ?? 'any']] as const)
      : ([
          ['Merchants', payees ? payees.map(quoted).join(', ') : 'any'],
          ['Categories', categories ? categoriesText(categories) : 'any'],
        ] as const)),
    ...Object.entries(others).map(([name, values]) => [titled(name), values.map(quoted).join(', ')] as const),
  ]
}

async function paymentFacts(bursar: Bursar, payment: Payment, wallet: Wallet): Promise<Facts> {
  const { read } = bursar.store
  const { payee } = payment
  const instrument = (await read.one('instruments', { id: payment.instrumentId as string })) as Instrument
  const left = instrument.remaining - (payment.amount as bigint)
  const { agentId, payeeKey } = payment
  const known = knownText((await read.list('payments', { agentId, payeeKey, status: PAID }, { limit: 100 })).length)
  return [
    ...(payee.address === undefined
      ? ([['Pays', `${quoted(payee.name ?? '')} (${known})`]] as const)
      : await accountFacts(bursar, payment, payee.address, known)),
    ['Amount', `${formatUnits(payment.amount as bigint, wallet.decimals)} ${wallet.currency}`],
    ...(await resourceFacts(bursar, payment)),
    ...(payee.category === undefined
      ? []
      : ([['Category', `${payee.category} ${categoryName(payee.category)}`]] as const)),
    ...(payee.country === undefined ? [] : ([['Country', payee.country]] as const)),
    [
      'With',
      `${instrument.display ?? instrument.id}, ${formatUnits(left < 0n ? 0n : left, wallet.decimals)} ${wallet.currency} left after`,
    ],
  ]
}

const PAID = ['captured', 'partially_refunded', 'refunded'] as const

function knownText(before: number): string {
  if (before === 0) return 'for the first time'
  return before === 1 ? 'paid once before' : `paid ${before} times before`
}

/**
 * What is bought on the web, and of whom: who asks is not always who is paid. All of it is the agent's choice or a server's,
 * so it is quoted.
 */
async function resourceFacts({ store: { read } }: Bursar, { id, agentId, protocol, payee }: Payment): Promise<Facts> {
  const purchase = protocol === 'x402' ? await read.one('purchases', { paymentId: id }) : null
  if (!purchase) return []
  const others = await read.list('payments', { agentId, protocol, status: PAID }, { limit: 100 })
  const known = knownText(others.filter((other) => other.payee.origin === payee.origin).length)
  const resource = resourceIn(await read.text(purchase.resourceRef))
  if (!resource) return [['Asked by', `${quoted(payee.origin ?? '')} (${known})`]]
  const { method, url, asked, headers, body } = resource
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [
    ['Asked by', `${quoted(payee.origin ?? '')} (${known})`],
    ['Buys', quoted(`${method} ${url}`)],
    ...(asked === url ? [] : ([['Redirected from', quoted(asked)]] as const)),
    ...(lines.length === 0 ? [] : ([['Sends headers', shortened(lines.map(quoted).join(', '))]] as const)),
    ...(body === null
      ? []
      : ([['Sends', `${body.bytes} bytes, SHA-256 ${body.sha256}, beginning ${quoted(body.start)}`]] as const)),
  ]
}

const LINES_MAX = 1_000

function shortened(text: string): string {
  return text.length <= LINES_MAX ? text : `${text.slice(0, LINES_MAX)} … and more`
}

/** The whole address, never its ends alone; and which other one it could be taken for. */
async function accountFacts(
  bursar: Bursar,
  { payee, payeeKey, walletId }: Payment,
  address: string,
  known: string,
): Promise<Facts> {
  return [
    ['Pays', `${address} (${known})`],
    ['On', payee.network ?? ''],
    ...(payee.name === undefined ? [] : ([['Called by the agent', quoted(payee.name)]] as const)),
    ...(await looksLike(bursar, walletId as string, payeeKey)),
  ]
}

/** A warning, where an account that was never paid is easily taken for one that was. */
async function looksLike({ store: { read } }: Bursar, walletId: string, account: string): Promise<Facts> {
  const other = await lookAlikeOf(read, walletId, account)
  if (other === null) return []
  const [address, paid] = [account, other].map(addressIn)
  return [['Beware', `${address} looks like ${paid}, which was paid before, and is another`]]
}

/** A few categories by name; many as runs of codes, so that all of them can be read. */
function categoriesText(codes: readonly string[]): string {
  if (codes.length <= 12) return codes.map((code) => `${code} ${categoryName(code)}`).join('; ')
  const runs: [first: string, last: string][] = []
  for (const code of codes) {
    const run = runs.at(-1)
    if (run && Number(code) === Number(run[1]) + 1) run[1] = code
    else runs.push([code, code])
  }
  return runs.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ')
}

function titled(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`
}

/** The agent chose it: between quotation marks, so that it cannot pass for a fact beside it. */
function quoted(text: string): string {
  return JSON.stringify(text)
}

async function walletText(bursar: Bursar, wallet: Wallet): Promise<string> {
  const available = (await bursar.store.read.one('accounts', { walletId: wallet.id }))?.available ?? 0n
  const money = `${formatUnits(available, wallet.decimals)} ${wallet.currency} available`
  return `${wallet.name}, ${money}${wallet.mode === 'sandbox' ? ', sandbox: not real money' : ''}`
}
