import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { read, send } from '../api.ts'
import { useData } from '../data.ts'
import { Badge, Facts, Id, type Row, When } from '../parts/bits.tsx'
import { confirmed } from '../parts/confirm.tsx'
import { FormDialog, field } from '../parts/dialog.tsx'
import { Page, Read } from '../parts/page.tsx'
import { Paged } from '../parts/pages.tsx'
import { refresh, say, sayError } from '../state.ts'
import type { AgentView, CredentialView, PaymentView } from '../types.ts'
import { type NewKey, newKey } from './agents.tsx'
import { PaymentRow } from './payments.tsx'

export function AgentPage({ id }: { id: string }): JSX.Element {
  const data = useData('agents', () => read<{ agents: readonly AgentView[] }>('/agents?limit=200'))
  const agent = data.value?.agents.find((one) => one.agent_id === id)
  const path = encodeURIComponent(id)
  return (
    <Page
      title={agent ? `Agent ${agent.name}` : 'Agent'}
      actions={agent?.status === 'active' && <Actions agent={agent} />}
    >
      <Read data={data}>
        {() =>
          agent === undefined ? (
            <p>There is no such agent.</p>
          ) : (
            <Facts
              rows={[
                ['Status', <Badge key="s" status={agent.status} />],
                ['Since', <When key="w" at={agent.created_at} />],
                ['Id', <Id key="i" id={id} />],
              ]}
            />
          )
        }
      </Read>
      <section>
        <h2>Credentials</h2>
        <Paged<CredentialView>
          path={`/agents/${path}/credentials`}
          name="credentials"
          empty="It has none: it is the local agent of an embedded bursar."
        >
          {(credential) => <Credential key={credential.credential_id} credential={credential} />}
        </Paged>
      </section>
      <section>
        <h2>Payments</h2>
        <Paged<PaymentView> path={`/payments?agent_id=${path}&limit=20`} name="payments" empty="It has not paid yet.">
          {(payment) => <PaymentRow key={payment.payment_id} payment={payment} />}
        </Paged>
      </section>
    </Page>
  )
}

function Credential({ credential }: { credential: CredentialView }): JSX.Element {
  const { credential_id, parent_id, scopes, instruments, max_amount, currency, label, expires_at, status } = credential
  const rows: Row[] = [
    ['May', scopes.join(', ')],
    ...(parent_id === null ? [] : [['Minted by', <Id key="p" id={parent_id} />] as const]),
    ...(instruments === null ? [] : [['Only with', instruments.join(', ')] as const]),
    ...(max_amount === null ? [] : [['At most', `${max_amount} ${currency}`] as const]),
    ['Until', expires_at === null ? 'revoked' : <When key="e" at={expires_at} />],
    ['Id', <Id key="i" id={credential_id} />],
  ]
  const revoke = (): void => {
    send('/reduce', { act: 'credential.revoke', args: { credential_id } }).then(() => {
      refresh()
      say('The credential is over.')
    }, sayError)
  }
  return (
    <li class="block">
      <div class="heading">
        <strong>{label === null ? 'Key' : JSON.stringify(label)}</strong>
        <Badge status={status} />
      </div>
      <Facts rows={rows} />
      {status === 'active' && (
        <button type="button" class="danger outline" onClick={revoke}>
          Revoke
        </button>
      )}
    </li>
  )
}

function Actions({ agent }: { agent: AgentView }): JSX.Element {
  const [open, setOpen] = useState<'rotate' | 'revoke' | null>(null)
  const close = (): void => setOpen(null)
  const { agent_id, name } = agent
  const rotate = async (form: FormData): Promise<'next'> => {
    const overlap = field(form, 'overlap')
    const args = { agent_id, ...(overlap !== undefined && { overlap }) }
    close()
    newKey.value = await confirmed<NewKey>({
      title: `A new key for ${name}`,
      act: 'agent.rotate',
      args,
      names: { [agent_id]: name },
    })
    return 'next'
  }
  const revoke = async (): Promise<void> => {
    await send('/reduce', { act: 'agent.revoke', args: { agent_id } })
    refresh()
    say(`${name} is revoked.`)
  }
  return (
    <>
      <button type="button" class="secondary outline" onClick={() => setOpen('rotate')}>
        New key…
      </button>
      <button type="button" class="danger outline" onClick={() => setOpen('revoke')}>
        Revoke…
      </button>
      {open === 'rotate' && (
        <FormDialog title={`A new key for ${name}`} submit="Continue" onClose={close} onSubmit={rotate}>
          <label>
            The old key stays good for (such as 12h; empty: it ends at once)
            <input name="overlap" autocomplete="off" />
          </label>
        </FormDialog>
      )}
      {open === 'revoke' && (
        <FormDialog title={`Revoke ${name}`} submit="Revoke" danger onClose={close} onSubmit={revoke}>
          <p>Its keys and sessions end at once and for good, and what it asks for is over.</p>
        </FormDialog>
      )}
    </>
  )
}
