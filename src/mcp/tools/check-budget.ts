import * as z from 'zod'
import { checkBudget } from '../../actions/agent/read.ts'
import { jsonAnswer } from '../answers.ts'
import { BUDGET, id } from '../shapes.ts'
import { tool } from '../tool.ts'

export default tool({
  name: 'check_budget',
  effect: 'read',
  description: 'What you can still spend: wallets with what is left under each limit, and your instruments.',
  input: z.strictObject({ instrument_id: id().optional() }),
  output: BUDGET,
  handle: async ({ deps }, { instrument_id }) => jsonAnswer(await checkBudget(deps.bursar, deps.caller, instrument_id)),
})
