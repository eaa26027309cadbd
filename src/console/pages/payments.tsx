import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { plain } from '../../core/text.ts'
import { Badge, Mode, Money, When, words } from '../parts/bits.tsx'
import { Page } from '../parts/page.tsx'
import { Paged } from '../parts/pages.tsx'
import { Link } from '../router.tsx'
import { names } from '../state.ts'
import type { PaymentView } from '../types.ts'

const STATUSES: readonly PaymentView['status'][] = [
  ...(['awaiting_approval', 'authorized', 'in_doubt', 'captured', 'partially_refunded', 'refunded'] as const),
  ...(['refused', 'denied', 'expired', 'canceled', 'voided'] as const),
]

export function PaymentsPage(): JSX.Element {
  const [status, setStatus] = useState('')
  const filter = (
    <label class="inline">
      Show{' '}
      <select value={status} onChange={(event) => setStatus(event.currentTarget.value)}>
        <option value="">all</option>
        {STATUSES.map((one) => (
          <option key={one} value={one}>
            {words(one)}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <Page title="Payments" actions={filter}>
      <Paged<PaymentView>
        key={status}
        path={`/payments?limit=50${status === '' ? '' : `&status=${status}`}`}
        name="payments"
        empty="There are none."
      >
        {(payment) => <PaymentRow key={payment.payment_id} payment={payment} />}
      </Paged>
    </Page>
  )
}

export function payeeOf({ payee }: PaymentView): string {
  return plain(payee.name ?? payee.origin ?? payee.address ?? 'nobody', 200)
}

export function PaymentRow({ payment }: { payment: PaymentView }): JSX.Element {
  return (
    <li>
      <Link to={`/payments/${payment.payment_id}`} class="row">
        <strong>{payeeOf(payment)}</strong>
        <span class="push">
          <Money amount={payment.amount} currency={payment.currency} />
        </span>
        <span class="sub">
          <Badge status={payment.status} /> <Mode mode={payment.instrument?.mode ?? ''} />{' '}
          {names.value.get(payment.agent_id) ?? payment.agent_id} · <When at={payment.created_at} />
        </span>
      </Link>
    </li>
  )
}
