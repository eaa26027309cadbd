import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { sentence } from '../api.ts'
import type { Asked } from '../passkey.ts'
import { askAct, confirm } from '../passkey.ts'
import { refresh, session } from '../state.ts'
import { Facts, type Row, titled } from './bits.tsx'
import { Dialog, Failed, useBusy } from './dialog.tsx'

interface Act {
  /** What it does, for a person: `Raise the limit of “household”`. */
  readonly title: string
  readonly act: string
  readonly args: object
  /** What the ids among the arguments stand for. */
  readonly names?: Readonly<Record<string, string>>
}

interface Pending extends Act {
  done(result: unknown): void
}

const pending = signal<Pending | null>(null)

/**
 * Asks the owner to confirm an act with the passkey. Every argument that is signed is shown.
 *
 * @returns the act's result; null when the owner called it off
 */
export function confirmed<Result>(act: Act): Promise<Result | null> {
  return new Promise((resolve) => {
    pending.value = {
      ...act,
      done: (result) => {
        pending.value = null
        resolve(result as Result | null)
      },
    }
  })
}

/** The one dialog of {@link confirmed}. */
export function ConfirmDialog(): JSX.Element | null {
  const act = pending.value
  return act === null ? null : <Confirming key={act.title} {...act} />
}

function Confirming({ title, act, args, names = {}, done }: Pending): JSX.Element {
  const owner = session.value?.owner?.owner_id ?? ''
  const [asked, setAsked] = useState<Asked | null>(null)
  const [refused, setRefused] = useState<string | null>(null)
  const { busy, failed, run } = useBusy()
  // Once for each act; another one has another dialog.
  useEffect(() => {
    askAct(act, args, owner).then(setAsked, (error) => setRefused(sentence(error)))
  }, [])
  const sign = (): void =>
    run(async () => {
      if (asked === null) return
      const result = await confirm<unknown>(asked, act, args, owner)
      refresh()
      done(result)
    })
  return (
    <Dialog title={title} onClose={() => done(null)}>
      <p>Your passkey signs exactly this:</p>
      <Facts rows={[['Act', titled(act.replace('.', ': '))], ...rowsOf(args, names)]} />
      <Failed why={refused ?? failed} />
      <footer>
        <button type="button" class="secondary outline" onClick={() => done(null)}>
          Cancel
        </button>
        <button type="button" onClick={sign} disabled={asked === null || busy} aria-busy={busy}>
          Confirm with passkey
        </button>
      </footer>
    </Dialog>
  )
}

function rowsOf(args: object, names: Readonly<Record<string, string>>): Row[] {
  return Object.entries(args).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const known = names[text]
    return [titled(name.replace(/_id$/, '')), known === undefined ? text : `${known} (${text})`]
  })
}
