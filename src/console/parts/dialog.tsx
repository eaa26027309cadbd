import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { sentence } from '../api.ts'

/** Where it was, or the page's heading where that is gone; and not from under a dialog that came next. */
function giveBack(opener: Element | null): void {
  if (document.querySelector('dialog[open]')) return
  const target = opener instanceof HTMLElement && opener.isConnected ? opener : document.querySelector('h1')
  target?.focus()
}

interface DialogProps {
  readonly title: string
  onClose(): void
  readonly children: ComponentChildren
}

/** The browser's own modal dialog: it keeps the focus inside, gives it back, and closes with Escape. */
export function Dialog({ title, onClose, children }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const opener = document.activeElement
    dialog.current?.showModal()
    return () => setTimeout(() => giveBack(opener))
  }, [])
  // It is closed by being taken away, and not before: whoever opens it again at once gets a new one.
  const cancel = (event: Event): void => {
    event.preventDefault()
    onClose()
  }
  return (
    <dialog ref={dialog} aria-labelledby={id} onCancel={cancel} onClose={onClose}>
      <article>
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="shut" aria-label="Close" onClick={onClose} />
        </header>
        {children}
      </article>
    </dialog>
  )
}

export interface Busy {
  readonly busy: boolean
  readonly failed: string | null
  run(act: () => Promise<void>): void
}

/** One act at a time, with what went wrong as a sentence. */
export function useBusy(): Busy {
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<string | null>(null)
  const run = (act: () => Promise<void>): void => {
    if (busy) return
    setBusy(true)
    setFailed(null)
    act()
      .catch((error) => setFailed(sentence(error)))
      .finally(() => setBusy(false))
  }
  return { busy, failed, run }
}

export function Failed({ why }: { why: string | null }): JSX.Element | null {
  return why === null ? null : (
    <p class="notice bad" role="alert">
      {why}
    </p>
  )
}

interface FormProps {
  readonly title: string
  readonly submit: string
  readonly danger?: boolean
  onClose(): void
  /** Resolves when it is done, and the dialog closes; `next`: another has taken its place. */
  onSubmit(form: FormData): Promise<unknown>
  readonly children: ComponentChildren
}

/** A dialog with a form. */
export function FormDialog({ title, submit, danger, onClose, onSubmit, children }: FormProps): JSX.Element {
  const { busy, failed, run } = useBusy()
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    run(async () => {
      if ((await onSubmit(form)) !== 'next') onClose()
    })
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submitted}>
        {children}
        <Failed why={failed} />
        <footer>
          <button type="button" class="secondary outline" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={danger ? 'danger' : ''} aria-busy={busy} disabled={busy}>
            {submit}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}

/** A field of a form as text; empty is absent. */
export function field(form: FormData, name: string): string | undefined {
  const value = form.get(name)
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}
