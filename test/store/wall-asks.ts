import { type Allowed, type Case, cases, copyOf } from './wall.ts'

const request = (id: string) => copyOf('requests', 'id = :pending', { id: `'${id}'` })
const payment = copyOf('payments', 'id = :waiting', { id: `'pay_2'`, idempotency_key: 'NULL' })

/** Two wait already. */
export const ASKS: readonly Case[] = [
  ...cases('requests', [
    ['requests_ask_little', 'is the fourth that waits', request('req_2'), { before: request('req_3') }],
    ['requests_ask_little', 'waits beside three', request('req_2'), { before: payment }],
  ]),
  ...cases('payments', [['payments_ask_little', 'waits beside three', payment, { before: request('req_2') }]]),
]

export const ALLOWED_ASKS: readonly Allowed[] = [
  { bad: request('req_2') },
  { bad: payment },
  { bad: payment, before: `UPDATE requests SET status = 'expired' WHERE id = :pending; ${request('req_2')}` },
]
