import * as z from 'zod'
import { getPayment } from '../../actions/agent/read.ts'
import { paymentAnswer } from '../answers.ts'
import { id, PAYMENT } from '../shapes.ts'
import { tool } from '../tool.ts'
import { awaited, WAIT_SECONDS_MAX } from '../wait.ts'

export default tool({
  name: 'get_payment',
  effect: 'read',
  description: 'One payment. wait_seconds waits while it is awaiting approval, authorized or in doubt.',
  input: z.strictObject({ payment_id: id(), wait_seconds: z.int().min(0).max(WAIT_SECONDS_MAX).optional() }),
  output: PAYMENT,
  handle: async (call, { payment_id, wait_seconds = 0 }) => {
    const { bursar, caller } = call.deps
    return paymentAnswer(await awaited(call, payment_id, wait_seconds, () => getPayment(bursar, caller, payment_id)))
  },
})
