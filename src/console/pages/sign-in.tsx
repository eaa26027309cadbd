import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Failed, field, useBusy } from '../parts/dialog.tsx'
import { Page } from '../parts/page.tsx'
import { enrol, signIn } from '../passkey.ts'
import { enter, session } from '../state.ts'

/** Who is not signed in sees this, wherever the address leads. */
export function SignInPage(): JSX.Element {
  const [enrolling, setEnrolling] = useState(session.value?.needs_enrolment ?? false)
  return (
    <div class="narrow">
      {enrolling ? <Enrol /> : <SignIn />}
      <p>
        <button type="button" class="link" onClick={() => setEnrolling(!enrolling)}>
          {enrolling ? 'I have a passkey: sign in' : 'I have a one-time code'}
        </button>
      </p>
    </div>
  )
}

function SignIn(): JSX.Element {
  const { busy, failed, run } = useBusy()
  return (
    <Page title="Sign in">
      <p>This console is for the owner: here agents' asks are answered.</p>
      <Failed why={failed} />
      <button
        type="button"
        class="wide"
        disabled={busy}
        aria-busy={busy}
        onClick={() => run(async () => enter(await signIn()))}
      >
        Sign in with a passkey
      </button>
    </Page>
  )
}

function Enrol(): JSX.Element {
  const { busy, failed, run } = useBusy()
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    run(async () => enter(await enrol(field(form, 'code') ?? '', field(form, 'name') ?? '')))
  }
  return (
    <Page title="Make a passkey">
      <p>
        Run <code>bursar passkey invite</code> on the server. It shows a code that is good for ten minutes, once.
      </p>
      <form onSubmit={submitted}>
        <label>
          The one-time code
          <input
            name="code"
            required
            autocomplete="one-time-code"
            autocapitalize="characters"
            spellcheck={false}
            maxLength={40}
          />
        </label>
        <label>
          A name for this passkey, such as the device's
          <input name="name" required maxLength={60} autocomplete="off" />
        </label>
        <Failed why={failed} />
        <button type="submit" class="wide" disabled={busy} aria-busy={busy}>
          Make a passkey
        </button>
      </form>
    </Page>
  )
}
