import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PaymentRequired } from '@x402/core/types'
import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem'
import type { Chain } from '../support/chain.ts'
import { type Door, openDoor, type Received } from './door.ts'
import { GOODS, UNITS } from './goods.ts'
import { encoded, type Payment } from './payment.ts'
import { fundedKey, newAddress, Sender } from './sender.ts'

/** EIP-3009, in the form that takes the signature whole. */
const ABI = parseAbi([
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature)',
])
/** Enough for a transfer that is refused to be in a block, and so to be seen. */
const GAS = 300_000n

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly payment: Payment | null
}

export type Answer = (stall: Stall, exchange: Exchange) => unknown

/** What a seller does: all of it that is not said is honest. */
export interface Behaviour {
  readonly expected: Expected
  /** It does not come to an end by itself: give the buyer little time. */
  readonly slow?: true
  /** Answers what does not pay. */
  readonly unpaid?: Answer
  /** Answers what pays. */
  readonly paid?: Answer
  /** Takes the money when it is told to. */
  readonly settle?: (stall: Stall, payment: Payment) => Promise<Hex>
}

/** What must be so with any buyer that is careful, and was told that it may pay ten times the seller's `units`. */
export type Expected =
  | {
      /** Nothing may be signed for it: no header that pays may arrive, here or elsewhere. */
      readonly signs: false
      /** What the refusal says, where no other reason will do: a buyer that went there would have signed nothing either. */
      readonly refusal?: 'url_not_allowed'
    }
  | {
      /** One authorization may be signed: over the seller's `units`, to its `payTo`, soon over, and none after it. */
      readonly signs: true
      /**
       * What the chain says when all is over. `captured`: the seller takes the money before it answers or cuts.
       * `captured_late`: it takes it when `settle()` is called, before the authorization expires. `voided`: it never
       * does, and when the authorization is over it cannot.
       */
      readonly ends: 'captured' | 'captured_late' | 'voided'
      /** Whether the answer to the payment has the goods in it. */
      readonly delivers: boolean
    }

export interface StallOptions {
  readonly chain: Chain
  /** A new address without it. */
  readonly payTo?: Address
  /** {@link UNITS} without it. */
  readonly units?: bigint
}

/** Opens a seller that behaves like this. Its page is `stall.url`, and every other path of it is the same page. */
export async function openStall(behaviour: Behaviour, options: StallOptions): Promise<Stall> {
  const { chain, payTo = newAddress(), units = UNITS } = options
  const stall = new Stall(behaviour, { chain, payTo, units }, new Sender(chain, await fundedKey(chain)))
  await stall.open()
  return stall
}

export class Stall {
  readonly chain: Chain
  readonly payTo: Address
  readonly units: bigint
  private readonly behaviour: Behaviour
  private readonly sender: Sender
  private readonly doors: Door[] = []
  private readonly took: Hex[] = []
  private readonly busy = new Set<Promise<unknown>>()

  constructor(behaviour: Behaviour, { chain, payTo, units }: Required<StallOptions>, sender: Sender) {
    this.behaviour = behaviour
    this.chain = chain
    this.payTo = payTo
    this.units = units
    this.sender = sender
  }

  async open(): Promise<void> {
    const { unpaid = asks, paid = sells } = this.behaviour
    const answer = (request: IncomingMessage, response: ServerResponse, { payment }: Received) =>
      (payment ? paid : unpaid)(this, { request, response, payment })
    this.doors.push(await openDoor(answer))
  }

  /** Without a slash at its end. */
  get origin(): string {
    return (this.doors[0] as Door).url
  }

  get url(): string {
    return `${this.origin}/report`
  }

  get requests(): readonly Received[] {
    return (this.doors[0] as Door).requests
  }

  /** What arrived that pays. */
  get received(): readonly Payment[] {
    return paymentsIn(this.requests)
  }

  /** The transactions with which it took money, in their order. */
  get taken(): readonly Hex[] {
    return this.took
  }

  /** What arrived at another origin, to which this one had sent the buyer. */
  get strayed(): readonly Received[] {
    return this.doors.slice(1).flatMap(({ requests }) => requests)
  }

  /** What arrived there that pays. */
  get leaked(): readonly Payment[] {
    return paymentsIn(this.strayed)
  }

  /** An origin that is another one, opened now. It gives the goods to everybody. */
  async elsewhere(): Promise<string> {
    const door = await openDoor((_, response) => response.end(GOODS))
    this.doors.push(door)
    return door.url
  }

  /**
   * Takes the money of a payment as this seller does, of the last one without it.
   *
   * @throws when it moves nothing: it is over, or was used
   */
  settle(payment: Payment | undefined = this.received.at(-1)): Promise<Hex> {
    if (!payment) return Promise.reject(new Error('Nothing was received that pays.'))
    return (this.behaviour.settle ?? take)(this, payment)
  }

  /** Has the token move what a payment says, signed by whoever it is. @throws when it moves nothing */
  take(payment: Payment, sender: Sender = this.sender): Promise<Hex> {
    const taking = this.submit(payment, sender)
    this.busy.add(taking)
    taking.catch(() => undefined).finally(() => this.busy.delete(taking))
    return taking
  }

  /** Returns when it is taking nothing any more: an answer may have been cut before it came to that. */
  async idle(): Promise<void> {
    while (this.busy.size > 0) await Promise.allSettled(this.busy)
  }

  /** The honest 402, but for this in its only offer. */
  quote(change: object = {}): PaymentRequired {
    const { chain, payTo, units } = this
    const offer = { scheme: 'exact', network: chain.network, asset: chain.token, amount: `${units}`, payTo }
    const extra = { name: 'USD Coin', version: '2' }
    return {
      ...{ x402Version: 2, error: 'Payment required' },
      resource: { url: this.url, description: 'A report', mimeType: 'text/plain' },
      accepts: [{ ...offer, maxTimeoutSeconds: 300, extra, ...change }],
    }
  }

  /** @param content of the header */
  ask(response: ServerResponse, content: unknown = this.quote()): void {
    response.writeHead(402, { 'payment-required': encoded(content), 'content-type': 'application/json' }).end('{}')
  }

  deliver(response: ServerResponse, transaction: string): void {
    response.writeHead(200, { 'payment-response': this.receipt(transaction), 'content-type': 'text/plain' }).end(GOODS)
  }

  receipt(transaction: string, more: object = {}): string {
    const [payer, { network }] = [this.received.at(-1)?.authorization?.from, this.chain]
    return encoded({ success: true, transaction, network, payer, ...more })
  }

  async close(): Promise<void> {
    await Promise.all(this.doors.map((door) => door.close()))
    await this.idle()
  }

  private async submit({ authorization, signature }: Payment, sender: Sender): Promise<Hex> {
    if (authorization === null || signature === null) throw new Error('It is no authorization.')
    const { from, to, value, validAfter, validBefore, nonce } = authorization
    const numbers = [BigInt(value), BigInt(validAfter), BigInt(validBefore)] as const
    const args = [from, to, ...numbers, nonce, signature] as const
    const data = encodeFunctionData({ abi: ABI, functionName: 'transferWithAuthorization', args })
    const hash = await sender.send(this.chain.token, data, GAS)
    const { status } = await this.chain.publicClient.waitForTransactionReceipt({ hash })
    if (status !== 'success') throw new Error('The token refused it.')
    this.took.push(hash)
    return hash
  }
}

function paymentsIn(requests: readonly Received[]): readonly Payment[] {
  return requests.flatMap(({ payment }) => payment ?? [])
}

function take(stall: Stall, payment: Payment): Promise<Hex> {
  return stall.take(payment)
}

/** Over what any buyer was told that it may pay. */
export function tooMuch({ units }: Stall): string {
  return `${units * 100_000n}`
}

export const asks: Answer = (stall, { response }) => stall.ask(response)

/** Takes what it is given, and asks again where it cannot. */
export const sells: Answer = async (stall, { response, payment }) => {
  try {
    stall.deliver(response, await stall.settle(payment as Payment))
  } catch {
    stall.ask(response)
  }
}
