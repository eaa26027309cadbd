import type { JSX } from 'preact'
import { formatDuration, parseDuration } from '../../core/duration.ts'
import { isMore, typed } from '../money.ts'
import { FormDialog, field } from '../parts/dialog.tsx'
import { titleOf } from '../terms.ts'
import type { InboxItem, Narrowing, RequestView } from '../types.ts'

interface NarrowProps {
  readonly item: InboxItem
  onClose(): void
  onNarrowed(narrowing: Narrowing): void
}

/** Less than was asked: a smaller amount, fewer uses, sooner an end. Never more: bursar would refuse it. */
export function NarrowDialog({ item, onClose, onNarrowed }: NarrowProps): JSX.Element {
  const view = item.view as RequestView
  return (
    <FormDialog
      title={`Allow less: ${titleOf(item)}`}
      submit="Continue"
      onClose={onClose}
      onSubmit={async (form) => {
        onNarrowed(narrowingOf(form, view))
        return 'next'
      }}
    >
      <label>
        Amount in all, {view.currency}
        <input name="amount" inputMode="decimal" autocomplete="off" defaultValue={view.amount} required />
      </label>
      <label>
        At most per payment, {view.currency}
        <input
          name="per_payment_max"
          inputMode="decimal"
          autocomplete="off"
          defaultValue={view.per_payment_max ?? ''}
          placeholder="no maximum"
        />
      </label>
      <label>
        Number of uses
        <input
          name="usage_limit"
          type="number"
          min="1"
          step="1"
          max={view.usage_limit ?? undefined}
          defaultValue={view.usage_limit ?? ''}
          placeholder="any number"
        />
      </label>
      <label>
        Lives for (such as 45m, 12h, 30d)
        <input name="expires_in" autocomplete="off" defaultValue={view.expires_in} required />
      </label>
    </FormDialog>
  )
}

/** Only what is less than was asked. @throws `amount_invalid`, `argument_invalid` and Error for what is not less */
export function narrowingOf(form: FormData, view: RequestView): Narrowing {
  const amount = typed(field(form, 'amount') ?? '', view.amount)
  const most = field(form, 'per_payment_max')
  const perPayment = most === undefined ? view.per_payment_max : typed(most, view.amount)
  const uses = field(form, 'usage_limit')
  const usage = uses === undefined ? view.usage_limit : Number(uses)
  const ms = parseDuration(field(form, 'expires_in') ?? '')
  const asked = parseDuration(view.expires_in)
  if (isMore(amount, view.amount)) throw new Error(`The agent asked for ${view.amount} only.`)
  if (view.per_payment_max !== null && perPayment !== null && isMore(perPayment, view.per_payment_max))
    throw new Error(`The agent asked for ${view.per_payment_max} per payment only.`)
  if (usage !== null && !(Number.isSafeInteger(usage) && usage > 0)) throw new Error('Uses are a whole number from 1.')
  if (view.usage_limit !== null && usage !== null && usage > view.usage_limit)
    throw new Error(`The agent asked for ${view.usage_limit} uses only.`)
  if (ms > asked) throw new Error(`The agent asked for ${formatDuration(asked)} only.`)
  return {
    ...(amount !== view.amount && { amount }),
    ...(usage !== null && usage !== view.usage_limit && { usage_limit: usage }),
    ...(perPayment !== null && perPayment !== view.per_payment_max && { per_payment_max: perPayment }),
    ...(ms !== asked && { expires_in_ms: ms }),
  }
}
