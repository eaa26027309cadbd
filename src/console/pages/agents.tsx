import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Badge, When } from '../parts/bits.tsx'
import { confirmed } from '../parts/confirm.tsx'
import { Dialog, FormDialog, field } from '../parts/dialog.tsx'
import { Page } from '../parts/page.tsx'
import { Paged } from '../parts/pages.tsx'
import { Link } from '../router.tsx'
import { say } from '../state.ts'
import type { AgentView } from '../types.ts'

export interface NewKey {
  readonly agent_id: string
  readonly name: string
  readonly key: string
}

/** A key that was made just now. It is on the screen until the owner has kept it, and nowhere else. */
export const newKey = signal<NewKey | null>(null)

export function AgentsPage(): JSX.Element {
  const [adding, setAdding] = useState(false)
  const add = (
    <button type="button" class="secondary outline" onClick={() => setAdding(true)}>
      Add an agent…
    </button>
  )
  return (
    <Page title="Agents" actions={add}>
      <Paged<AgentView> path="/agents" name="agents" empty="There is no agent.">
        {(agent) => (
          <li key={agent.agent_id}>
            <Link to={`/agents/${agent.agent_id}`} class="row">
              <strong>{agent.name}</strong>
              <span class="sub">
                <Badge status={agent.status} /> {agent.has_key ? 'has a key' : 'local, without a key'} · since{' '}
                <When at={agent.created_at} />
              </span>
            </Link>
          </li>
        )}
      </Paged>
      {adding && <AddDialog onClose={() => setAdding(false)} />}
    </Page>
  )
}

const SCOPES = [
  ['bursar:read', 'see its own budget and payments'],
  ['bursar:request', 'ask for instruments'],
  ['bursar:pay', 'pay with them'],
] as const

function AddDialog({ onClose }: { onClose(): void }): JSX.Element {
  const submit = async (form: FormData): Promise<'next'> => {
    const expires = field(form, 'expires_in')
    const scopes = form.getAll('scope').map(String)
    if (scopes.length === 0) throw new Error('An agent that may do nothing is of no use: choose something.')
    const args = { name: field(form, 'name'), scopes, ...(expires !== undefined && { expires_in: expires }) }
    onClose()
    newKey.value = await confirmed<NewKey>({ title: `Add the agent ${args.name}`, act: 'agent.add', args })
    return 'next'
  }
  return (
    <FormDialog title="Add an agent" submit="Continue" onClose={onClose} onSubmit={submit}>
      <label>
        Name (a-z, 0-9, dot, dash, underscore)
        <input name="name" required pattern="[a-z0-9][a-z0-9._\-]{0,62}" maxLength={63} autocomplete="off" />
      </label>
      <fieldset>
        <legend>It may</legend>
        {SCOPES.map(([scope, meaning]) => (
          <label key={scope}>
            <input type="checkbox" name="scope" value={scope} defaultChecked /> {meaning}
          </label>
        ))}
      </fieldset>
      <label>
        Its key ends after (such as 30d; empty: when you revoke it)
        <input name="expires_in" autocomplete="off" />
      </label>
      <p class="sub">No agent can ever approve.</p>
    </FormDialog>
  )
}

/** Shows a new key, once. */
export function NewKeyDialog(): JSX.Element | null {
  const made = newKey.value
  if (made === null) return null
  const close = (): void => {
    newKey.value = null
  }
  const copy = (): void => {
    navigator.clipboard.writeText(made.key).then(
      () => say('Copied.'),
      () => say('The browser did not allow it: mark the key and copy it.', true),
    )
  }
  return (
    <Dialog title={`The key of ${made.name}`} onClose={close}>
      <p>
        This is shown once. Give it to the agent's host as <code>BURSAR_AGENT_KEY</code>, and keep it nowhere else.
      </p>
      <p>
        <code class="id key">{made.key}</code>
      </p>
      <footer>
        <button type="button" class="secondary outline" onClick={copy}>
          Copy
        </button>
        <button type="button" onClick={close}>
          I have kept it
        </button>
      </footer>
    </Dialog>
  )
}
