import type { ServerResponse } from 'node:http'
import type { PaymentRequired } from '@x402/core/types'
import { EVM_NETWORK_CHAIN_ID_MAP } from '@x402/evm/v1'
import { GOODS } from '../goods.ts'
import { encoded, type Payment } from '../payment.ts'
import { type Answer, type Behaviour, type Stall, tooMuch } from '../stall.ts'
import { NOTHING } from './expected.ts'
import { cuts, dripsBody, dripsHeaders, endlessBody, gzipBomb, hangs, putsOff, tenMegabytes } from './wire.ts'

const JSON_TYPE = { 'content-type': 'application/json' } as const
const DEPTH = 5_000

type Value = string | readonly string[]

/** Asks by this in place of the honest header. */
function header(value: Value | ((stall: Stall) => Value), status = 402): Behaviour {
  return {
    expected: NOTHING,
    unpaid: (stall, { response }) => {
      const given = typeof value === 'function' ? value(stall) : value
      const lines = typeof given === 'string' ? given : [...given]
      response.setHeader('payment-required', lines).writeHead(status, JSON_TYPE).end('{}')
    },
  }
}

/** Asks without the header. */
function body(send: (response: ServerResponse, stall: Stall) => unknown, headers: object = {}): Behaviour {
  const unpaid: Answer = (stall, { response }) => {
    response.writeHead(402, { ...JSON_TYPE, ...headers })
    return send(response, stall)
  }
  return { expected: NOTHING, unpaid }
}

const unpaid = (answer: Answer): Behaviour => ({ expected: NOTHING, unpaid: answer })
const slow = (behaviour: Behaviour): Behaviour => ({ ...behaviour, slow: true })
const honest = (stall: Stall) => encoded(stall.quote())
const twice = (stall: Stall) => encoded(stall.quote({ amount: `${stall.units * 2n}` }))
const base64 = (text: string) => Buffer.from(text).toString('base64')

/**
 * What version 1 of the protocol says in the body. It knows networks by names, and not every chain has one.
 *
 * @param change in its only offer
 */
export function quoteV1(stall: Stall, change: object = {}): object {
  const chainId = stall.chain.publicClient.chain.id
  const [network = 'localhost'] = Object.entries(EVM_NETWORK_CHAIN_ID_MAP).find(([, id]) => id === chainId) ?? []
  const { resource, accepts, error } = stall.quote() as PaymentRequired
  const [{ scheme, asset, amount, payTo, maxTimeoutSeconds, extra }] = accepts as [PaymentRequired['accepts'][0]]
  const { url, description, mimeType } = resource
  const words = { resource: url, description, mimeType }
  const terms = { scheme, network, maxAmountRequired: amount, asset, payTo, maxTimeoutSeconds, extra, ...words }
  return { x402Version: 1, error, accepts: [{ ...terms, ...change }] }
}

function asksV1(change: (stall: Stall) => object = () => ({})): Behaviour {
  const asking = body((response, stall) => response.end(JSON.stringify(quoteV1(stall, change(stall)))))
  return { ...asking, paid: sellsV1 }
}

const sellsV1: Answer = async (stall, { response, payment }) => {
  const hash = await stall.settle(payment as Payment)
  response.writeHead(200, { 'x-payment-response': stall.receipt(hash), 'content-type': 'text/plain' }).end(GOODS)
}

/** An honest seller of version 1, which bursar refuses unless its owner said otherwise. */
export const SPEAKS_V1: Behaviour = asksV1()

/** Behaviours that ask by what is no 402 of the protocol. */
export const UNPAID_ANSWERS = {
  'speaks version 1': SPEAKS_V1,
  'speaks version 1, and asks for far more': asksV1((stall) => ({ maxAmountRequired: tooMuch(stall) })),
  'speaks version 1 in the words of both': asksV1((stall) => ({
    maxAmountRequired: tooMuch(stall),
    amount: `${stall.units}`,
  })),
  'speaks version 1 in 5 MB': asksV1(() => ({ description: 'w'.repeat(5_000_000) })),
  'asks in the body alone': body((response, stall) => response.end(JSON.stringify(stall.quote()))),

  'asks by an empty header': header(''),
  'asks by a header that is not base64': header('{"x402Version":2} %%%'),
  'asks by a header that is no JSON': header(base64('pay me')),
  'asks by a header that is half of its JSON': header((stall) => honest(stall).slice(0, 200)),
  'asks by a header that is a list': header((stall) => encoded([stall.quote()])),
  'asks by a header that is null': header(encoded(null)),
  'asks by a header that is a number': header(encoded(402)),
  'asks by a header that is no UTF-8': header(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('base64')),
  'asks by a header that is encoded twice': header((stall) => base64(honest(stall))),
  'asks by a header of great depth': header(base64('['.repeat(DEPTH) + ']'.repeat(DEPTH))),
  'asks by two headers': header((stall) => [honest(stall), twice(stall)]),
  'asks by 10 MB of headers': header(() => tenMegabytes()),
  'asks without asking': body((response) => response.end('{"error":"pay"}')),
  'asks with status 200': header(honest, 200),
  'asks with status 401': header(honest, 401),
  'asks with status 500': header(honest, 500),

  'fails before it asks': unpaid((_, { response }) => response.writeHead(503, JSON_TYPE).end('{}')),
  'cuts the connection before it asks': unpaid(cuts),
  'speaks no HTTP': unpaid((_, { request }) => request.socket.end('no such protocol\r\n\r\n')),
  'says nothing': slow(unpaid(hangs)),
  'puts off': slow(unpaid(putsOff)),
  'sends headers one at a time': slow(unpaid(dripsHeaders('402 Payment Required'))),
  'sends the body a byte at a time': slow(body(dripsBody)),
  'sends a body that never ends': slow(body(endlessBody)),
  'sends a gzip bomb': body((response) => response.end(gzipBomb()), { 'content-encoding': 'gzip' }),
  'sends what is no gzip': body((response) => response.end('{}'), { 'content-encoding': 'gzip' }),
} as const satisfies Record<string, Behaviour>
