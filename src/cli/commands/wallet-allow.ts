import { Argument, type Command } from 'commander'
import { showWallet } from '../../actions/owner/inspect.ts'
import { setAllowances } from '../../actions/owner/wallets.ts'
import { ALLOWANCES, type Allowance } from '../../core/types.ts'
import { JSON_OPTION } from '../options.ts'
import type { JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

/** What each lets a purchase do. */
const MEANINGS: Readonly<Record<Allowance, string>> = {
  loopback: 'ask servers on this machine, by http too, and pay them',
  upfront: 'pay a seller who takes the money before it has anything ready, and keeps it if that fails',
  upto: 'sign a maximum, of which a seller takes what it says was used (Permit2)',
  v1: 'pay a seller who speaks version 1 of x402',
}

const EXAMPLES = `
Allowances:
${ALLOWANCES.map((one) => `  ${one.padEnd(8)}  ${MEANINGS[one]}`).join('\n')}

What is named is allowed, and nothing else from now on. Limits, approvals and constraints are as before.

For upto, limits and approvals count the maximum, and what the chain shows was not taken comes back. It works only as far as
the wallet's account lets Permit2 (0x000000000022D473030F116dDEE9F6B43aC78BA3) take its USDC. bursar never signs that: give
such an allowance with the account's own key elsewhere, for as much as you would risk; not without end.

Examples:
  bursar wallet allow shopping loopback
  bursar wallet allow shopping --none`

export function allowCommand(wallet: Command, shell: Shell): void {
  const command = wallet
    .command('allow')
    .description('Set what purchases on the web (x402) may do beyond what they always may')
    .argument('<wallet>', 'id or name, of a wallet in USDC')
    .addArgument(new Argument('[allowances...]', 'all that is allowed').choices(ALLOWANCES))
    .option('--none', 'take back whatever was allowed')
    .option(...JSON_OPTION)
    .addHelpText('after', EXAMPLES)
  command.action((idOrName: string, allowances: readonly Allowance[], options: JsonOption & { none?: true }) => {
    // Nothing named is more likely forgotten than meant.
    if ((allowances.length === 0) !== (options.none === true))
      command.error('error: name what is allowed, or give --none')
    return shell.withOwner(async ({ bursar }, owner) => {
      const { wallet_id } = await showWallet(bursar, idOrName)
      shell.output.show(options, await setAllowances(bursar, owner, wallet_id, allowances))
    })
  })
}
