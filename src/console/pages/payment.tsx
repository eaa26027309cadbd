import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { read } from '../api.ts'
import { useData } from '../data.ts'
import { isZero, minus, typed } from '../money.ts'
import { Badge, Facts, Id, Mode, Money, type Row, When, Words, words } from '../parts/bits.tsx'
import { confirmed } from '../parts/confirm.tsx'
import { Failed, FormDialog, field, useBusy } from '../parts/dialog.tsx'
import { Page, Read } from '../parts/page.tsx'
import { Link } from '../router.tsx'
import { names, say } from '../state.ts'
import type { EventView, PaymentProof, PaymentView } from '../types.ts'
import { Timeline } from './events.tsx'
import { payeeOf } from './payments.tsx'

type Story = PaymentView & { readonly events?: readonly EventView[]; readonly events_archived?: true }

export function PaymentPage({ id }: { id: string }): JSX.Element {
  const data = useData(id, () => read<Story>(`/payments/${encodeURIComponent(id)}`))
  const [refunding, setRefunding] = useState(false)
  const found = data.value
  const can = found !== null && ['captured', 'partially_refunded'].includes(found.status)
  const refund = can && (
    <button type="button" class="secondary outline" onClick={() => setRefunding(true)}>
      Refund…
    </button>
  )
  return (
    <Page title={found ? `Payment to ${payeeOf(found)}` : 'Payment'} actions={refund}>
      <Read data={data}>
        {(payment) => (
          <>
            {payment.status === 'awaiting_approval' && (
              <p class="notice">
                It waits for you. <Link to={`/inbox/${id}`}>Decide</Link>
              </p>
            )}
            <Details payment={payment} />
            {payment.purpose !== null && <Words whose="In the agent's own words">{payment.purpose}</Words>}
            <section>
              <h2>What happened</h2>
              {payment.events_archived && <p class="sub">Earlier events are archived: their texts are in files.</p>}
              <Timeline events={payment.events ?? []} />
            </section>
            <Proof payment={payment} />
            {refunding && <RefundDialog payment={payment} onClose={() => setRefunding(false)} />}
          </>
        )}
      </Read>
    </Page>
  )
}

function Details({ payment }: { payment: PaymentView }): JSX.Element {
  const { currency, captured_amount: captured, refunded_amount: refunded, instrument, resource, refusal } = payment
  const rows: Row[] = [
    ['Status', <Badge key="s" status={payment.status} />],
    ['Amount', <Money key="a" amount={payment.amount} currency={currency} />],
    ...(captured === null || isZero(captured) ? [] : [['Captured', `${captured} ${currency}`] as const]),
    ...(refunded === null || isZero(refunded) ? [] : [['Given back', `${refunded} ${currency}`] as const]),
    ...(refusal ? [['Why not', `${refusal.message} (${refusal.code}, by ${refusal.rule})`] as const] : []),
    ...(payment.reason !== undefined && payment.reason !== refusal?.message
      ? [['Reason', payment.reason] as const]
      : []),
    ...(payment.payee.address === undefined ? [] : [['Address', <Id key="d" id={payment.payee.address} />] as const]),
    ...(payment.payee.merchant_category === undefined
      ? []
      : [['Kind of merchant', `${payment.payee.merchant_category} ${payment.payee.category_name ?? ''}`] as const]),
    ...(resource
      ? [
          [
            'Bought',
            `${resource.method} ${resource.url} (${resource.delivered ? 'delivered' : 'not delivered'})`,
          ] as const,
        ]
      : []),
    ['By', words(payment.protocol)],
    ...(instrument
      ? [
          [
            'With',
            <Link key="w" to={`/instruments/${instrument.instrument_id}`}>
              {instrument.display ?? instrument.instrument_id}
            </Link>,
          ] as const,
        ]
      : []),
    [
      'Agent',
      <Link key="g" to={`/agents/${payment.agent_id}`}>
        {names.value.get(payment.agent_id) ?? payment.agent_id}
      </Link>,
    ],
    ...(payment.task_id === null ? [] : [['Task', JSON.stringify(payment.task_id)] as const]),
    ['Asked', <When key="t" at={payment.created_at} />],
    ['Id', <Id key="i" id={payment.payment_id} />],
    ...(payment.receipt ? [['Reference', <Id key="r" id={payment.receipt.rail_ref} />] as const] : []),
  ]
  return (
    <section class="summary">
      <Mode mode={instrument?.mode ?? ''} />
      <Facts rows={rows} />
    </section>
  )
}

/** The receipt that anyone can check: to keep, and checked here. */
function Proof({ payment }: { payment: PaymentView }): JSX.Element {
  const { busy, failed, run } = useBusy()
  const [good, setGood] = useState<string | null>(null)
  const fetchProof = (): Promise<PaymentProof> =>
    read<PaymentProof>(`/payments/${encodeURIComponent(payment.payment_id)}/proof`)
  const check = (): void =>
    run(async () => {
      const { checkProof } = await import('../verify/run.ts')
      const { seq, size } = await checkProof(await fetchProof(), payment.payment_id)
      setGood(`It is event ${seq} of ${size} that the checkpoint covers, and its hashes lead to the signed root.`)
    })
  const keep = (): void =>
    run(async () => save(`${payment.payment_id}.json`, JSON.stringify(await fetchProof(), null, 2)))
  return (
    <section>
      <h2>Proof</h2>
      <p>That the journal holds this payment, as it stands now. Anyone can check it offline, with bursar's key.</p>
      <div class="actions start">
        <button type="button" class="secondary outline" onClick={check} disabled={busy} aria-busy={busy}>
          Verify in this browser
        </button>
        <button type="button" class="secondary outline" onClick={keep} disabled={busy}>
          Download
        </button>
      </div>
      <p role="status">
        {good !== null && <span class="badge good">proved</span>} {good}
      </p>
      <Failed why={failed} />
    </section>
  )
}

/** Gives the browser a file to keep. */
export function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}

function RefundDialog({ payment, onClose }: { payment: PaymentView; onClose(): void }): JSX.Element {
  const { payment_id, currency, captured_amount: captured, refunded_amount: refunded } = payment
  const left = minus(captured ?? '0', refunded ?? '0')
  return (
    <FormDialog
      title={`Refund by ${payeeOf(payment)}`}
      submit="Continue"
      onClose={onClose}
      onSubmit={async (form) => {
        const amount = typed(field(form, 'amount') ?? '', left)
        onClose()
        const done = await confirmed({
          title: `Refund ${amount} ${currency}`,
          act: 'payment.refund',
          args: { payment_id, amount },
        })
        if (done !== null) say('The refund is asked for.')
        return 'next'
      }}
    >
      <label>
        Amount, {currency}
        <input name="amount" inputMode="decimal" required autocomplete="off" defaultValue={left} />
      </label>
    </FormDialog>
  )
}
