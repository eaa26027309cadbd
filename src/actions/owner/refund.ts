import { BursarError } from '../../core/errors.ts'
import type { Fact } from '../../core/event.ts'
import { format, formatUnits, parse } from '../../core/money.ts'
import { subject } from '../../core/payment.ts'
import type { Instrument, Payment, Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { recordSettlement } from '../settle.ts'
import { paymentView } from '../views.ts'
import type { PaymentView } from '../wire.ts'
import type { OwnerAuthority } from './authority.ts'
import { humanActor } from './authority.ts'

/**
 * Asks the rail to give money back, all that is left or `amount`. Credits the wallet; gives back no allowance.
 *
 * @throws `not_found`, `wrong_state`, `amount_invalid`, `rail_unavailable`
 */
export async function refund(
  bursar: Bursar,
  authority: OwnerAuthority,
  paymentId: string,
  amount?: string,
): Promise<PaymentView> {
  const { read } = bursar.store
  const payment = read.one('payments', { id: paymentId }) as Payment | null
  if (!payment) throw new BursarError('not_found', 'There is no such payment.')
  if (payment.status !== 'captured' && payment.status !== 'partially_refunded')
    throw new BursarError('wrong_state', `A payment that is ${payment.status} has nothing to give back.`)
  const wallet = read.one('wallets', { id: payment.walletId as string }) as Wallet
  const asset = { code: wallet.currency, decimals: wallet.decimals }
  const left = payment.captured - payment.refunded
  const money = amount === undefined ? { units: left, asset } : parse(amount, asset)
  if (money.units > left)
    throw new BursarError(
      'amount_invalid',
      `${format(money)} is more than the ${formatUnits(left, asset.decimals)} that is left to refund.`,
    )
  const instrument = read.one('instruments', { id: payment.instrumentId as string }) as Instrument
  const rail = bursar.rails[instrument.type]
  const refundId = bursar.ids.make('refund')
  const fact: Fact = {
    type: 'payment.refund_asked',
    actor: humanActor(authority),
    ...subject(payment, wallet, instrument.id),
    amount: format(money),
    details: { refund_id: refundId },
  }
  await bursar.store.update({}, () => ({ facts: [fact], result: null }))
  const record = await rail?.refund(paymentId, refundId, money.units).catch(() => undefined)
  if (!record)
    throw new BursarError(
      'rail_unavailable',
      'The rail did not confirm the refund. What it did is read from its books.',
    )
  await recordSettlement(bursar, paymentId, record)
  bursar.notify.changed(paymentId, payment.walletId)
  return paymentView(bursar, paymentId)
}
