import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { read, send } from '../api.ts'
import { useData } from '../data.ts'
import { typed } from '../money.ts'
import { Badge, Facts, Id, Mode, Money, type Row } from '../parts/bits.tsx'
import { confirmed } from '../parts/confirm.tsx'
import { FormDialog, field } from '../parts/dialog.tsx'
import { Page, Read } from '../parts/page.tsx'
import { refresh, say, sayError } from '../state.ts'
import type { WalletView } from '../types.ts'
import { LimitsSection } from './limits.tsx'
import { PolicySection } from './policy.tsx'
import { SpendingSection } from './spending.tsx'

export function WalletPage({ id }: { id: string }): JSX.Element {
  const data = useData(id, () => read<WalletView>(`/wallets/${encodeURIComponent(id)}`))
  const wallet = data.value
  return (
    <Page title={wallet ? `Wallet ${wallet.name}` : 'Wallet'} actions={wallet && <Actions wallet={wallet} />}>
      <Read data={data}>
        {(found) => (
          <>
            <Summary wallet={found} />
            <SpendingSection wallet={found} />
            <LimitsSection wallet={found} />
            <PolicySection wallet={found} />
          </>
        )}
      </Read>
    </Page>
  )
}

function Summary({ wallet }: { wallet: WalletView }): JSX.Element {
  const { currency, relayer } = wallet
  const rows: Row[] = [
    ['Available', <Money key="a" amount={wallet.available_amount} currency={currency} />],
    ['Held', <Money key="h" amount={wallet.held_amount} currency={currency} />],
    ['Status', <Badge key="s" status={wallet.status} />],
    ['Time zone', wallet.time_zone],
    ...(wallet.account === undefined ? [] : [['Deposits go to', <Id key="c" id={wallet.account} />] as const]),
    ...(wallet.asset === undefined ? [] : [['Token', <Id key="t" id={wallet.asset} />] as const]),
    ...(relayer
      ? [['Fees today', `${relayer.spent_today} of ${relayer.daily_max}, paid by ${relayer.relayer}`] as const]
      : []),
    ...(wallet.allows?.length ? [['Purchases may also', wallet.allows.join(', ')] as const] : []),
    ['Id', <Id key="i" id={wallet.wallet_id} />],
  ]
  return (
    <section class="summary">
      <Mode mode={wallet.mode} />
      <Facts rows={rows} />
    </section>
  )
}

function Actions({ wallet }: { wallet: WalletView }): JSX.Element {
  const [funding, setFunding] = useState(false)
  const { wallet_id } = wallet
  const frozen = wallet.status === 'frozen'
  const freeze = (): void => {
    send('/reduce', { act: 'wallet.freeze', args: { wallet_id } }).then(() => {
      refresh()
      say(`${wallet.name} is frozen.`)
    }, sayError)
  }
  const unfreeze = (): void => {
    void confirmed({
      title: `Unfreeze ${wallet.name}`,
      act: 'wallet.unfreeze',
      args: { wallet_id },
      names: { [wallet_id]: wallet.name },
    })
  }
  return (
    <>
      {wallet.asset === undefined && (
        <button type="button" class="secondary outline" onClick={() => setFunding(true)}>
          Fund…
        </button>
      )}
      <button
        type="button"
        class={frozen ? 'secondary outline' : 'danger outline'}
        onClick={frozen ? unfreeze : freeze}
      >
        {frozen ? 'Unfreeze…' : 'Freeze'}
      </button>
      {funding && <FundDialog wallet={wallet} onClose={() => setFunding(false)} />}
    </>
  )
}

function FundDialog({ wallet, onClose }: { wallet: WalletView; onClose(): void }): JSX.Element {
  const { wallet_id, name, currency } = wallet
  return (
    <FormDialog
      title={`Fund ${name}`}
      submit="Continue"
      onClose={onClose}
      onSubmit={async (form) => {
        const amount = typed(field(form, 'amount') ?? '', wallet.available_amount)
        onClose()
        const args = { wallet_id, amount }
        const done = await confirmed({
          title: `Fund ${name}: ${amount} ${currency}`,
          act: 'wallet.fund',
          args,
          names: { [wallet_id]: name },
        })
        if (done !== null) say(`${amount} ${currency} came in.`)
        return 'next'
      }}
    >
      <label>
        Amount, {currency}
        <input name="amount" inputMode="decimal" required autocomplete="off" />
      </label>
      {wallet.mode === 'sandbox' && <p class="sub">Sandbox money: it is made up here.</p>}
    </FormDialog>
  )
}
