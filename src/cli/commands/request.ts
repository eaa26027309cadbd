import type { Command } from 'commander'
import { deny } from '../../actions/owner/approve.ts'
import { listRequests, showPayment, showRequest } from '../../actions/owner/inspect.ts'
import type { PaymentView, RequestView } from '../../actions/wire.ts'
import { kindOf } from '../../core/ids.ts'
import type { Bursar } from '../../ports.ts'
import { payeeOf } from '../columns.ts'
import { byOwner } from '../lookup.ts'
import { JSON_OPTION, oneOf, positiveInteger } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'
import { type ApproveOptions, approveCommand } from './request-approve.ts'

type Subject = RequestView | PaymentView

const COLUMNS: readonly Column<Subject>[] = [
  { title: 'request', of: (subject) => ('request_id' in subject ? subject.request_id : subject.payment_id) },
  { title: 'status', of: (subject) => subject.status },
  { title: 'amount', of: (subject) => subject.amount, align: 'right' },
  { title: 'currency', of: (subject) => subject.currency },
  {
    title: 'for',
    of: (subject) => ('request_id' in subject ? subject.type : `payment to ${payeeOf(subject) ?? 'nobody'}`),
  },
  { title: 'asked', of: (subject) => subject.created_at },
  { title: 'the agent says', of: (subject) => subject.purpose },
]

const STATUSES: readonly RequestView['status'][] = ['pending', 'approved', 'denied', 'expired', 'canceled']

export function requestCommand(root: Command, shell: Shell): void {
  const request = root
    .command('request')
    .description('What agents ask for, and payments that wait for you: list, show, approve, deny')
  request
    .command('list')
    .description('List requests, newest first; with --status pending, waiting payments too')
    .addOption(oneOf('--status <status>', 'only these', STATUSES))
    .option(...JSON_OPTION)
    .action((options: JsonOption & { status?: RequestView['status'] }) =>
      shell.withBursar(async ({ bursar }) => {
        const filter = options.status === undefined ? {} : { status: options.status }
        shell.output.list(options, await listRequests(bursar, filter), COLUMNS)
      }),
    )
  request
    .command('show')
    .description('Show one request or waiting payment')
    .argument('<id>', 'req_ or pay_ id')
    .option(...JSON_OPTION)
    .action((id: string, options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => shell.output.show(options, await subjectOf(bursar, id))),
    )
  request
    .command('approve')
    .description('Approve a request or a waiting payment, as asked or for less')
    .argument('<id>', 'req_ or pay_ id')
    .option('--amount <amount>', 'no more than this')
    .option('--uses <count>', 'no more payments than this', positiveInteger)
    .option('--per-payment-max <amount>', 'no single payment over this')
    .option('--expires-in <duration>', 'sooner: 45m, 12h, 30d')
    .option('--yes', 'do not ask; the passphrase is needed all the same')
    .option(...JSON_OPTION)
    .action((id: string, options: ApproveOptions) => approveCommand(shell, id, options))
  request
    .command('deny')
    .description('Deny a request or a waiting payment; needs no passphrase')
    .argument('<id>', 'req_ or pay_ id')
    .option('--reason <text>', 'what the agent is told')
    .option(...JSON_OPTION)
    .action((id: string, options: JsonOption & { reason?: string }) =>
      shell.withBursar(async ({ bursar }) => {
        const by = { ...(await byOwner(bursar)), reason: options.reason ?? null }
        shell.output.show(options, await deny(bursar, id, by))
      }),
    )
}

async function subjectOf(bursar: Bursar, id: string): Promise<Subject> {
  return kindOf(id) === 'payment' ? await showPayment(bursar, id) : await showRequest(bursar, id)
}
