import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import { send } from '../api.ts'
import { Facts, Id, until, When, Words } from '../parts/bits.tsx'
import { FormDialog, field } from '../parts/dialog.tsx'
import { decided, refresh, say, session } from '../state.ts'
import { factRows, otherRows, titleOf, warnings } from '../terms.ts'
import type { InboxItem, Narrowing, PaymentView } from '../types.ts'
import { ApproveDialog } from './approve.tsx'
import { NarrowDialog } from './narrow.tsx'

type Open = 'narrow' | 'deny' | 'freeze' | { readonly approve: Narrowing } | null

/** One thing that waits: the facts, then what the agent says of it, then what can be done. */
export function Ask({ item }: { item: InboxItem }): JSX.Element {
  const [open, setOpen] = useState<Open>(null)
  const id = useId()
  const close = (): void => setOpen(null)
  const { question, first_yes: first, kind } = item
  const mine = first !== undefined && first.owner_id === session.value?.owner?.owner_id
  const others = otherRows(item)
  return (
    <article class="ask" aria-labelledby={id}>
      <header>
        <h2 id={id}>{titleOf(item)}</h2>
        <p class="sub">
          {kind === 'request' ? 'Request' : 'Payment'} · answer before <When at={question.expires_at} /> (
          {until(question.expires_at)}), or it is a no
        </p>
      </header>
      {warnings(item).map((text) => (
        <p class="notice bad" role="note" key={text}>
          <strong>Beware.</strong> {text}
        </p>
      ))}
      <FirstYes item={item} />
      <Facts label="What is asked" rows={factRows(item)} />
      {others.length > 0 && <Facts label="What is known besides" rows={others} />}
      <Words whose="The agent's own words. Nobody has checked them:">{question.words}</Words>
      <details class="more">
        <summary>Ids and digest</summary>
        <Facts
          rows={[
            [kind === 'request' ? 'Request' : 'Payment', <Id key="s" id={question.subject_id} />],
            ['Agent', <Id key="a" id={item.agent.agent_id} />],
            ['Digest of the terms', <Id key="d" id={question.digest} />],
            ['Needs', question.needs],
          ]}
        />
      </details>
      <footer class="actions">
        <button type="button" disabled={mine} onClick={() => setOpen({ approve: first?.narrowed ?? {} })}>
          Approve…
        </button>
        {kind === 'request' && !first && (
          <button type="button" class="secondary outline" onClick={() => setOpen('narrow')}>
            Allow less…
          </button>
        )}
        <button type="button" class="secondary outline" onClick={() => setOpen('deny')}>
          Deny…
        </button>
        <button type="button" class="danger outline" onClick={() => setOpen('freeze')}>
          Freeze…
        </button>
      </footer>
      {open === 'narrow' && <NarrowDialog item={item} onClose={close} onNarrowed={(approve) => setOpen({ approve })} />}
      {open === 'deny' && <DenyDialog item={item} onClose={close} />}
      {open === 'freeze' && <FreezeDialog item={item} onClose={close} />}
      {typeof open === 'object' && open !== null && (
        <ApproveDialog item={item} narrowing={open.approve} onClose={close} />
      )}
    </article>
  )
}

function FirstYes({ item: { first_yes: first } }: { item: InboxItem }): JSX.Element | null {
  if (!first) return null
  const mine = first.owner_id === session.value?.owner?.owner_id
  const less = Object.keys(first.narrowed).length > 0
  return (
    <p class="notice" role="note">
      <strong>{mine ? 'You' : first.name}</strong> said yes first, to{' '}
      {less ? 'the less that is shown when you approve' : 'all of it'}. A second owner has to say yes to the same.
    </p>
  )
}

function DenyDialog({ item, onClose }: { item: InboxItem; onClose(): void }): JSX.Element {
  const { subject_id } = item.question
  return (
    <FormDialog
      title={`Deny: ${titleOf(item)}`}
      submit="Deny"
      danger
      onClose={onClose}
      onSubmit={async (form) => {
        const reason = field(form, 'reason')
        await send(`/approvals/${encodeURIComponent(subject_id)}/deny`, { ...(reason !== undefined && { reason }) })
        decided(subject_id)
        say('Denied.')
      }}
    >
      <label>
        Why? The agent is told. You may leave it empty.
        <input name="reason" maxLength={300} autocomplete="off" />
      </label>
    </FormDialog>
  )
}

function FreezeDialog({ item, onClose }: { item: InboxItem; onClose(): void }): JSX.Element {
  const instrument = item.kind === 'payment' ? (item.view as PaymentView).instrument : undefined
  return (
    <FormDialog
      title="Freeze"
      submit="Freeze"
      danger
      onClose={onClose}
      onSubmit={async (form) => {
        const what = field(form, 'what')
        if (what === 'instrument')
          await send('/reduce', { act: 'instrument.freeze', args: { instrument_id: instrument?.instrument_id } })
        else if (what === 'agent')
          await send('/reduce', { act: 'agent.revoke', args: { agent_id: item.agent.agent_id } })
        else await send('/reduce', { act: 'wallet.freeze', args: { wallet_id: item.wallet.wallet_id } })
        refresh()
        say('Done. What waits here can still be denied.')
      }}
    >
      <fieldset>
        <legend>What should stop?</legend>
        {instrument && (
          <label>
            <input type="radio" name="what" value="instrument" /> This instrument:{' '}
            {instrument.display ?? instrument.instrument_id}
          </label>
        )}
        <label>
          <input type="radio" name="what" value="wallet" checked /> The wallet {item.wallet.name}, for all agents
        </label>
        <label>
          <input type="radio" name="what" value="agent" /> The agent {item.agent.name}: its keys end for good
        </label>
      </fieldset>
    </FormDialog>
  )
}
