import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Data } from '../data.ts'
import { inbox } from '../state.ts'

let first = true

interface PageProps {
  readonly title: string
  /** Beside the title: what can be done here. */
  readonly actions?: ComponentChildren
  readonly children: ComponentChildren
}

/** A page: its heading takes the focus when the owner comes here, so that a screen reader begins with it. */
export function Page({ title, actions, children }: PageProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    if (first) first = false
    else heading.current?.focus()
  }, [])
  const waiting = inbox.value?.length ?? 0
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${title} · bursar`
  }, [title, waiting])
  return (
    <>
      <div class="heading">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      {children}
    </>
  )
}

/** What was read, or that it is being read, or why it cannot be. */
export function Read<Value>({
  data,
  children,
}: {
  data: Data<Value>
  children: (value: Value) => ComponentChildren
}): JSX.Element {
  if (data.value === null && data.failed === null) return <p aria-busy="true">Reading…</p>
  return (
    <>
      {data.failed !== null && (
        <p class="notice bad" role="alert">
          {data.failed}{' '}
          <button type="button" class="link" onClick={data.reload}>
            Try again
          </button>
        </p>
      )}
      {data.value !== null && children(data.value)}
    </>
  )
}
