import type { Call } from './deps.ts'
import { withProgress } from './progress.ts'

/** The most that a tool waits for a change, in seconds: well below what hosts allow a call. */
export const WAIT_SECONDS_MAX = 25

const OPEN = new Set(['pending', 'awaiting_approval', 'authorized', 'in_doubt'])

interface Subject {
  readonly status: string
  readonly resource?: { readonly http_status: number | null }
}

/**
 * Reads a request or payment, and again until it is decided or the time is up. A change by another process is seen
 * within `pollMs`, one by this process at once. Ends early when the call is cancelled or the connection ends.
 */
export async function awaited<View extends Subject>(
  call: Call,
  subjectId: string,
  seconds: number,
  read: () => Promise<View>,
): Promise<View> {
  const first = await read()
  const isOver = ({ status, resource }: View): boolean => {
    if (!OPEN.has(status)) return true
    // What is bought on the web is not settled by waiting where it may be bought now: its agent has to fetch it.
    if (status === 'authorized') return resource?.http_status === null
    return status !== first.status
  }
  if (seconds === 0 || isOver(first)) return first
  return withProgress(call, 'Waiting for a decision.', () => polled(call, subjectId, seconds, read, isOver))
}

async function polled<View>(
  call: Call,
  subjectId: string,
  seconds: number,
  read: () => Promise<View>,
  isOver: (view: View) => boolean,
): Promise<View> {
  const gone = AbortSignal.any([call.ctx.mcpReq.signal, call.closing])
  const end = performance.now() + seconds * 1000
  let wake = (): void => undefined
  const stop = call.deps.changes((changed) => changed.subjectId === subjectId && wake())
  gone.addEventListener('abort', () => wake(), { once: true })
  try {
    for (;;) {
      const view = await read()
      const left = end - performance.now()
      if (isOver(view) || left <= 0 || gone.aborted) return view
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, call.timing.pollMs))
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  } finally {
    stop()
  }
}
