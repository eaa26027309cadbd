/** Gives work a signal that fires after so many milliseconds, with `reason`. The work listens to it at every wait. */
export async function within<T>(
  milliseconds: number,
  reason: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController()
  const timer = setTimeout(() => ending.abort(reason()), milliseconds)
  try {
    return await work(ending.signal)
  } finally {
    clearTimeout(timer)
  }
}

/** The promise, or a throw of the signal's reason, whichever comes first. */
export function until<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

/** Runs work when there is a place. @throws the signal's reason where that comes first */
export type Gate = <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>

/** Lets so many pieces of work run at a time. The others wait for their turn, in the order in which they came. */
export function gateOf(most: number): Gate {
  const waiting = new Set<() => void>()
  let running = 0

  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      waiting.add(resolve)
      signal.addEventListener('abort', () => {
        waiting.delete(resolve)
        reject(signal.reason)
      })
    })
  }

  return async (signal, work) => {
    signal.throwIfAborted()
    if (running < most) running += 1
    else await turn(signal)
    try {
      signal.throwIfAborted()
      return await work()
    } finally {
      // Whose turn it is takes the place over, so that nobody comes between.
      const [next] = waiting
      if (next === undefined) running -= 1
      else {
        waiting.delete(next)
        next()
      }
    }
  }
}

/** As {@link gateOf}, one for each name. @throws as that */
export function gatesOf(most: number): <T>(name: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T> {
  const gates = new Map<string, { readonly gate: Gate; inside: number }>()
  return async (name, signal, work) => {
    const own = gates.get(name) ?? { gate: gateOf(most), inside: 0 }
    gates.set(name, own)
    own.inside += 1
    try {
      return await own.gate(signal, work)
    } finally {
      own.inside -= 1
      if (own.inside === 0) gates.delete(name)
    }
  }
}
