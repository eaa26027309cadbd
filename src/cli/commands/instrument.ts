import type { Command } from 'commander'
import { freezeInstrument, revokeInstrument, unfreezeInstrument } from '../../actions/owner/freeze.ts'
import { listInstruments, showInstrument, showWallet } from '../../actions/owner/inspect.ts'
import type { InstrumentView } from '../../actions/wire.ts'
import type { Instrument } from '../../core/types.ts'
import { byOwner } from '../lookup.ts'
import { JSON_OPTION, oneOf } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const COLUMNS: readonly Column<InstrumentView>[] = [
  { title: 'instrument', of: (instrument) => instrument.instrument_id },
  { title: 'type', of: (instrument) => instrument.type },
  { title: 'card', of: (instrument) => instrument.display },
  { title: 'status', of: (instrument) => instrument.status },
  { title: 'left', of: (instrument) => instrument.remaining_amount, align: 'right' },
  { title: 'of', of: (instrument) => instrument.amount, align: 'right' },
  { title: 'currency', of: (instrument) => instrument.currency },
  {
    title: 'uses',
    of: (instrument) => `${instrument.usage_consumed}/${instrument.usage_limit ?? '∞'}`,
    align: 'right',
  },
  { title: 'expires', of: (instrument) => instrument.expires_at },
]

type Status = Instrument['status']
const STATUSES: readonly Status[] = ['active', 'frozen', 'limit_reached', 'expired', 'revoked', 'returned']

interface ListOptions extends JsonOption {
  readonly status?: Status
  readonly wallet?: string
}

export function instrumentCommand(root: Command, shell: Shell): void {
  const instrument = root.command('instrument').description('What agents pay with: list, show, freeze, revoke')
  instrument
    .command('list')
    .description('List instruments, newest first')
    .addOption(oneOf('--status <status>', 'only these', STATUSES))
    .option('--wallet <wallet>', 'only of this wallet: id or name')
    .option(...JSON_OPTION)
    .action((options: ListOptions) =>
      shell.withBursar(async ({ bursar }) => {
        const { status, wallet } = options
        const filter = {
          ...(status !== undefined && { status }),
          ...(wallet !== undefined && { wallet: (await showWallet(bursar, wallet)).wallet_id }),
        }
        shell.output.list(options, await listInstruments(bursar, filter), COLUMNS)
      }),
    )
  instrument
    .command('show')
    .description('Show one instrument')
    .argument('<instrument>', 'inst_ id')
    .option(...JSON_OPTION)
    .action((id: string, options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => shell.output.show(options, await showInstrument(bursar, id))),
    )
  stopCommands(instrument, shell)
  instrument
    .command('unfreeze')
    .description('Allow payments with an instrument again')
    .argument('<instrument>', 'inst_ id')
    .option(...JSON_OPTION)
    .action((id: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        shell.output.show(options, await unfreezeInstrument(bursar, owner, id))
      }),
    )
}

function stopCommands(instrument: Command, shell: Shell): void {
  const stops = [
    ['freeze', 'Stop payments with an instrument; needs no passphrase', freezeInstrument],
    ['revoke', 'End an instrument for good; needs no passphrase', revokeInstrument],
  ] as const
  for (const [name, description, stop] of stops)
    instrument
      .command(name)
      .description(description)
      .argument('<instrument>', 'inst_ id')
      .option(...JSON_OPTION)
      .action((id: string, options: JsonOption) =>
        shell.withBursar(async ({ bursar }) =>
          shell.output.show(options, await stop(bursar, await byOwner(bursar), id)),
        ),
      )
}
