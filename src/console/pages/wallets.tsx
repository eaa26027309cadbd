import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { read } from '../api.ts'
import { useData } from '../data.ts'
import { Badge, Empty, Mode, Money } from '../parts/bits.tsx'
import { confirmed } from '../parts/confirm.tsx'
import { FormDialog, field } from '../parts/dialog.tsx'
import { Page, Read } from '../parts/page.tsx'
import { go, Link } from '../router.tsx'
import type { WalletView } from '../types.ts'

export function WalletsPage(): JSX.Element {
  const data = useData('wallets', () => read<{ wallets: readonly WalletView[] }>('/wallets'))
  const [adding, setAdding] = useState(false)
  const add = (
    <button type="button" class="secondary outline" onClick={() => setAdding(true)}>
      New wallet…
    </button>
  )
  return (
    <Page title="Wallets" actions={add}>
      <Read data={data}>
        {({ wallets }) =>
          wallets.length === 0 ? (
            <Empty>There is no wallet.</Empty>
          ) : (
            <ul class="rows">
              {wallets.map((wallet) => (
                <li key={wallet.wallet_id}>
                  <Link to={`/wallets/${wallet.wallet_id}`} class="row">
                    <strong>{wallet.name}</strong>
                    <span class="push">
                      <Money amount={wallet.available_amount} currency={wallet.currency} />
                    </span>
                    <span class="sub">
                      <Badge status={wallet.status} /> <Mode mode={wallet.mode} />
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Read>
      {adding && <NewWallet onClose={() => setAdding(false)} />}
    </Page>
  )
}

function NewWallet({ onClose }: { onClose(): void }): JSX.Element {
  return (
    <FormDialog
      title="New wallet"
      submit="Continue"
      onClose={onClose}
      onSubmit={async (form) => {
        const [name, currency, mode, zone] = ['name', 'currency', 'mode', 'time_zone'].map((one) => field(form, one))
        const args = { name, currency, mode, ...(zone !== undefined && { time_zone: zone }) }
        onClose()
        const wallet = await confirmed<WalletView>({ title: `New wallet ${name}`, act: 'wallet.create', args })
        if (wallet) go(`/wallets/${wallet.wallet_id}`)
        return 'next'
      }}
    >
      <label>
        Name
        <input name="name" required maxLength={60} autocomplete="off" />
      </label>
      <label>
        Currency (ISO 4217)
        <input name="currency" required pattern="[A-Z]{3}" maxLength={3} defaultValue="USD" autocomplete="off" />
      </label>
      <label>
        Money
        <select name="mode">
          <option value="sandbox">sandbox: not real money</option>
          <option value="live">live</option>
        </select>
      </label>
      <label>
        Time zone (IANA), in which its days and months begin
        <input name="time_zone" defaultValue={Intl.DateTimeFormat().resolvedOptions().timeZone} autocomplete="off" />
      </label>
      <p class="sub">
        It begins with the default limits. A wallet in USDC is made at the command line, where its account's key is.
      </p>
    </FormDialog>
  )
}
