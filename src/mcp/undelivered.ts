import type { PaymentView } from '../actions/wire.ts'

/** For a purchase that was not delivered: what that means, and what to do. Null for any other payment. */
export function undeliveredLine({
  payment_id,
  status,
  resource,
  amount,
  captured_amount,
  currency,
}: PaymentView): string | null {
  if (!resource || resource.delivered || !['authorized', 'in_doubt', 'captured'].includes(status)) return null
  const what = `Payment ${payment_id} of ${amount} ${currency}`
  const same = 'Call fetch_with_payment again with the same arguments'
  if (status === 'captured')
    return `Paid, not delivered; do not pay again. Payment ${payment_id} moved ${captured_amount} ${currency}, and the seller did not deliver. ${same} to send the same payment once more, and tell your user.`
  if (status === 'authorized' && resource.http_status === null)
    return `${what} is authorized and held. ${same} to get what it pays for.`
  const said = resource.http_status === null ? 'gave no answer' : `answered HTTP ${resource.http_status}`
  return `${what} was sent, the seller ${said}, and it may still be taken: do not pay again. The money is held until that is known. ${same} to send the same payment once more; get_payment says what became of it.`
}
