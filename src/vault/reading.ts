import { isDeepStrictEqual } from 'node:util'
import { accountId, addressIn } from '../core/account.ts'
import { BursarError } from '../core/errors.ts'
import { chainIdOf, contractOf, networkOf, type Token } from '../core/network.ts'
import { isUnsettled } from '../core/payment.ts'
import { type Authorization, authorizationOf, type TypedData, typedDataOf } from '../core/transfer.ts'
import type { Payment, Purchase, Transfer, Wallet } from '../core/types.ts'
import type { GasTerms } from '../ports/chain.ts'
import type { Clock, Reader } from '../ports.ts'

// What may be signed. How it is signed, and where the key is, is another matter: nothing here touches a key.

/** What a signer reads, so that it need not believe whoever asks it. */
export interface Books {
  readonly read: Reader
  readonly clock: Clock
  /** How the token of an asset (CAIP-19) names itself, by our own table; null for one that we do not pay with. */
  readonly tokenOf: (asset: string) => Token | null
}

/** Why nothing was signed. Closed: not a word of what was given is in them. */
export const REFUSALS = {
  not_a_transfer:
    'Only the EIP-3009 TransferWithAuthorization of a payment is signed, or its permit where that is allowed.',
  not_allowed: 'The owner of the wallet does not allow to sign for what a seller may take.',
  other_token: 'It is not for the token that the wallet of the payment holds.',
  other_terms: 'It does not say what the payment says.',
  other_account: 'The payment is not from this account.',
  other_chain: 'The transaction is for another chain than this account is on.',
  not_authorized: 'There is no authorized payment of this id that holds its money.',
  too_late: 'The time of the payment is over.',
  too_long: 'The authorization would be good for too long.',
  stopped: 'Spending was stopped.',
  not_on_a_chain: 'The payment is not one of a token on a chain.',
  not_stored: 'The transfer is not the one that is stored.',
  not_carried: 'Only whoever settles a permit brings it to the chain.',
  fees_not_its_own: 'The wallet of the transfer has its fees paid by another account.',
  gas_out_of_bounds: 'The gas or the fee is out of bounds.',
} as const

/** More than any transfer of a token takes; less than would hurt. */
const GAS_MAX = 500_000n
const GWEI = 1_000_000_000n
const SIGNATURE = /^0x[0-9a-f]{128}(?:1b|1c)$/

/**
 * Reads what is to be signed for a payment: it must be, to the last character, what the books make of that payment. An
 * address in other letters or a number of another type would have the same hash; but it did not come from the books.
 *
 * @param account CAIP-10 of the signer
 * @returns what the books say, which is what to sign: the data that was given is done with
 * @throws `signing_refused`
 */
export async function readAuthorization(
  books: Books,
  account: string,
  typedData: TypedData,
  paymentId: string,
): Promise<TypedData> {
  const authorization = await books.read.together((read) => authorized({ ...books, read }, account, paymentId))
  const expected = typedDataOf(authorization, tokenIn(books, authorization.asset))
  const { domain, types, primaryType, message, ...more } = Object(typedData) as Partial<TypedData>
  const shape = { types: expected.types, primaryType: expected.primaryType }
  if (!isDeepStrictEqual({ types, primaryType }, shape) || Reflect.ownKeys(more).length > 0)
    throw refused('not_a_transfer')
  if (!isDeepStrictEqual(domain, expected.domain)) throw refused('other_token')
  if (!isDeepStrictEqual(message, expected.message)) throw refused('other_terms')
  return expected
}

/** What a seller may bring is good for no longer, whatever the books say: as the store has it. */
const GOOD_FOR_MAX_MS = 600_000

/** What a payment may move now, if it may: the same rule as the trigger `transfers_are_authorized` of the store. */
async function authorized({ read, clock }: Books, account: string, paymentId: string): Promise<Authorization> {
  const payment =
    typeof paymentId === 'string' ? ((await read.one('payments', { id: paymentId })) as Payment | null) : null
  if (!payment || !isUnsettled(payment) || payment.held !== payment.amount) throw refused('not_authorized')
  if (clock.now() >= payment.validUntil) throw refused('too_late')
  if (payment.protocol === 'x402' && payment.validUntil > clock.now() + GOOD_FOR_MAX_MS) throw refused('too_long')
  const wallet = await read.one('wallets', { id: payment.walletId as string })
  const instrument = await read.one('instruments', { id: payment.instrumentId as string })
  const agent = await read.one('agents', { id: payment.agentId })
  const [instance] = await read.list('instance', {})
  if (instance?.frozen !== false || ![wallet, instrument, agent].every((one) => one?.status === 'active'))
    throw refused('stopped')
  if (instrument?.type !== 'usdc') throw refused('not_on_a_chain')
  const authorization = authorizationIn(payment, wallet as Wallet, await read.one('purchases', { paymentId }))
  if (wallet?.account !== account || accountOf(authorization) !== account) throw refused('other_account')
  if (authorization.kind === 'permit2' && !wallet.allows.includes('upto')) throw refused('not_allowed')
  return authorization
}

function authorizationIn(payment: Payment, wallet: Wallet, purchase: Purchase | null): Authorization {
  try {
    return authorizationOf(payment, wallet, purchase)
  } catch {
    throw refused('not_on_a_chain')
  }
}

/**
 * Reads what a relayer is to carry.
 *
 * @param account CAIP-10 of the relayer
 * @returns the transfer as it is stored, which is what to carry
 * @throws `signing_refused`
 */
export async function readTransfer({ read, ...books }: Books, account: string, carries: Transfer): Promise<Transfer> {
  const stored = await read.one('transfers', { paymentId: carries.paymentId })
  if (!stored || !isDeepStrictEqual(termsOf(carries), termsOf(stored)) || !SIGNATURE.test(stored.signature))
    throw refused('not_stored')
  if (stored.kind !== 'eip3009') throw refused('not_carried')
  tokenIn({ read, ...books }, stored.asset)
  if (networkOf(stored.asset) !== networkIn(account)) throw refused('other_chain')
  if ((await read.one('wallets', { id: stored.walletId }))?.relayer !== account) throw refused('fees_not_its_own')
  return stored
}

/** What of a transfer never changes. Where it was seen on the chain may have, since it was read. */
function termsOf({ paymentId, walletId, asset, from, to, value, ...more }: Transfer) {
  const { validBefore, nonce, signature, kind, facilitator } = more
  return { paymentId, walletId, asset, from, to, value, validBefore, nonce, signature, kind, facilitator }
}

/** What a relayer may spend in a day, in gwei. */
export async function dailyMaxOf({ read }: Books, account: string): Promise<bigint> {
  return (await read.one('relayers', { id: account }))?.dailyMax ?? 0n
}

/**
 * Reads what a relayer's transaction may cost. One that could cost more than all of a day may is not stored, so it is
 * not signed either.
 *
 * @param dailyMax in gwei
 * @throws `signing_refused`
 */
export function readGas(account: string, terms: GasTerms, dailyMax: bigint): void {
  const { chainId, nonce, gas, maxFeePerGas, maxPriorityFeePerGas } = terms
  if (chainId !== chainIdOf(networkIn(account))) throw refused('other_chain')
  const sane = [gas, maxFeePerGas, maxPriorityFeePerGas].every((part) => typeof part === 'bigint' && part >= 0n)
  const counted = Number.isSafeInteger(nonce) && nonce >= 0
  if (!sane || !counted || gas > GAS_MAX || maxPriorityFeePerGas > maxFeePerGas || gas * maxFeePerGas > dailyMax * GWEI)
    throw refused('gas_out_of_bounds')
}

function tokenIn({ tokenOf }: Books, asset: string): Token {
  const token = tokenOf(asset)
  if (token === null || token.address !== contractOf(asset)) throw refused('other_token')
  return token
}

function accountOf({ asset, from }: Authorization): string {
  return accountId({ network: networkOf(asset), address: from })
}

/** The CAIP-2 part of a CAIP-10 id. */
function networkIn(account: string): string {
  return account.slice(0, -addressIn(account).length - 1)
}

function refused(reason: keyof typeof REFUSALS): BursarError {
  return new BursarError('signing_refused', REFUSALS[reason])
}
