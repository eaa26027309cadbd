import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { SCOPES, WINDOWS } from '../../core/types/limit.ts'
import { forDrawing, isZero, minus, typed } from '../money.ts'
import { Empty, words } from '../parts/bits.tsx'
import { confirmed } from '../parts/confirm.tsx'
import { FormDialog, field } from '../parts/dialog.tsx'
import { say } from '../state.ts'
import type { LimitView, WalletView } from '../types.ts'

/** The limits of a wallet as bars. Adding, raising and removing one takes the passkey. */
export function LimitsSection({ wallet }: { wallet: WalletView }): JSX.Element {
  const [editing, setEditing] = useState<LimitView | 'new' | null>(null)
  return (
    <section>
      <div class="heading">
        <h2>Limits</h2>
        <button type="button" class="secondary outline" onClick={() => setEditing('new')}>
          Add a limit…
        </button>
      </div>
      {wallet.limits.length === 0 ? (
        <Empty>There are no limits: nothing can be spent.</Empty>
      ) : (
        <ul class="limits">
          {wallet.limits.map((limit) => (
            <Limit key={limit.limit_id} limit={limit} wallet={wallet} onEdit={() => setEditing(limit)} />
          ))}
        </ul>
      )}
      {editing !== null && (
        <LimitDialog wallet={wallet} limit={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />
      )}
    </section>
  )
}

/** `Each payee, in a month` */
function nameOf({ scope, scope_value: value, window }: LimitView): string {
  const whom = scope === 'wallet' ? 'The wallet' : value === null ? `Each ${scope}` : `${words(scope)} ${value}`
  return `${whom}, ${window === 'payment' ? 'in one payment' : window === 'total' ? 'for good' : `in a ${window}`}`
}

function Limit({ limit, wallet, onEdit }: { limit: LimitView; wallet: WalletView; onEdit(): void }): JSX.Element {
  const name = nameOf(limit)
  const remove = (): void => {
    const args = { limit_id: limit.limit_id }
    void confirmed({
      title: `Remove a limit: ${name}`,
      act: 'limit.remove',
      args,
      names: { [limit.limit_id]: name },
    }).then((done) => done !== null && say('The limit is gone.'))
  }
  return (
    <li>
      <div class="heading">
        <strong>{name}</strong>
        <span class={`badge ${limit.over === 'ask' ? 'wait' : ''}`}>over it: {limit.over}</span>
      </div>
      {limit.max_amount !== null && limit.remaining_amount !== null && (
        <Bar
          name={name}
          used={minus(limit.max_amount, limit.remaining_amount)}
          max={limit.max_amount}
          unit={wallet.currency}
          measured={isMeasured(limit)}
        />
      )}
      {limit.max_count !== null && limit.remaining_count !== null && (
        <Bar
          name={`${name}, payments`}
          used={String(limit.max_count - limit.remaining_count)}
          max={String(limit.max_count)}
          unit="payments"
          measured={isMeasured(limit)}
        />
      )}
      <div class="actions">
        <button type="button" class="link" onClick={onEdit}>
          Change…<span class="unseen"> {name}</span>
        </button>
        <button type="button" class="link" onClick={remove}>
          Remove…<span class="unseen"> {name}</span>
        </button>
      </div>
    </li>
  )
}

/** Whether there is one amount that was used: not for a limit on single payments, or one that counts each payee by itself. */
function isMeasured({ scope, scope_value: value, window }: LimitView): boolean {
  return window !== 'payment' && window !== 'session' && (scope === 'wallet' || value !== null)
}

interface BarProps {
  readonly name: string
  readonly used: string
  readonly max: string
  readonly unit: string
  readonly measured: boolean
}

function Bar({ name, used, max, unit, measured }: BarProps): JSX.Element {
  if (!measured)
    return (
      <p class="sub">
        at most{' '}
        <span class="money">
          {max} {unit}
        </span>
      </p>
    )
  return (
    <>
      <progress aria-label={name} value={forDrawing(used)} max={isZero(max) ? 1 : forDrawing(max)} />
      <p class="sub">
        <span class="money">{used}</span> of{' '}
        <span class="money">
          {max} {unit}
        </span>{' '}
        used
      </p>
    </>
  )
}

interface LimitDialogProps {
  readonly wallet: WalletView
  /** The one to change; null: a new one. */
  readonly limit: LimitView | null
  onClose(): void
}

function LimitDialog({ wallet, limit, onClose }: LimitDialogProps): JSX.Element {
  const { wallet_id, name, available_amount: like } = wallet
  const submit = async (form: FormData): Promise<'next'> => {
    const amount = field(form, 'max_amount')
    const count = field(form, 'max_count')
    const value = limit ? (limit.scope_value ?? undefined) : field(form, 'scope_value')
    if (amount === undefined && count === undefined) throw new Error('Say an amount, a number of payments, or both.')
    const args = {
      wallet_id,
      scope: limit?.scope ?? field(form, 'scope'),
      ...(value !== undefined && { scope_value: value }),
      window: limit?.window ?? field(form, 'window'),
      ...(amount !== undefined && { max_amount: typed(amount, like) }),
      ...(count !== undefined && { max_count: Number(count) }),
      over: limit?.over ?? field(form, 'over'),
    }
    onClose()
    const done = await confirmed({
      title: `${limit ? 'Change' : 'Add'} a limit of ${name}`,
      act: 'limit.set',
      args,
      names: { [wallet_id]: name },
    })
    if (done !== null) say('The limit is set.')
    return 'next'
  }
  return (
    <FormDialog
      title={limit ? `Change: ${nameOf(limit)}` : `Add a limit to ${name}`}
      submit="Continue"
      onClose={onClose}
      onSubmit={submit}
    >
      {limit === null ? <Rule /> : <p class="sub">What is left empty stays as it is.</p>}
      <label>
        At most, {wallet.currency}
        <input name="max_amount" inputMode="decimal" autocomplete="off" defaultValue={limit?.max_amount ?? ''} />
      </label>
      <label>
        At most this many payments
        <input name="max_count" type="number" min="0" step="1" defaultValue={limit?.max_count ?? ''} />
      </label>
    </FormDialog>
  )
}

/** Which payments it looks at. A limit with the same rule is replaced. */
function Rule(): JSX.Element {
  const options = (names: readonly string[], chosen: string): JSX.Element[] =>
    names.map((name) => (
      <option key={name} value={name} selected={name === chosen}>
        {name}
      </option>
    ))
  return (
    <>
      <label>
        Counts by
        <select name="scope">{options(SCOPES, 'wallet')}</select>
      </label>
      <label>
        Only this one (such as a payee's name); empty: each by itself
        <input name="scope_value" autocomplete="off" />
      </label>
      <label>
        In each
        <select name="window">{options(WINDOWS, 'day')}</select>
      </label>
      <label>
        Over it
        <select name="over">
          <option value="deny">deny</option>
          <option value="ask">ask a human</option>
        </select>
      </label>
    </>
  )
}
