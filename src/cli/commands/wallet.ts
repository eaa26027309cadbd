import { type Command, InvalidArgumentError } from 'commander'
import { freezeWallet, unfreezeWallet } from '../../actions/owner/freeze.ts'
import { fund } from '../../actions/owner/fund.ts'
import { listWallets, showWallet } from '../../actions/owner/inspect.ts'
import { createWallet, setApprovals } from '../../actions/owner/wallets.ts'
import type { WalletView } from '../../actions/wire.ts'
import { ASSURANCES, type Assurance } from '../../core/types.ts'
import { LIMIT_COLUMNS } from '../columns.ts'
import { agentIdOf, byOwner } from '../lookup.ts'
import { JSON_OPTION, oneOf } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const COLUMNS: readonly Column<WalletView>[] = [
  { title: 'wallet', of: (wallet) => wallet.wallet_id },
  { title: 'name', of: (wallet) => wallet.name },
  { title: 'mode', of: (wallet) => wallet.mode },
  { title: 'status', of: (wallet) => wallet.status },
  { title: 'available', of: (wallet) => wallet.available_amount, align: 'right' },
  { title: 'held', of: (wallet) => wallet.held_amount, align: 'right' },
  { title: 'currency', of: (wallet) => wallet.currency },
]

interface Tier {
  readonly up_to: string | null
  readonly assurance: Assurance
}

interface CreateOptions extends JsonOption {
  readonly currency: string
  readonly mode: 'sandbox' | 'live'
  readonly agent?: string
  readonly timeZone?: string
  readonly approval?: readonly Tier[]
}

export function walletCommand(root: Command, shell: Shell): void {
  const wallet = root.command('wallet').description('Money of one currency, with limits: make, show, fund, freeze')
  createCommand(wallet, shell)
  readCommands(wallet, shell)
  fundCommand(wallet, shell)
  freezeCommands(wallet, shell)
  approvalsCommand(wallet, shell)
}

function createCommand(wallet: Command, shell: Shell): void {
  wallet
    .command('create')
    .description('Make a wallet, empty, with the default limits')
    .argument('<name>')
    .option('--currency <code>', 'ISO 4217', 'USD')
    .addOption(oneOf('--mode <mode>', 'live moves real money', ['sandbox', 'live']).default('sandbox'))
    .option('--agent <agent>', 'the only agent that may use it (default: every agent)')
    .option('--time-zone <zone>', 'IANA time zone in which its days and months begin')
    .option('--approval <tier>', TIER, addTier)
    .option(...JSON_OPTION)
    .action((name: string, options: CreateOptions) =>
      shell.withOwner(async ({ bursar }, owner) => {
        const { currency, mode, agent, timeZone, approval } = options
        const made = await createWallet(bursar, owner, {
          name,
          currency,
          mode,
          ...(agent !== undefined && { agentId: agentIdOf(bursar, agent) }),
          ...(timeZone !== undefined && { timeZone }),
          ...(approval !== undefined && { approvals: approval }),
        })
        shell.output.show(options, made)
      }),
    )
}

function readCommands(wallet: Command, shell: Shell): void {
  wallet
    .command('list')
    .description('List all wallets')
    .option(...JSON_OPTION)
    .action((options: JsonOption) =>
      shell.withBursar(({ bursar }) => shell.output.list(options, listWallets(bursar), COLUMNS)),
    )
  wallet
    .command('show')
    .description('Show one wallet, with what is left under each of its limits')
    .argument('<wallet>', 'id or name')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption) =>
      shell.withBursar(({ bursar }) =>
        shell.output.showWith(options, showWallet(bursar, idOrName), { name: 'limits', columns: LIMIT_COLUMNS }),
      ),
    )
}

function fundCommand(wallet: Command, shell: Shell): void {
  wallet
    .command('fund')
    .description('Put money into a wallet')
    .argument('<wallet>', 'id or name')
    .argument('<amount>', 'such as 250.00, in the currency of the wallet')
    .option(...JSON_OPTION)
    .action((idOrName: string, amount: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        const { wallet_id } = showWallet(bursar, idOrName)
        shell.output.show(options, await fund(bursar, owner, wallet_id, amount))
      }),
    )
}

function freezeCommands(wallet: Command, shell: Shell): void {
  wallet
    .command('freeze')
    .description('Stop all spending from a wallet; needs no passphrase')
    .argument('<wallet>', 'id or name')
    .option('--reason <text>', 'for the journal')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption & { reason?: string }) =>
      shell.withBursar(async ({ bursar }) => {
        const { wallet_id } = showWallet(bursar, idOrName)
        shell.output.show(options, await freezeWallet(bursar, byOwner(bursar), wallet_id, options.reason))
      }),
    )
  wallet
    .command('unfreeze')
    .description('Allow spending from a wallet again')
    .argument('<wallet>', 'id or name')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        const { wallet_id } = showWallet(bursar, idOrName)
        shell.output.show(options, await unfreezeWallet(bursar, owner, wallet_id))
      }),
    )
}

function approvalsCommand(wallet: Command, shell: Shell): void {
  wallet
    .command('approvals')
    .description('Set how sure bursar must be that a human approved, by amount')
    .argument('<wallet>', 'id or name')
    .argument('<tiers...>', TIER, addTier)
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample: `bursar wallet approvals household host:50.00 operator`')
    .action((idOrName: string, tiers: readonly Tier[], options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        const { wallet_id } = showWallet(bursar, idOrName)
        shell.output.show(options, await setApprovals(bursar, owner, wallet_id, tiers))
      }),
    )
}

const TIER = `assurance and, but for the last tier, up to which amount: ${ASSURANCES.join(', ')}; host:50.00`

/** `host:50.00` or, for any amount, `operator`. The amount itself is judged with the wallet's currency, later. */
function addTier(text: string, before: readonly Tier[] = []): readonly Tier[] {
  const [name, upTo = null, ...others] = text.split(':')
  const assurance = ASSURANCES.find((known) => known === name)
  if (!assurance || others.length > 0) throw new InvalidArgumentError(`A tier is ${TIER}.`)
  return [...before, { up_to: upTo, assurance }]
}
