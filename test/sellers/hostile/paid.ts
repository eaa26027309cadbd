import { setTimeout as sleep } from 'node:timers/promises'
import type { Hex } from 'viem'
import { lastSecond } from '../facilitator.ts'
import { GOODS } from '../goods.ts'
import type { Payment } from '../payment.ts'
import { fundedKey, newAddress, Sender } from '../sender.ts'
import type { Answer, Behaviour, Exchange, Stall } from '../stall.ts'
import { GIVEN, PAID, ROBBED, ROBBED_LATER, SPARED } from './expected.ts'
import { cuts, dripsBody, dripsHeaders, endlessBody, gzipBomb, hangs, putsOff, tenMegabytes } from './wire.ts'

const WAIT_MS = 200
const HTTP = { 'content-type': 'text/plain' } as const
/** Of no transaction. */
const FORGED: Hex = `0x${'ab'.repeat(32)}`

/** Takes the money, and then does that with the transaction. */
function takes(then: (stall: Stall, exchange: Exchange, hash: Hex) => unknown): Behaviour {
  return {
    expected: ROBBED,
    paid: async (stall, exchange) => then(stall, exchange, await stall.take(exchange.payment as Payment)),
  }
}

/** Takes the money, and answers 200 with that. */
function takesAndSends(send: (exchange: Exchange) => unknown, headers: object = {}): Behaviour {
  return takes((stall, exchange, hash) => {
    exchange.response.writeHead(200, { ...HTTP, 'payment-response': stall.receipt(hash), ...headers })
    return send(exchange)
  })
}

const slow = (behaviour: Behaviour): Behaviour => ({ ...behaviour, slow: true })

/** Delivers, moves nothing, and shows this as the receipt. */
function forges(receipt: (stall: Stall) => string | Promise<string>): Behaviour {
  const paid: Answer = async (stall, { response }) => {
    response.writeHead(200, { ...HTTP, 'payment-response': await receipt(stall) }).end(GOODS)
  }
  return { expected: GIVEN, paid }
}

/** The honest terms, for twice as much. */
const dearer = (stall: Stall) => stall.quote({ amount: `${stall.units * 2n}` })

async function robbedByAnother(stall: Stall, { response, payment }: Exchange): Promise<void> {
  await stall.take(payment as Payment, new Sender(stall.chain, await fundedKey(stall.chain)))
  stall.ask(response, { ...stall.quote(), error: 'invalid_exact_evm_nonce_already_used' })
}

/** Behaviours that begin with the payment: what is asked before is honest. */
export const PAID_ANSWERS = {
  'is honest': { expected: PAID },
  'is honest, and waits before it does anything': {
    expected: PAID,
    paid: async (stall, { response, payment }) => {
      await sleep(WAIT_MS)
      stall.deliver(response, await stall.take(payment as Payment))
    },
  },
  'sends the authorization twice': {
    expected: PAID,
    paid: async (stall, { response, payment }) => {
      const hash = await stall.take(payment as Payment)
      await stall.take(payment as Payment).catch(() => undefined)
      stall.deliver(response, hash)
    },
  },

  'takes the money and asks again': takes((stall, { response }) => stall.ask(response)),
  'takes the money and asks again for more': takes((stall, { response }) => stall.ask(response, dearer(stall))),
  'asks again and again': { expected: SPARED, paid: (stall, { response }) => stall.ask(response) },
  'asks again for more': { expected: SPARED, paid: (stall, { response }) => stall.ask(response, dearer(stall)) },
  'asks again for another payee': {
    expected: SPARED,
    paid: (stall, { response }) => stall.ask(response, stall.quote({ payTo: newAddress() })),
  },
  'asks again because somebody else sent the authorization': { expected: ROBBED, paid: robbedByAnother },

  'fails after it verified': { expected: SPARED, paid: (_, { response }) => response.writeHead(500, HTTP).end('no') },
  'takes the money and fails': takes((_, { response }) => response.writeHead(500, HTTP).end('no')),
  'says that it could not take what it took': takes((stall, { response }) => {
    const receipt = stall.receipt('', { success: false, errorReason: 'invalid_transaction_state' })
    response.writeHead(402, { ...HTTP, 'payment-response': receipt }).end('{}')
  }),

  'cuts the connection': { expected: SPARED, paid: cuts },
  'takes the money and cuts the connection': takes(cuts),
  'cuts the connection and takes the money later': { expected: ROBBED_LATER, paid: cuts },
  'cuts the connection and takes the money in the last second': {
    expected: ROBBED_LATER,
    paid: cuts,
    settle: async (stall, payment) => {
      if (payment.authorization !== null) await lastSecond(stall.chain, payment.authorization)
      return stall.take(payment)
    },
  },
  'asks again and takes the money later': {
    expected: ROBBED_LATER,
    paid: (stall, { response }) => stall.ask(response),
  },
  'delivers and takes the money later': {
    expected: { ...PAID, ends: 'captured_late' },
    paid: (stall, { response }) => stall.deliver(response, ''),
  },

  'delivers and never takes the money': forges(() => ''),
  'forges a receipt': forges((stall) => stall.receipt(FORGED)),
  "shows somebody else's transaction": forges(async (stall) => stall.receipt(await stall.chain.mint(newAddress(), 1n))),
  'shows a receipt over more': forges((stall) => stall.receipt(FORGED, { amount: `${stall.units * 1000n}` })),
  'shows a receipt that is no JSON': forges(() => '%%%'),
  'shows a receipt of a great many words': forges((stall) => stall.receipt(FORGED, { errorReason: 'w'.repeat(8_000) })),

  'takes the money and delivers nothing': takesAndSends(({ response }) => response.end()),
  'takes the money and delivers half': takesAndSends(
    ({ request, response }) => response.write(GOODS.slice(0, 10), () => request.socket.destroy()),
    { 'content-length': GOODS.length },
  ),
  'takes the money and sends a body that never ends': slow(takesAndSends(({ response }) => endlessBody(response))),
  'takes the money and sends a byte at a time': slow(takesAndSends(({ response }) => dripsBody(response))),
  'takes the money and sends headers one at a time': slow(takes(dripsHeaders('200 OK'))),
  'takes the money and puts off': slow(takes(putsOff)),
  'takes the money and says nothing': slow(takes(hangs)),
  'takes the money and sends a gzip bomb': takesAndSends(({ response }) => response.end(gzipBomb()), {
    'content-encoding': 'gzip',
  }),
  'takes the money and sends 10 MB of headers': takes((_, { response }) =>
    response.writeHead(200, { 'x-words': tenMegabytes() }).end(GOODS),
  ),
  'takes the money and speaks no HTTP': takes((_, { request }) => request.socket.end('no such protocol\r\n\r\n')),
} as const satisfies Record<string, Behaviour>
