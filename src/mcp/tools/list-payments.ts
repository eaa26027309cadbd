import * as z from 'zod'
import { listPayments } from '../../actions/agent/read.ts'
import { jsonAnswer } from '../answers.ts'
import { id, PAYMENTS, text } from '../shapes.ts'
import { tool } from '../tool.ts'

const STATUSES = [
  'refused',
  'awaiting_approval',
  'authorized',
  'in_doubt',
  'captured',
  'voided',
  'denied',
  'expired',
  'canceled',
  'partially_refunded',
  'refunded',
] as const
const LIMIT_MAX = 100

export default tool({
  name: 'list_payments',
  effect: 'read',
  description: 'Your payments, newest first, refused ones too. Look here before paying again.',
  input: z.strictObject({
    instrument_id: id().optional(),
    status: z.enum(STATUSES).optional(),
    task_id: text(100).optional(),
    since: text(40).optional().describe('RFC 3339'),
    limit: z.int().min(1).max(LIMIT_MAX).optional(),
    cursor: id().optional().describe('next_cursor of the page before'),
  }),
  output: PAYMENTS,
  handle: async ({ deps }, args) => {
    const { payments, ...rest } = await listPayments(deps.bursar, deps.caller, args)
    // Instruments are check_budget's, and receipts get_payment's: a page of them would fill a model's context.
    return jsonAnswer({
      payments: payments.map(({ instrument, receipt, ...payment }) => ({
        ...payment,
        ...(instrument && { instrument_id: instrument.instrument_id }),
      })),
      ...rest,
    })
  },
})
