import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { ASSURANCES } from '../../core/types/wallet.ts'
import { typed } from '../money.ts'
import { confirmed } from '../parts/confirm.tsx'
import { FormDialog, field } from '../parts/dialog.tsx'
import { say } from '../state.ts'
import type { WalletView } from '../types.ts'

type Tiers = NonNullable<WalletView['approvals']>
type Tier = Tiers[number] & { readonly owners?: 2 }

const MEANING: Readonly<Record<string, string>> = {
  none: 'anybody',
  host: 'a yes in the agent’s host, which a program could give',
  operator: 'the owner’s passphrase at the command line, or a passkey',
  passkey: 'a passkey here',
}

/** How sure bursar must be that a human said yes, by amount. */
export function PolicySection({ wallet }: { wallet: WalletView }): JSX.Element {
  const [editing, setEditing] = useState(false)
  const tiers = (wallet.approvals ?? []) as readonly Tier[]
  return (
    <section>
      <div class="heading">
        <h2>Who may approve</h2>
        <button type="button" class="secondary outline" onClick={() => setEditing(true)}>
          Change…
        </button>
      </div>
      <ul>
        {tiers.map(({ up_to, assurance, owners }) => (
          <li key={up_to ?? 'any'}>
            {up_to === null ? 'Any amount' : `Up to ${up_to} ${wallet.currency}`}
            {tiers.length > 1 && up_to === null && ' above'}:{' '}
            <strong>{owners === 2 ? `two owners, ${assurance}` : assurance}</strong> ({MEANING[assurance] ?? assurance})
          </li>
        ))}
      </ul>
      {editing && <PolicyDialog wallet={wallet} tiers={tiers} onClose={() => setEditing(false)} />}
    </section>
  )
}

interface PolicyProps {
  readonly wallet: WalletView
  readonly tiers: readonly Tier[]
  onClose(): void
}

/** At most two steps, which is what most people want; the command line takes any number. */
function PolicyDialog({ wallet, tiers, onClose }: PolicyProps): JSX.Element {
  const { wallet_id, name, currency, available_amount: like } = wallet
  const [low, high] = tiers.length > 1 ? [tiers[0], tiers.at(-1)] : [undefined, tiers[0]]
  const submit = async (form: FormData): Promise<'next'> => {
    const upTo = field(form, 'up_to')
    const two = { ...(field(form, 'owners') === '2' && { owners: 2 }) }
    const approvals = [
      ...(upTo === undefined ? [] : [{ up_to: typed(upTo, like), assurance: field(form, 'low') }]),
      { up_to: null, assurance: field(form, 'high'), ...two },
    ]
    onClose()
    const args = { wallet_id, approvals }
    const done = await confirmed({
      title: `Who may approve for ${name}`,
      act: 'wallet.approvals',
      args,
      names: { [wallet_id]: name },
    })
    if (done !== null) say('Changed.')
    return 'next'
  }
  return (
    <FormDialog title={`Who may approve for ${name}`} submit="Continue" onClose={onClose} onSubmit={submit}>
      {tiers.length > 2 && <p class="notice">This wallet has {tiers.length} steps. Saving here leaves two.</p>}
      <label>
        Small amounts are up to, {currency} (empty: there are none)
        <input name="up_to" inputMode="decimal" autocomplete="off" defaultValue={low?.up_to ?? ''} />
      </label>
      <Assurances label="Small amounts need" name="low" chosen={low?.assurance ?? 'host'} />
      <Assurances label="All others need" name="high" chosen={high?.assurance ?? 'passkey'} />
      <label>
        <input type="checkbox" name="owners" value="2" defaultChecked={high?.owners === 2} /> of two different owners
      </label>
    </FormDialog>
  )
}

function Assurances({ label, name, chosen }: { label: string; name: string; chosen: string }): JSX.Element {
  return (
    <label>
      {label}
      <select name={name}>
        {ASSURANCES.filter((one) => one !== 'none').map((one) => (
          <option key={one} value={one} selected={one === chosen}>
            {one}: {MEANING[one]}
          </option>
        ))}
      </select>
    </label>
  )
}
