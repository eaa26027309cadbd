import * as z from 'zod'
import { getRequest } from '../../actions/agent/read.ts'
import { requestInstrument } from '../../actions/agent/request-instrument.ts'
import { requestAnswer } from '../answers.ts'
import { decided } from '../decision.ts'
import { amount, REQUEST, text } from '../shapes.ts'
import { tool } from '../tool.ts'

const LIST_MAX = 50
const VALUE_MAX = 200

const values = (): z.ZodOptional<z.ZodArray<z.ZodString>> => text(VALUE_MAX).array().max(LIST_MAX).optional()

const constraints = z.strictObject({
  merchant_categories: values().describe('codes (5734) or names'),
  payees: values(),
  origins: values(),
  addresses: values(),
  networks: values(),
  protocols: values(),
  countries: values(),
})

export default tool({
  name: 'request_instrument',
  effect: 'ask',
  description:
    'Ask for a limited means of payment. Ask for the least the task needs. A human may have to approve: if status is pending, give your user the command in approval and poll get_request. If denied, stop; do not ask again.',
  input: z.strictObject({
    type: z.enum(['virtual_card', 'usdc']),
    amount: amount().describe('Total, such as "49.00"'),
    currency: text(8),
    usage_limit: z.int().min(1).max(1_000_000).optional().describe('Number of payments'),
    per_payment_max: amount().optional(),
    expires_in: text(16).describe('30d, 12h or 45m'),
    purpose: text(500).describe('What for; the human reads it'),
    constraints: constraints.optional().describe('Whom it may pay'),
    task_id: text(100).optional(),
  }),
  output: REQUEST,
  handle: (call, args) => {
    const { bursar, caller } = call.deps
    return decided(call, {
      begin: () => requestInstrument(bursar, caller, args),
      waiting: ({ request_id, status }) => (status === 'pending' ? request_id : null),
      read: (id) => getRequest(bursar, caller, id),
      answer: requestAnswer,
    })
  },
})
