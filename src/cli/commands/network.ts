import { type Command, InvalidArgumentError } from 'commander'
import { BursarError } from '../../core/errors.ts'
import { NETWORKS, type Token } from '../../core/network.ts'
import type { ChainReport } from '../chains.ts'
import { type NetworkView, networkView, problemOf } from '../networks.ts'
import { JSON_OPTION } from '../options.ts'
import type { Column, JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

interface CheckedView extends NetworkView {
  readonly check?: ChainReport
}

const COLUMNS: readonly Column<CheckedView>[] = [
  { title: 'network', of: ({ network }) => network },
  { title: 'name', of: ({ name, network }) => (name === network ? null : name) },
  { title: 'mode', of: ({ mode }) => mode },
  { title: 'token', of: ({ token }) => token.address },
  { title: 'nodes', of: ({ nodes }) => nodes.length, align: 'right' },
  { title: 'hosts', of: ({ nodes }) => nodes.join(' ') },
]

const CHECKED: Column<CheckedView> = {
  title: 'now',
  of: ({ check }) => check && (problemOf(check) ?? `block ${check.head?.block}`),
}

interface SetOptions extends JsonOption {
  readonly node: readonly string[]
  readonly token?: string
  readonly tokenName?: string
  readonly tokenVersion?: string
  readonly decimals?: number
  readonly unchecked?: true
}

export function networkCommand(root: Command, shell: Shell): void {
  const network = root
    .command('network')
    .description('Chains, and the nodes that they are reached by: set, list, remove')
  setCommand(network, shell)
  listCommand(network, shell)
  network
    .command('remove')
    .description('Forget the nodes of a network; wallets on it no longer pay, and keep their money')
    .argument('<network>', CAIP_2)
    .option(...JSON_OPTION)
    .action((id: string, options: JsonOption) =>
      shell.withOwner(async () => {
        const chains = await shell.program.chains()
        if (!chains.remove(id)) throw new BursarError('not_found', 'There is no such network here.')
        shell.output.show(options, { network: id, removed: true })
        shell.output.note(options, RESTART)
      }),
    )
}

const CAIP_2 = 'CAIP-2, such as eip155:84532'
const RESTART = 'A `bursar mcp` that runs already has read the networks: restart it.\n'

const KNOWN = `
Networks whose USDC bursar knows:
${NETWORKS.map(({ id, name }) => `  ${id.padEnd(16)}  ${name}`).join('\n')}

Any other EVM chain needs a token that --token and the options after it describe. Unless it is a local one (31337 or
1337), wallets on it are live.

A node is https://…, or http:// on this machine. Its URL stays in networks.json in BURSAR_HOME, and in the history of your
shell: if it holds a secret, write it into networks.json instead. Two nodes of different providers must agree on all that
counts; then one of them alone cannot make bursar believe in money that is not there.`

function setCommand(network: Command, shell: Shell): void {
  const command: Command = network
    .command('set')
    .description('Say by which nodes a network is reached, in place of those before; they are asked at once')
    .argument('<network>', CAIP_2)
    .requiredOption('--node <url>', 'JSON-RPC over https; up to three times', collect)
    .option('--token <address>', 'of a network that bursar does not know: its token')
    .option('--token-name <name>', 'as its EIP-712 domain says')
    .option('--token-version <version>', 'as its EIP-712 domain says')
    .option('--decimals <number>', '0 to 9', decimals)
    .option('--unchecked', 'ask nobody')
    .option(...JSON_OPTION)
    .addHelpText('after', KNOWN)
  command.action((id: string, options: SetOptions) => {
    const token = tokenOf(options)
    if (token === undefined) command.error('error: a token needs --token, --token-name, --token-version and --decimals')
    return shell.withOwner(async () => {
      const chains = await shell.program.chains()
      const access = chains.access(id, options.node, token)
      if (!options.unchecked) assertFine(await chains.examine(access))
      chains.set(access)
      shell.output.show(options, networkView(access))
      shell.output.note(options, RESTART)
    })
  })
}

/** Null for none, undefined for a part of one. */
function tokenOf({ token, tokenName, tokenVersion, decimals }: SetOptions): Token | null | undefined {
  if ([token, tokenName, tokenVersion, decimals].every((part) => part === undefined)) return null
  if (token === undefined || tokenName === undefined || tokenVersion === undefined || decimals === undefined)
    return undefined
  return { address: token, name: tokenName, version: tokenVersion, decimals }
}

/** @throws `argument_invalid` for another chain or token, `rail_unavailable` where that is not known */
function assertFine(report: ChainReport): void {
  const problem = problemOf(report)
  if (problem === null) return
  const other = report.nodes.some((node) => node.answered && node.problem !== null)
  throw new BursarError(
    other ? 'argument_invalid' : 'rail_unavailable',
    `${problem} Nothing was written; with --unchecked it is.`,
  )
}

function listCommand(network: Command, shell: Shell): void {
  network
    .command('list')
    .description('List the networks that are set up')
    .option('--check', 'ask their nodes, too')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption & { check?: true }) => {
      const chains = await shell.program.chains()
      const views = chains.networks().map(
        async (access): Promise<CheckedView> => ({
          ...networkView(access),
          ...(options.check && { check: await chains.examine(access) }),
        }),
      )
      shell.output.list(options, await Promise.all(views), options.check ? [...COLUMNS, CHECKED] : COLUMNS)
    })
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

function decimals(text: string): number {
  if (!/^[0-9]$/.test(text)) throw new InvalidArgumentError('It is a number from 0 to 9.')
  return Number(text)
}
