import * as z from 'zod'
import { pay } from '../../actions/agent/pay.ts'
import { getPayment } from '../../actions/agent/read.ts'
import { paymentAnswer } from '../answers.ts'
import { decided } from '../decision.ts'
import { withProgress } from '../progress.ts'
import { amount, id, PAYMENT, text } from '../shapes.ts'
import { tool } from '../tool.ts'

const VALUE_MAX = 200

const payee = z.strictObject({
  name: text(VALUE_MAX).optional(),
  merchant_category: text(VALUE_MAX).optional(),
  country: text(VALUE_MAX).optional().describe('such as US'),
  address: text(VALUE_MAX).optional(),
  network: text(VALUE_MAX).optional(),
})

export default tool({
  name: 'pay_with_instrument',
  effect: 'pay',
  description:
    'Pay once with an instrument. Repeating a call for the same purchase returns the same payment. refused: follow the hint; never retry, split or relabel it. awaiting_approval: give your user the command in approval and poll get_payment. in_doubt: do not pay again; poll get_payment.',
  input: z.strictObject({
    instrument_id: id(),
    amount: amount().describe('"49.00", in the instrument\'s currency'),
    payee: payee.describe('Name or address of who is really paid'),
    purpose: text(500).describe('What is bought'),
    task_id: text(100).optional(),
    idempotency_key: text(255).optional().describe('Names one purchase; leave out unless you have an order id'),
  }),
  output: PAYMENT,
  handle: (call, args) => {
    const { bursar, caller } = call.deps
    let replayed = false
    return decided(call, {
      begin: async () => {
        const view = await withProgress(call, 'Paying.', () => pay(bursar, caller, args))
        replayed = view.replayed === true
        return view
      },
      waiting: ({ payment_id, status }) => (status === 'awaiting_approval' ? payment_id : null),
      read: async (paymentId) => ({ ...(await getPayment(bursar, caller, paymentId)), ...(replayed && { replayed }) }),
      answer: paymentAnswer,
    })
  },
})
