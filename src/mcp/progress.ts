import type { Call } from './deps.ts'

/**
 * Tells the client that the call is being worked on, at once and then at intervals, if it asked to be told: hosts give
 * up calls that stay silent.
 */
export async function withProgress<T>(call: Call, message: string, work: () => Promise<T>): Promise<T> {
  const progressToken = call.ctx.mcpReq._meta?.progressToken
  if (progressToken === undefined) return work()
  let progress = 0
  const beat = (): void => {
    if (call.ctx.mcpReq.signal.aborted) return
    const params = { progressToken, progress: progress++, message }
    // A client that has gone away is noticed by the transport; the work goes on without it.
    call.ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined)
  }
  beat()
  const timer = setInterval(beat, call.timing.heartbeatMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
