import type { Command } from 'commander'
import { listWallets } from '../../actions/owner/inspect.ts'
import { createWallet, type WalletInput } from '../../actions/owner/wallets.ts'
import type { WalletView } from '../../actions/wire.ts'
import { accountId, addressIn } from '../../core/account.ts'
import { USDC } from '../../core/asset.ts'
import { BursarError } from '../../core/errors.ts'
import { ASSURANCES, CONFIRMATIONS, type Confirmation } from '../../core/types.ts'
import type { ChainAccess } from '../../ports/chain.ts'
import type { Bursar } from '../../ports.ts'
import type { Chains } from '../chains.ts'
import { agentIdOf } from '../lookup.ts'
import { accessTo } from '../networks.ts'
import { JSON_OPTION, oneOf } from '../options.ts'
import { factLines, type JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'
import { type ApprovalTiers, approvalTiersOf, type Tiers, tiersOf } from '../tiers.ts'

export const APPROVAL = `assurance and, but for the last tier, up to which amount: ${ASSURANCES.join(', ')}; host:50.00; by two owners: 2xpasskey`
export const CONFIRMATION = `confirmation and, but for the last tier, up to which amount: ${CONFIRMATIONS.join(', ')}; one_block:100.00`

interface ChainOptions {
  readonly network?: string
  readonly import?: true
  readonly relayer?: 'shared' | 'own'
  readonly keychain?: true
  readonly confirmation?: Tiers<Confirmation>
}

interface CreateOptions extends JsonOption, ChainOptions {
  readonly currency?: string
  readonly asset?: typeof USDC
  readonly mode?: 'sandbox' | 'live'
  readonly agent?: string
  readonly timeZone?: string
  readonly approval?: ApprovalTiers
}

const EXAMPLES = `
A wallet in USDC has an account of its own on one network. Its key is made here, or read with --import: typed unseen, or
one line on stdin. It is sealed at once, and never shown. The account that pays the fees is shared by all wallets of a
mode, unless --relayer own says that the wallet's account pays them itself.

Examples:
  bursar wallet create travel --currency EUR
  bursar wallet create shopping --asset USDC --network eip155:84532
  bursar wallet create shopping --asset USDC --network eip155:84532 --import < key.txt`

export function createCommand(wallet: Command, shell: Shell): void {
  const command = wallet
    .command('create')
    .description('Make a wallet, empty, with the default limits')
    .argument('<name>')
    .option('--currency <code>', 'ISO 4217 (default: USD)')
    .addOption(oneOf('--asset <asset>', 'money on a chain, in place of --currency', [USDC]))
    .option('--network <network>', 'which chain, as `bursar network list` shows it')
    .option('--import', 'read the private key of an account that there is already')
    .addOption(oneOf('--relayer <which>', 'who pays the fees (default: shared)', ['shared', 'own']))
    .option('--keychain', 'seal keys with a passphrase in the keychain of the system')
    .option('--confirmation <tier>', CONFIRMATION, tiersOf(CONFIRMATIONS, CONFIRMATION))
    .addOption(
      oneOf('--mode <mode>', 'live moves real money (default: sandbox, or as the network is)', ['sandbox', 'live']),
    )
    .option('--agent <agent>', 'the only agent that may use it (default: every agent)')
    .option('--time-zone <zone>', 'IANA time zone in which its days and months begin')
    .option('--approval <tier>', APPROVAL, approvalTiersOf(APPROVAL))
    .option(...JSON_OPTION)
    .addHelpText('after', EXAMPLES)
  command.action((name: string, options: CreateOptions) => {
    const problem = problemOf(options)
    if (problem !== null) command.error(`error: ${problem}`)
    // A name is in the journal for ever.
    if (/^(0x)?[0-9a-f]{64}$/i.test(name)) command.error('error: a private key is not a name; --import reads it')
    return shell.withOwner(async ({ bursar }, owner) => {
      const common = await inputOf(bursar, name, options)
      if (options.network === undefined) {
        const input = { ...common, currency: options.currency ?? 'USD', mode: options.mode ?? 'sandbox' }
        return shell.output.show(options, await createWallet(bursar, owner, input))
      }
      const chains = await shell.program.chains()
      const access = accessTo(chains, options.network)
      const chain = await chainInput(shell, bursar, chains, access, options)
      const mode = options.mode ?? modeOf(access)
      const made = await createWallet(bursar, owner, { ...common, currency: USDC, mode, chain })
      shell.output.show(options, made)
      shell.output.note(options, nextSteps(access, made))
    })
  })
}

/** Options that do not go together. */
function problemOf({ asset, currency, ...options }: CreateOptions): string | null {
  const ofChains = ['network', 'import', 'relayer', 'keychain', 'confirmation'] as const
  const given = ofChains.find((option) => options[option] !== undefined)
  if (asset === undefined) return given === undefined ? null : `--${given} is for a wallet with --asset USDC`
  if (options.network === undefined) return 'a wallet with --asset USDC needs --network'
  return currency === undefined ? null : 'a wallet has --currency or --asset, not both'
}

async function inputOf(
  bursar: Bursar,
  name: string,
  { agent, timeZone, approval }: CreateOptions,
): Promise<Omit<WalletInput, 'currency' | 'mode'>> {
  return {
    name,
    agentId: agent === undefined ? undefined : await agentIdOf(bursar, agent),
    timeZone,
    approvals: approval,
  }
}

/**
 * The keys come first: a wallet whose account nobody can sign for would lose what is sent to it. Where making the wallet
 * then fails, a key is left that nothing uses, and no harm is done.
 */
async function chainInput(
  { terminal }: Shell,
  bursar: Bursar,
  chains: Chains,
  access: ChainAccess,
  options: CreateOptions,
): Promise<NonNullable<WalletInput['chain']>> {
  const { network } = access
  const sealing = { live: !network.testnet, keychain: options.keychain === true }
  const given = options.import ? await importedKey(terminal) : null
  const address = await chains.keep(given, sealing)
  const account = accountId({ network: network.id, address })
  if ((await listWallets(bursar)).some((wallet) => wallet.account === account))
    throw new BursarError('already_exists', 'There is a wallet of this account.')
  const payer =
    options.relayer === 'own'
      ? address
      : ((await sharedRelayer(bursar, chains, access)) ?? (await chains.keep(null, sealing)))
  return {
    ...{ network, account },
    relayer: accountId({ network: network.id, address: payer }),
    confirmations: options.confirmation?.map(({ upTo, kind }) => ({ up_to: upTo, at: kind })),
  }
}

async function importedKey(terminal: Shell['terminal']): Promise<string> {
  const text = await (terminal.interactive ? terminal.secret('The private key of the account') : terminal.line())
  return text.trim()
}

/**
 * The account that pays fees for other wallets already, on whichever network. Wallets with real money have another one
 * than those without: a key that is sealed for play may lie beside its passphrase.
 */
async function sharedRelayer(bursar: Bursar, chains: Chains, access: ChainAccess): Promise<string | null> {
  const keys = chains.accounts()
  const shared = (await listWallets(bursar))
    .filter(({ mode, account, relayer }) => mode === modeOf(access) && relayer && relayer.relayer !== account)
    .map(({ relayer }) => addressIn(relayer?.relayer as string))
  return shared.find((address) => keys.includes(address)) ?? null
}

function modeOf({ network }: ChainAccess): 'sandbox' | 'live' {
  return network.testnet ? 'sandbox' : 'live'
}

function nextSteps({ network }: ChainAccess, { name, account = '', relayer }: WalletView): string {
  const facts = [
    [`Send USDC on ${network.name} to`, addressIn(account)],
    [`Send ${network.native} for fees there to`, addressIn(relayer?.relayer ?? account)],
  ] as const
  return `
${factLines(facts)}
Then \`bursar wallet fund ${name}\` looks for it. \`bursar relayer list\` shows what there is for fees.
The keys are sealed in this home: \`bursar backup --with-keys\` copies them.
`
}
