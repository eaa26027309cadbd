import { BursarError } from '../../core/errors.ts'
import { format, formatUnits, parse, unitsOf } from '../../core/money.ts'
import { subject } from '../../core/payment.ts'
import type { Change, Snapshot } from '../../core/step.ts'
import type { Instrument, Payment, RefundAsked, Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { inTime, railOf } from '../rails.ts'
import { recordSettlement } from '../settle.ts'
import { paymentView } from '../views.ts'
import type { PaymentView } from '../wire.ts'
import type { OwnerAuthority } from './authority.ts'
import { humanActor } from './authority.ts'

/**
 * Asks the rail to give money back, all that is left or `amount`. Credits the wallet; gives back no allowance. A refund
 * whose answer was lost is asked for again under the same id, so it is made once.
 *
 * @throws `not_found`, `wrong_state`, `amount_invalid`, `rail_unavailable`
 */
export async function refund(
  bursar: Bursar,
  authority: OwnerAuthority,
  paymentId: string,
  amount?: string,
): Promise<PaymentView> {
  const refundId = bursar.ids.make('refund')
  const { give, payment } = await giverOf(bursar, paymentId)
  const asked = await bursar.store.update({ paymentId }, (snapshot) => ask(snapshot, authority, refundId, amount))
  const record = await inTime(give(paymentId, asked.id, unitsOf(asked.amount))).catch(() => null)
  if (!record || !(await recordSettlement(bursar, paymentId, record)))
    throw new BursarError(
      'rail_unavailable',
      'The rail did not confirm the refund. Asked again, it is the same refund.',
    )
  bursar.notify.changed(paymentId, payment.walletId)
  return paymentView(bursar, paymentId)
}

/** Who gives the money of a payment back. @throws `not_found`, `wrong_state` */
async function giverOf(bursar: Bursar, paymentId: string) {
  const { read } = bursar.store
  const payment = (await read.one('payments', { id: paymentId })) as Payment | null
  if (!payment || payment.instrumentId === null) throw new BursarError('not_found', 'There is no such payment.')
  const instrument = (await read.one('instruments', { id: payment.instrumentId })) as Instrument
  const wallet = (await read.one('wallets', { id: payment.walletId as string })) as Wallet
  const rail = railOf(bursar, instrument, wallet)
  if (rail.refund === null)
    throw new BursarError(
      'wrong_state',
      `Only the payee can give a transfer back. Ask them to send it to ${wallet.account ?? 'the wallet'}; it will be seen.`,
    )
  return { payment, give: rail.refund.bind(rail) }
}

/** The refund, on record before the rail hears of it; or the one that was asked for and not confirmed. */
function ask(
  { payment, wallet }: Snapshot,
  authority: OwnerAuthority,
  refundId: string,
  amount: string | undefined,
): Change<RefundAsked> {
  if (!payment || !wallet) throw new BursarError('not_found', 'There is no such payment.')
  const open = payment.refundAsked
  const asset = { code: wallet.currency, decimals: wallet.decimals }
  if (open && (amount === undefined || format(parse(amount, asset)) === open.amount)) return { facts: [], result: open }
  if (open) throw new BursarError('wrong_state', `A refund of ${open.amount} is not confirmed yet. Ask for it again.`)
  if (payment.status !== 'captured' && payment.status !== 'partially_refunded')
    throw new BursarError('wrong_state', `A payment that is ${payment.status} has nothing to give back.`)
  const left = payment.captured - payment.refunded
  const money = amount === undefined ? { units: left, asset } : parse(amount, asset)
  if (money.units > left)
    throw new BursarError(
      'amount_invalid',
      `${format(money)} is more than the ${formatUnits(left, asset.decimals)} that is left to refund.`,
    )
  const result = { id: refundId, amount: format(money) }
  const about = { actor: humanActor(authority), ...subject(payment, wallet, payment.instrumentId as string) }
  const details = { refund_id: refundId }
  return { facts: [{ type: 'payment.refund_asked', ...about, amount: result.amount, details }], result }
}
