import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { acceptDifference, setConfirmations } from '../../actions/owner/chain.ts'
import { fund } from '../../actions/owner/fund.ts'
import { showWallet } from '../../actions/owner/inspect.ts'
import { type Reconciliation, reconcile } from '../../actions/transfer/reconcile.ts'
import type { WalletView } from '../../actions/wire.ts'
import { addressIn } from '../../core/account.ts'
import { unitsOf } from '../../core/money.ts'
import { CONFIRMATIONS, type Confirmation } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { Ended, EXIT } from '../failure.ts'
import { asking, networkFor } from '../networks.ts'
import { JSON_OPTION, positiveInteger } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'
import { type Tiers, tiersOf } from '../tiers.ts'
import { CONFIRMATION } from './wallet-create.ts'

const LOOK_EVERY_MS = 2_000

interface FundOptions extends JsonOption {
  readonly wait?: number
}

export function fundCommand(wallet: Command, shell: Shell): void {
  const command = wallet
    .command('fund')
    .description('Put money into a wallet; for one in USDC, look on the chain for what was sent to it')
    .argument('<wallet>', 'id or name')
    .argument('[amount]', 'such as 250.00, in the currency of the wallet; none for USDC')
    .option('--wait <seconds>', 'for USDC: look until something is credited, for so long', positiveInteger)
    .option(...JSON_OPTION)
  command.action((idOrName: string, amount: string | undefined, options: FundOptions) => {
    if (amount === undefined)
      return shell.withBursar(async ({ bursar }) => {
        const view = await showWallet(bursar, idOrName)
        if (view.account === undefined) command.error("error: missing required argument 'amount'")
        await deposits(shell, bursar, view, options)
      })
    return shell.withOwner(async ({ bursar }, owner) => {
      const { wallet_id } = await showWallet(bursar, idOrName)
      shell.output.show(options, await fund(bursar, owner, wallet_id, amount))
    })
  })
}

/** What came in. Money on a chain is seen, never typed. */
async function deposits(shell: Shell, bursar: Bursar, view: WalletView, options: FundOptions): Promise<void> {
  const { network } = networkFor(await shell.program.chains(), view)
  const until = Date.now() + (options.wait ?? 0) * 1_000
  if (options.wait !== undefined)
    shell.output.note(options, `Looking for USDC on ${network.name} at ${addressIn(view.account ?? '')} …\n`)
  let seen = await look(shell, bursar, view, true)
  while (seen.credited.length === 0 && seen.chain === seen.books && Date.now() < until) {
    await sleep(Math.min(LOOK_EVERY_MS, until - Date.now()))
    seen = await look(shell, bursar, view, false)
  }
  const { account, available_amount } = await showWallet(bursar, view.wallet_id)
  const { credited, unconfirmed, block } = seen
  shell.output.show(options, {
    ...{ wallet_id: view.wallet_id, network: network.id, account, block },
    ...{ credited, unconfirmed_amount: unconfirmed, available_amount, currency: view.currency },
    agree: seen.chain === seen.books,
  })
  if (seen.chain !== seen.books) end(shell, options, view, seen)
  if (credited.length > 0) return
  const waiting = unitsOf(unconfirmed) > 0n ? `${unconfirmed} came in, and is not far enough confirmed yet. ` : ''
  const where = `Send USDC on ${network.name} to ${addressIn(account ?? '')}. `
  shell.output.note(options, `\n${waiting || where}\`bursar wallet fund ${view.name} --wait 600\` looks again.\n`)
}

export function reconcileCommand(wallet: Command, shell: Shell): void {
  wallet
    .command('reconcile')
    .description('Compare a wallet in USDC with the chain; a difference freezes it')
    .argument('<wallet>', 'id or name')
    .option('--accept', 'the difference is right, such as money that you took out: the books follow the chain')
    .option(...JSON_OPTION)
    .action((idOrName: string, options: JsonOption & { accept?: true }) =>
      options.accept ? accept(shell, idOrName, options) : compare(shell, idOrName, options),
    )
}

function compare(shell: Shell, idOrName: string, options: JsonOption): Promise<void> {
  return shell.withBursar(async ({ bursar }) => {
    const view = await showWallet(bursar, idOrName)
    const seen = await look(shell, bursar, view, true)
    const { credited, unconfirmed, block, chain, books } = seen
    const agree = chain === books
    const { status } = await showWallet(bursar, view.wallet_id)
    shell.output.show(options, {
      ...{ wallet_id: view.wallet_id, status, currency: view.currency, block, chain, books, agree },
      ...{ credited, unconfirmed_amount: unconfirmed },
    })
    if (!agree) end(shell, options, view, seen)
  })
}

function accept(shell: Shell, idOrName: string, options: JsonOption): Promise<void> {
  return shell.withOwner(async ({ bursar }, owner) => {
    const view = await showWallet(bursar, idOrName)
    const access = networkFor(await shell.program.chains(), view)
    const after = await asking(access, () => acceptDifference(bursar, owner, view.wallet_id))
    shell.output.show(options, after)
    if (after.status === 'frozen')
      shell.output.note(options, `\nIt is still frozen: \`bursar wallet unfreeze ${view.name}\` lets it pay again.\n`)
  })
}

async function look(shell: Shell, bursar: Bursar, view: WalletView, record: boolean): Promise<Reconciliation> {
  const access = networkFor(await shell.program.chains(), view)
  return asking(access, () => reconcile(bursar, view.wallet_id, record))
}

/** The answer is out; what is left to say is that it is not what it should be. */
function end(
  shell: Shell,
  options: JsonOption,
  { name, currency }: WalletView,
  { chain, books }: Reconciliation,
): never {
  const taken = unitsOf(chain) < unitsOf(books)
  const resolve = taken
    ? `If you took it out yourself: \`bursar wallet reconcile ${name} --accept\`. If not, somebody else has its key.`
    : `More is there than was seen to come in. Try another node; then \`bursar wallet reconcile ${name} --accept\` counts it.`
  const said = `The account holds ${chain} ${currency}; the books say ${books}. The wallet is frozen.`
  shell.output.note(options, `\n${said}\n${resolve}\nMore in docs/usdc.md.\n`)
  throw new Ended(EXIT.doctor)
}

export function confirmationsCommand(wallet: Command, shell: Shell): void {
  wallet
    .command('confirmations')
    .description('Set how far a chain must stand behind transfers and deposits, by amount')
    .argument('<wallet>', 'id or name')
    .argument('<tiers...>', CONFIRMATION, tiersOf(CONFIRMATIONS, CONFIRMATION))
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample: `bursar wallet confirmations shopping one_block:20.00 finalized`')
    .action((idOrName: string, tiers: Tiers<Confirmation>, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        const { wallet_id } = await showWallet(bursar, idOrName)
        const confirmations = tiers.map(({ upTo, kind }) => ({ up_to: upTo, at: kind }))
        shell.output.show(options, await setConfirmations(bursar, owner, wallet_id, confirmations))
      }),
    )
}
