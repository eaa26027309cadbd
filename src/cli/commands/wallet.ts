import type { Command } from 'commander'
import { freezeWallet, unfreezeWallet } from '../../actions/owner/freeze.ts'
import { listWallets, showWallet } from '../../actions/owner/inspect.ts'
import { setApprovals } from '../../actions/owner/wallets.ts'
import type { WalletView } from '../../actions/wire.ts'
import { addressIn, shapeOf } from '../../core/account.ts'
import { LIMIT_COLUMNS } from '../columns.ts'
import { byOwner } from '../lookup.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'
import { type ApprovalTiers, approvalTiersOf } from '../tiers.ts'
import { allowCommand } from './wallet-allow.ts'
import { confirmationsCommand, fundCommand, reconcileCommand } from './wallet-chain.ts'
import { APPROVAL, createCommand } from './wallet-create.ts'

const COLUMNS: readonly Column<WalletView>[] = [
  { title: 'wallet', of: (wallet) => wallet.wallet_id },
  { title: 'name', of: (wallet) => wallet.name },
  { title: 'mode', of: (wallet) => wallet.mode },
  { title: 'status', of: (wallet) => wallet.status },
  { title: 'available', of: (wallet) => wallet.available_amount, align: 'right' },
  { title: 'held', of: (wallet) => wallet.held_amount, align: 'right' },
  { title: 'currency', of: (wallet) => wallet.currency },
]

/** Shown where there is one. The whole of it is in `wallet show`. */
const ACCOUNT: Column<WalletView> = { title: 'account', of: ({ account }) => account && shortened(account) }

function shortened(account: string): string {
  return account.replace(addressIn(account), `0x${shapeOf(account)}`)
}

export function walletCommand(root: Command, shell: Shell): void {
  const wallet = root
    .command('wallet')
    .description('Money of one currency, with limits: make, show, fund, freeze, compare')
  createCommand(wallet, shell)
  readCommands(wallet, shell)
  fundCommand(wallet, shell)
  freezeCommands(wallet, shell)
  approvalsCommand(wallet, shell)
  reconcileCommand(wallet, shell)
  confirmationsCommand(wallet, shell)
  allowCommand(wallet, shell)
}

function readCommands(wallet: Command, shell: Shell): void {
  wallet
    .command('list')
    .description('List all wallets')
    .option(...JSON_OPTION)
    .action((options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => {
        const wallets = await listWallets(bursar)
        const onChains = wallets.some(({ account }) => account !== undefined)
        shell.output.list(options, wallets, onChains ? [...COLUMNS, ACCOUNT] : COLUMNS)
      }),
    )
  wallet
    .command('show')
    .description('Show one wallet, with what is left under each of its limits')
    .argument('<wallet>', 'id or name')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption) =>
      shell.withBursar(async ({ bursar }) =>
        shell.output.showWith(options, await showWallet(bursar, idOrName), { name: 'limits', columns: LIMIT_COLUMNS }),
      ),
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
        const { wallet_id } = await showWallet(bursar, idOrName)
        shell.output.show(options, await freezeWallet(bursar, await byOwner(bursar), wallet_id, options.reason))
      }),
    )
  wallet
    .command('unfreeze')
    .description('Allow spending from a wallet again')
    .argument('<wallet>', 'id or name')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        const { wallet_id } = await showWallet(bursar, idOrName)
        shell.output.show(options, await unfreezeWallet(bursar, owner, wallet_id))
      }),
    )
}

const EXAMPLES = `
Example: \`bursar wallet approvals household host:50.00 passkey:500.00 2xpasskey\`. 2x: two owners have to agree, one of them
the wallet's own.`

function approvalsCommand(wallet: Command, shell: Shell): void {
  wallet
    .command('approvals')
    .description('Set how sure bursar must be that a human approved, by amount')
    .argument('<wallet>', 'id or name')
    .argument('<tiers...>', APPROVAL, approvalTiersOf(APPROVAL))
    .option(...JSON_OPTION)
    .addHelpText('after', EXAMPLES)
    .action((idOrName: string, approvals: ApprovalTiers, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        const { wallet_id } = await showWallet(bursar, idOrName)
        shell.output.show(options, await setApprovals(bursar, owner, wallet_id, approvals))
      }),
    )
}
