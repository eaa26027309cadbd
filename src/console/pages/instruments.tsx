import type { JSX } from 'preact'
import { read, send } from '../api.ts'
import { useData } from '../data.ts'
import { forDrawing, minus } from '../money.ts'
import { Badge, Facts, Id, Mode, Money, type Row, titled, When } from '../parts/bits.tsx'
import { confirmed } from '../parts/confirm.tsx'
import { Page, Read } from '../parts/page.tsx'
import { Paged } from '../parts/pages.tsx'
import { Link } from '../router.tsx'
import { names, refresh, say, sayError } from '../state.ts'
import type { InstrumentView, PaymentView } from '../types.ts'
import { PaymentRow } from './payments.tsx'

export function InstrumentsPage(): JSX.Element {
  return (
    <Page title="Instruments">
      <Paged<InstrumentView> path="/instruments" name="instruments" empty="No instrument was approved yet.">
        {(instrument) => (
          <li key={instrument.instrument_id}>
            <Link to={`/instruments/${instrument.instrument_id}`} class="row">
              <strong>{nameOf(instrument)}</strong>
              <span class="push">
                <Money amount={instrument.remaining_amount} currency={instrument.currency} /> left
              </span>
              <span class="sub">
                <Badge status={instrument.status} /> <Mode mode={instrument.mode} /> until{' '}
                <When at={instrument.expires_at} />
              </span>
            </Link>
          </li>
        )}
      </Paged>
    </Page>
  )
}

function nameOf({ type, display }: InstrumentView): string {
  const kind = type === 'virtual_card' ? 'Virtual card' : 'USDC'
  return display === null ? kind : `${kind} ${display}`
}

export function InstrumentPage({ id }: { id: string }): JSX.Element {
  const data = useData(id, () => read<InstrumentView>(`/instruments/${encodeURIComponent(id)}`))
  const found = data.value
  return (
    <Page title={found ? nameOf(found) : 'Instrument'} actions={found && <Actions instrument={found} />}>
      <Read data={data}>{(instrument) => <Details instrument={instrument} />}</Read>
      <section>
        <h2>Payments with it</h2>
        <Paged<PaymentView>
          path={`/payments?instrument_id=${encodeURIComponent(id)}&limit=20`}
          name="payments"
          empty="Nothing was paid with it."
        >
          {(payment) => <PaymentRow key={payment.payment_id} payment={payment} />}
        </Paged>
      </section>
    </Page>
  )
}

function Details({ instrument }: { instrument: InstrumentView }): JSX.Element {
  const { amount, remaining_amount: left, currency, constraints, usage_limit: uses, usage_consumed: used } = instrument
  const spent = minus(amount, left)
  const rows: Row[] = [
    ['Status', <Badge key="s" status={instrument.status} />],
    ['Uses', `${used}${uses === null ? '' : ` of ${uses}`}`],
    ...(instrument.per_payment_max === null
      ? []
      : [['Per payment', `at most ${instrument.per_payment_max} ${currency}`] as const]),
    ['Until', <When key="u" at={instrument.expires_at} />],
    ...Object.entries(constraints).map(
      ([name, values]): Row => [`Only ${titled(name).toLowerCase()}`, (values as readonly string[]).join(', ')],
    ),
    [
      'Wallet',
      <Link key="w" to={`/wallets/${instrument.wallet_id}`}>
        {names.value.get(instrument.wallet_id) ?? instrument.wallet_id}
      </Link>,
    ],
    ['Id', <Id key="i" id={instrument.instrument_id} />],
  ]
  return (
    <section class="summary">
      <Mode mode={instrument.mode} />
      <progress aria-label="Spent" value={forDrawing(spent)} max={forDrawing(amount)} />
      <p>
        <span class="money">{spent}</span> of <Money amount={amount} currency={currency} /> spent or held
      </p>
      <Facts rows={rows} />
    </section>
  )
}

function Actions({ instrument }: { instrument: InstrumentView }): JSX.Element | null {
  const { instrument_id, status } = instrument
  const reduce = (act: string, done: string): void => {
    send('/reduce', { act, args: { instrument_id } }).then(() => {
      refresh()
      say(done)
    }, sayError)
  }
  if (!['active', 'frozen', 'limit_reached'].includes(status)) return null
  return (
    <>
      {status === 'frozen' ? (
        <button
          type="button"
          class="secondary outline"
          onClick={() =>
            void confirmed({
              title: `Unfreeze ${nameOf(instrument)}`,
              act: 'instrument.unfreeze',
              args: { instrument_id },
            })
          }
        >
          Unfreeze…
        </button>
      ) : (
        <button
          type="button"
          class="danger outline"
          onClick={() => reduce('instrument.freeze', 'The instrument is frozen.')}
        >
          Freeze
        </button>
      )}
      <button
        type="button"
        class="danger"
        onClick={() => reduce('instrument.revoke', 'The instrument is gone for good.')}
      >
        Revoke for good
      </button>
    </>
  )
}
