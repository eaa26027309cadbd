import type { Command } from 'commander'
import { listLimits, showWallet } from '../../actions/owner/inspect.ts'
import { removeLimit, setLimit } from '../../actions/owner/limit.ts'
import { SCOPES, type Scope, WINDOWS, type Window } from '../../core/types.ts'
import { LIMIT_COLUMNS } from '../columns.ts'
import { JSON_OPTION, oneOf, wholeNumber } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

interface SetOptions extends JsonOption {
  readonly scope: Scope
  readonly value?: string
  readonly window: Window
  readonly maxAmount?: string
  readonly maxCount?: number
  readonly over: 'deny' | 'ask'
}

const EXAMPLE =
  '\nExample: `bursar limit set shopping --scope payee --value https://api.example.com --window day --max-amount 1.00`'

export function limitCommand(root: Command, shell: Shell): void {
  const limit = root.command('limit').description('What a wallet lets through: set, list, remove')
  setCommand(limit, shell)
  limit
    .command('list')
    .description('List limits, with what is left under each')
    .argument('[wallet]', 'id or name; without it, those of all wallets')
    .option(...JSON_OPTION)
    .action((idOrName: string | undefined, options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => {
        const walletId = idOrName === undefined ? undefined : (await showWallet(bursar, idOrName)).wallet_id
        shell.output.list(options, await listLimits(bursar, walletId), LIMIT_COLUMNS)
      }),
    )
  limit
    .command('remove')
    .description('Remove a limit')
    .argument('<limit>', 'lim_ id')
    .option(...JSON_OPTION)
    .action((limitId: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        shell.output.show(options, await removeLimit(bursar, owner, limitId))
      }),
    )
}

function setCommand(limit: Command, shell: Shell): void {
  const command = limit
    .command('set')
    .description('Set a limit, in place of the one with the same scope, value, window and outcome')
    .argument('<wallet>', 'id or name')
    .addOption(oneOf('--scope <scope>', 'what is counted together', SCOPES).makeOptionMandatory())
    .option(
      '--value <value>',
      'only one: an agent, a category, a payee by name, account or web origin, … (default: each)',
    )
    .addOption(oneOf('--window <window>', 'over which time', WINDOWS).makeOptionMandatory())
    .option('--max-amount <amount>', 'such as 1000.00')
    .option('--max-count <count>', 'how many payments', wholeNumber)
    .addOption(oneOf('--over <outcome>', 'what happens over it', ['deny', 'ask']).default('deny'))
    .option(...JSON_OPTION)
    .addHelpText('after', EXAMPLE)
  command.action((idOrName: string, options: SetOptions) => {
    const { scope, value, window, maxAmount, maxCount, over } = options
    if (maxAmount === undefined && maxCount === undefined)
      command.error('error: a limit needs --max-amount or --max-count')
    return shell.withOwner(async ({ bursar }, owner) => {
      const { wallet_id } = await showWallet(bursar, idOrName)
      const set = await setLimit(bursar, owner, wallet_id, {
        scope,
        window,
        over,
        ...(value !== undefined && { scopeValue: value }),
        ...(maxAmount !== undefined && { max_amount: maxAmount }),
        ...(maxCount !== undefined && { max_count: maxCount }),
      })
      shell.output.show(options, set)
    })
  })
}
