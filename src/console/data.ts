import { useEffect, useState } from 'preact/hooks'
import { sentence } from './api.ts'
import { version } from './state.ts'

export interface Data<Value> {
  /** Null until it was read once. Stays while it is read again. */
  readonly value: Value | null
  /** Why it could not be read, as a sentence. */
  readonly failed: string | null
  reload(): void
}

/** What the server says now, and again whenever something changes there. `key` says what is read: another key reads anew. */
export function useData<Value>(key: string, load: () => Promise<Value>): Data<Value> {
  const [held, setHeld] = useState<{ key: string; value: Value | null; failed: string | null }>({
    key,
    value: null,
    failed: null,
  })
  const [turn, setTurn] = useState(0)
  const changed = version.value
  // `load` is another function each time; `key`, `turn` and `changed` say when.
  useEffect(() => {
    let over = false
    load().then(
      (value) => over || setHeld({ key, value, failed: null }),
      (error) =>
        over || setHeld((old) => ({ key, value: old.key === key ? old.value : null, failed: sentence(error) })),
    )
    return () => {
      over = true
    }
  }, [key, turn, changed])
  const current = held.key === key
  return {
    value: current ? held.value : null,
    failed: current ? held.failed : null,
    reload: () => setTurn((n) => n + 1),
  }
}
