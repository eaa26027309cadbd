import * as z from 'zod'
import { getRequest } from '../../actions/agent/read.ts'
import { requestAnswer } from '../answers.ts'
import { id, REQUEST } from '../shapes.ts'
import { tool } from '../tool.ts'
import { awaited, WAIT_SECONDS_MAX } from '../wait.ts'

export default tool({
  name: 'get_request',
  effect: 'read',
  description: 'A request for an instrument, and the instrument once approved. wait_seconds waits for the decision.',
  input: z.strictObject({ request_id: id(), wait_seconds: z.int().min(0).max(WAIT_SECONDS_MAX).optional() }),
  output: REQUEST,
  handle: async (call, { request_id, wait_seconds = 0 }) => {
    const { bursar, caller } = call.deps
    return requestAnswer(await awaited(call, request_id, wait_seconds, () => getRequest(bursar, caller, request_id)))
  },
})
