import type { Command } from 'commander'
import { limitRelayer } from '../../actions/owner/chain.ts'
import { relayerView } from '../../actions/wallet-view.ts'
import type { RelayerView } from '../../actions/wire.ts'
import { addressIn } from '../../core/account.ts'
import { BursarError } from '../../core/errors.ts'
import { formatUnits } from '../../core/money.ts'
import { GWEI } from '../../core/network.ts'
import type { Bursar } from '../../ports.ts'
import type { Chains } from '../chains.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

const WEI_IN_GWEI = 1_000_000_000n

interface FundedView extends RelayerView {
  /** Whole coins; null where the chain cannot be asked. */
  readonly coins: string | null
  /** What they are, null where the network is not set up. */
  readonly native: string | null
}

const COLUMNS: readonly Column<FundedView>[] = [
  { title: 'relayer', of: ({ relayer }) => relayer },
  { title: 'coins', of: ({ coins }) => coins, align: 'right' },
  { title: 'spent today', of: ({ spent_today }) => spent_today, align: 'right' },
  { title: 'held', of: ({ held_today }) => held_today, align: 'right' },
  { title: 'daily max', of: ({ daily_max }) => daily_max, align: 'right' },
  { title: 'in', of: ({ native }) => native },
]

export function relayerCommand(root: Command, shell: Shell): void {
  const relayer = root.command('relayer').description("Accounts that pay networks' fees: list, limit")
  relayer
    .command('list')
    .description('List what each relayer has, and has spent today (UTC)')
    .option(...JSON_OPTION)
    .action((options: JsonOption) =>
      shell.withBursar(async ({ bursar }) => {
        const chains = await shell.program.chains()
        const views = await Promise.all((await relayersOf(bursar)).map((view) => funded(chains, view)))
        shell.output.list(options, views, COLUMNS)
      }),
    )
  relayer
    .command('limit')
    .description("Set the most that a relayer may spend in a day (UTC), in coins of its network; '0' stops it")
    .argument('<relayer>', 'CAIP-10, or its address where that is enough')
    .argument('<amount>', 'such as 0.01')
    .option(...JSON_OPTION)
    .action((account: string, amount: string, options: JsonOption) =>
      shell.withOwner(async ({ bursar }, owner) => {
        shell.output.show(options, await limitRelayer(bursar, owner, await relayerOf(bursar, account), amount))
      }),
    )
}

async function relayersOf(bursar: Bursar): Promise<readonly RelayerView[]> {
  const relayers = await bursar.store.read.list('relayers', {})
  return Promise.all(relayers.map((relayer) => relayerView(bursar, relayer)))
}

/** One account may pay on several networks, with a limit on each. @throws `not_found`, `argument_invalid` */
async function relayerOf(bursar: Bursar, account: string): Promise<string> {
  const asked = account.toLowerCase()
  const ids = (await relayersOf(bursar)).map(({ relayer }) => relayer)
  const found = ids.filter((id) => [id, addressIn(id)].some((name) => name.toLowerCase() === asked))
  if (found.length > 1)
    throw new BursarError('argument_invalid', `It pays on several networks: name one of ${found.join(', ')}.`)
  const [id] = found
  if (id === undefined)
    throw new BursarError('not_found', 'There is no such relayer. `bursar relayer list` shows them.')
  return id
}

async function funded(chains: Chains, view: RelayerView): Promise<FundedView> {
  const address = addressIn(view.relayer)
  const access = chains.networks().find(({ network }) => `${network.id}:${address}` === view.relayer)
  if (!access) return { ...view, coins: null, native: null }
  const coins = await chains.coins(access, address).catch((error: unknown) => {
    if (error instanceof BursarError) return null
    throw error
  })
  const amount = coins && formatUnits(coins.balance / WEI_IN_GWEI, GWEI.decimals)
  return { ...view, coins: amount, native: access.network.native }
}
