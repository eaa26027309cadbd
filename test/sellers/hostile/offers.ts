import { type Address, getAddress } from 'viem'
import { OTHER_NETWORK, OTHER_TOKEN } from '../facilitator.ts'
import { newAddress } from '../sender.ts'
import { type Behaviour, type Expected, type Stall, tooMuch } from '../stall.ts'
import { NOTHING, PAID } from './expected.ts'

const TEN_YEARS_SECONDS = 315_360_000
/** An example of EIP-55 with one letter in the other case. */
const MISTYPED = '0xFB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'
const DOMAIN = { name: 'USD Coin', version: '2' }
const PERMIT2 = { extra: { ...DOMAIN, assetTransferMethod: 'permit2' } }

type Change = object | ((stall: Stall) => object)

const of = (change: Change, stall: Stall): object => (typeof change === 'function' ? change(stall) : change)

/** Asks by the honest offer but for this in it, and takes whatever is paid. */
function offers(change: Change, expected: Expected = NOTHING): Behaviour {
  return { expected, unpaid: (stall, { response }) => stall.ask(response, stall.quote(of(change, stall))) }
}

/** Asks honestly but for this in what is around the offer. */
function asksWith(change: Change, expected: Expected = NOTHING): Behaviour {
  return { expected, unpaid: (stall, { response }) => stall.ask(response, { ...stall.quote(), ...of(change, stall) }) }
}

/** The honest offer, with these before it. */
function after(...changes: readonly Change[]): Behaviour {
  const accepts = (stall: Stall) => [...changes, {}].flatMap((change) => stall.quote(of(change, stall)).accepts)
  return asksWith((stall) => ({ accepts: accepts(stall) }), PAID)
}

/** Another address that begins and ends as this one does: what a human sees of it is the same. */
export function lookAlike(address: Address): Address {
  const middle = newAddress().slice(6, -4)
  return getAddress(`0x${address.slice(2, 6)}${middle}${address.slice(-4)}`.toLowerCase())
}

const AMOUNTS = {
  'asks for far more': offers((stall) => ({ amount: tooMuch(stall) })),
  'asks for a number': offers(({ units }) => ({ amount: Number(units) })),
  'asks for a fraction': offers({ amount: '10000.5' }),
  'asks for a whole fraction': offers({ amount: '10000.0' }),
  'asks for less than nothing': offers({ amount: '-10000' }),
  'asks for nothing': offers({ amount: '0' }),
  'asks in hexadecimal': offers({ amount: '0x2710' }),
  'asks with an exponent': offers({ amount: '1e3' }),
  'asks with a plus': offers({ amount: '+10000' }),
  'asks with spaces': offers({ amount: ' 10000 ' }),
  'asks with commas': offers({ amount: '10,000' }),
  'asks in other digits': offers({ amount: '١٠٠٠٠' }),
  'asks for more than any token has': offers({ amount: '9'.repeat(100) }),
  'asks for what wraps round': offers({ amount: `${2n ** 256n + 10_000n}` }),
  'asks for an empty amount': offers({ amount: '' }),
  'asks for no amount': offers({ amount: undefined }),
  'asks for null': offers({ amount: null }),
  'asks for a list': offers(({ units }) => ({ amount: [`${units}`] })),
  'asks for an object': offers({ amount: { toString: '10000' } }),
  // As an own key in JSON: only what copies it carelessly makes a prototype of it.
  'asks by the prototype': offers((stall) => ({
    ...(JSON.parse(`{"__proto__":{"amount":"${stall.units}"}}`) as object),
    amount: undefined,
  })),
  'asks in the words of both versions': offers((stall) => ({ maxAmountRequired: tooMuch(stall) })),
} as const satisfies Record<string, Behaviour>

const TOKENS = {
  'wants another token': offers({ asset: newAddress() }),
  'wants a look-alike of the token': offers(({ chain }) => ({ asset: lookAlike(chain.token) })),
  'wants a token by its name': offers({ asset: 'USDC' }),
  'wants no token': offers({ asset: undefined }),
  'wants the token of another network': offers({ network: OTHER_NETWORK, asset: OTHER_TOKEN }),
  'wants this token on another network': offers({ network: OTHER_NETWORK }),
  'names the network as version 1 does': offers({ network: 'base-sepolia' }),
  'names the network with a zero more': offers(({ chain }) => ({ network: chain.network.replace(':', ':0') })),
  'names a network of another kind': offers({ network: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp' }),
  'says that the token has another name': offers({ extra: { name: 'USD Coin (bridged)', version: '2' } }),
  'says that the token has another version': offers({ extra: { name: 'USD Coin', version: '1' } }),
  'says that the token is signed for elsewhere': offers(
    { extra: { ...DOMAIN, chainId: 1, verifyingContract: newAddress() } },
    PAID,
  ),
} as const satisfies Record<string, Behaviour>

const PAYEES = {
  'is nobody': offers({ payTo: undefined }),
  'is a name': offers({ payTo: 'seller.eth' }),
  'is a mistyped address': offers({ payTo: MISTYPED }),
  'is two addresses': offers(({ payTo }) => ({ payTo: [payTo, newAddress()] })),
} as const satisfies Record<string, Behaviour>

/** As the packages' servers declare it, as far as their clients look at it. */
const sponsored =
  (key: string): Change =>
  (stall: Stall) => ({
    ...stall.quote(PERMIT2),
    extensions: { [key]: { info: { description: 'Gas is paid for you', version: '1' }, schema: {} } },
  })

const WAYS = {
  'wants Permit2': offers(PERMIT2),
  'wants Permit2, with the approval of all there is': asksWith(sponsored('erc20ApprovalGasSponsoring')),
  'wants Permit2, with a permit': asksWith(sponsored('eip2612GasSponsoring')),
  'wants a delegation': offers({ extra: { ...DOMAIN, assetTransferMethod: 'erc7710' } }),
  'wants a way that is no word': offers({ extra: { ...DOMAIN, assetTransferMethod: 3009 } }),
  'wants up to as much': offers({ scheme: 'upto' }),
  'wants a deposit': offers({ scheme: 'batch-settlement' }),
  'wants the scheme in capitals': offers({ scheme: 'EXACT' }),
  'wants no scheme': offers({ scheme: undefined }),
  // What only the owner can allow: it is not said here that he does.
  'wants it before anything is ready': offers({ extra: { ...DOMAIN, paymentFlow: 'upfront' } }),
  'wants it in escrow': offers({ extra: { ...DOMAIN, paymentFlow: 'escrow' } }),
  'wants it some time': offers({ extra: { ...DOMAIN, paymentFlow: 'some time' } }),
  'offers Permit2 before the honest way': after(PERMIT2),
  'offers another network before this one': after({ network: OTHER_NETWORK, asset: OTHER_TOKEN }),
  'offers what is broken before the honest way': after({ amount: {} }, { payTo: 7 }, { network: null, extra: null }),
} as const satisfies Record<string, Behaviour>

const TIMES = {
  'wants it to be good for ten years': offers({ maxTimeoutSeconds: TEN_YEARS_SECONDS }, PAID),
  'wants it to be good for no time': offers({ maxTimeoutSeconds: 0 }),
  'wants it to be good until before': offers({ maxTimeoutSeconds: -300 }),
  'wants it to be good for a fraction': offers({ maxTimeoutSeconds: 300.5 }),
  'wants it to be good for a text': offers({ maxTimeoutSeconds: '300' }),
} as const satisfies Record<string, Behaviour>

/** Behaviours of which the 402 itself must keep a careful buyer from signing, or need not. */
export const OFFERS = {
  ...{ ...AMOUNTS, ...TOKENS, ...PAYEES, ...WAYS, ...TIMES },
  // The first look is at the price that a buyer signs; who looks again must decide again.
  'asks for more at every look': {
    expected: PAID,
    unpaid: (stall, { response }) => {
      const looks = BigInt(stall.requests.length - stall.received.length)
      stall.ask(response, stall.quote({ amount: `${stall.units * looks}` }))
    },
  },
  'asks for the page of another site': asksWith({ resource: { url: 'https://another.example/report' } }),
  'speaks a version that there is not': asksWith({ x402Version: 3 }),
  'speaks version 1 in the words of version 2': asksWith({ x402Version: 1 }),
  'speaks no version': asksWith({ x402Version: undefined }),
  'speaks its version in a text': asksWith({ x402Version: '2' }),
  'offers nothing': asksWith({ accepts: [] }),
  'offers no list': asksWith({ accepts: undefined }),
  'offers what is no list': asksWith((stall) => ({ accepts: stall.quote().accepts[0] })),
  'offers what are no offers': asksWith({ accepts: [null, 5, 'exact', [], [[]], {}, true] }),
  'offers a thousand times': asksWith((stall) => ({ accepts: Array(1_000).fill(stall.quote().accepts[0]) })),
  'offers in 5 MB': asksWith((stall) => ({ accepts: Array(15_000).fill(stall.quote().accepts[0]) })),
} as const satisfies Record<string, Behaviour>
