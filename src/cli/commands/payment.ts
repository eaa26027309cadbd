import type { Command } from 'commander'
import { listPayments, showPayment } from '../../actions/owner/inspect.ts'
import { provePayment } from '../../actions/owner/journal.ts'
import { refund } from '../../actions/owner/refund.ts'
import type { PaymentView, ResourceView } from '../../actions/wire.ts'
import type { PaymentStatus } from '../../core/types.ts'
import { EVENT_COLUMNS, payeeOf } from '../columns.ts'
import { JSON_OPTION, oneOf, positiveInteger } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const COLUMNS: readonly Column<PaymentView>[] = [
  { title: 'payment', of: (payment) => payment.payment_id },
  { title: 'status', of: (payment) => payment.status },
  { title: 'amount', of: (payment) => payment.amount, align: 'right' },
  { title: 'currency', of: (payment) => payment.currency },
  { title: 'payee', of: payeeOf },
  { title: 'when', of: (payment) => payment.created_at },
  { title: 'why not', of: ({ refusal, reason }) => refusal?.code ?? reason },
]

/** Shown where something was bought on the web. */
const PURCHASE: readonly Column<PaymentView>[] = [
  { title: 'buys', of: ({ resource }) => resource && `${resource.method} ${resource.url}` },
  { title: 'delivered', of: ({ status, resource }) => (status === 'refused' ? null : resource && answerOf(resource)) },
]

function answerOf({ delivered, http_status }: ResourceView): string {
  if (delivered) return 'yes'
  return http_status === null ? 'no' : `no, HTTP ${http_status}`
}

/** Every status of a payment: the type says when one is missing. */
const STATUSES = Object.keys({
  refused: true,
  awaiting_approval: true,
  authorized: true,
  in_doubt: true,
  captured: true,
  voided: true,
  denied: true,
  expired: true,
  canceled: true,
  partially_refunded: true,
  refunded: true,
} satisfies Record<PaymentStatus, true>)

interface ListOptions extends JsonOption {
  readonly status?: PaymentStatus
  readonly instrument?: string
  readonly limit: number
  readonly cursor?: string
}

export function paymentCommand(root: Command, shell: Shell): void {
  const payment = root.command('payment').description('What was paid and what was refused: list, show, refund')
  payment
    .command('list')
    .description('List payments, newest first, refused ones too')
    .addOption(oneOf('--status <status>', 'only these', STATUSES))
    .option('--instrument <instrument>', 'only with this inst_ id')
    .option('--limit <count>', 'how many', positiveInteger, 50)
    .option('--cursor <payment>', 'only older ones than this pay_ id')
    .option(...JSON_OPTION)
    .action((options: ListOptions) =>
      shell.withBursar(async ({ bursar }) => {
        const { status, instrument, limit, cursor } = options
        const payments = await listPayments(bursar, {
          limit,
          ...(status !== undefined && { status }),
          ...(instrument !== undefined && { instrument }),
          ...(cursor !== undefined && { cursor }),
        })
        const purchases = payments.some(({ resource }) => resource !== undefined)
        shell.output.list(options, payments, purchases ? [...COLUMNS, ...PURCHASE] : COLUMNS)
        const last = payments.length === limit ? payments.at(-1) : undefined
        if (last) shell.output.note(options, `For older ones: --cursor ${last.payment_id}\n`)
      }),
    )
  payment
    .command('show')
    .description('Show one payment with its events')
    .argument('<payment>', 'pay_ id')
    .option('--proof', 'instead, its last event with the proof that the journal holds it, to check anywhere')
    .option(...JSON_OPTION)
    .action((id: string, options: JsonOption & { proof?: true }) =>
      shell.withBursar(async ({ bursar, noteKey }) => {
        if (options.proof) return shell.output.show(options, await provePayment(bursar, noteKey, id))
        shell.output.showWith(options, await showPayment(bursar, id), { name: 'events', columns: EVENT_COLUMNS })
      }),
    )
  payment
    .command('refund')
    .description('Ask for money back; the wallet gets it, the instrument does not')
    .argument('<payment>', 'pay_ id')
    .option('--amount <amount>', 'a part (default: all that was captured and not refunded)')
    .option(...JSON_OPTION)
    .action((id: string, options: JsonOption & { amount?: string }) =>
      shell.withOwner(async ({ bursar }, owner) => {
        shell.output.show(options, await refund(bursar, owner, id, options.amount))
      }),
    )
}
