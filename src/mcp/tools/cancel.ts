import * as z from 'zod'
import { cancel } from '../../actions/agent/cancel.ts'
import { answer } from '../answers.ts'
import { CANCELED, id } from '../shapes.ts'
import { tool } from '../tool.ts'

export default tool({
  name: 'cancel',
  effect: 'reduce',
  description: 'Take back a pending request or waiting payment, or return an instrument for good. Undoes no payment.',
  input: z.strictObject({ id: id().describe('req_…, pay_… or inst_…') }),
  output: CANCELED,
  handle: async ({ deps }, args) => {
    const view = await cancel(deps.bursar, deps.caller, args.id)
    const back = view.given_back
    const gave = back === null ? '' : `Given back: ${back.amount} ${back.currency}.`
    return answer(view, [`${view.id} is ${view.status}.`, gave], false)
  },
})
