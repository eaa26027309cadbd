import { listWallets } from '../../actions/owner/inspect.ts'
import type { WalletView } from '../../actions/wire.ts'
import { addressIn, shapeOf } from '../../core/account.ts'
import { BursarError } from '../../core/errors.ts'
import { formatUnits } from '../../core/money.ts'
import { assetId, GWEI, NETWORKS, networkOf } from '../../core/network.ts'
import type { ChainAccess } from '../../ports/chain.ts'
import type { Bursar } from '../../ports.ts'
import type { ChainHead, Chains } from '../chains.ts'
import { problemOf } from '../networks.ts'
import type { Program } from '../program.ts'
import { attempt, type Finding, fine, wrong } from './finding.ts'

/** The chains in the table make a block every few seconds. */
const NEWEST_OLD_SECONDS = 600
/** Where a chain has another one below it, its blocks become final about half an hour after they are made. */
const FINALIZED_OLD_SECONDS = 3 * 3_600
/** An authorization ends by the chain's clock, and begins by ours. */
const AHEAD_SECONDS = 120
const WEI_IN_GWEI = 1_000_000_000n

/** Networks, the accounts on them and their keys. Nothing where there is no network and no wallet on one. */
export async function chainFindings(program: Program, bursar: Bursar): Promise<readonly Finding[]> {
  const chains = await program.chains()
  const wallets = (await listWallets(bursar)).filter(({ account }) => account !== undefined)
  const networks = readable(chains)
  if ('check' in networks) return [networks, ...(await keyFindings(chains, wallets))]
  const { now } = bursar.clock
  const asked = await Promise.all([
    ...networks.map((access) => networkFinding(chains, access, now() / 1_000)),
    ...relayersOn(networks, wallets).map(([access, relayer]) => coinsFinding(chains, access, relayer)),
  ])
  const homeless = wallets.filter(({ asset }) => !networks.some((access) => assetOf(access) === asset))
  return [...asked, ...homeless.map(homelessFinding), ...(await keyFindings(chains, wallets))]
}

function readable(chains: Chains): readonly ChainAccess[] | Finding {
  try {
    return chains.networks()
  } catch (error) {
    if (!(error instanceof BursarError)) throw error
    return wrong('networks', error.message, 'Correct the file, or set the network anew with `bursar network set`.')
  }
}

async function networkFinding(chains: Chains, access: ChainAccess, now: number): Promise<Finding> {
  const { id, name } = access.network
  const report = await chains.examine(access)
  const problem = problemOf(report)
  if (problem !== null || !report.head) {
    const mend = `${problem} Ask who runs the node, or name another: \`bursar network set ${id}\`.`
    return wrong('network', `${name} does not answer as it should`, mend)
  }
  const late = timeProblem(access, report.head, now)
  if (late) return wrong('network', `${name}: ${late.found}`, late.mend)
  const nodes = access.nodes.length === 1 ? 'one node' : `${access.nodes.length} nodes that agree`
  return fine('network', `${name}: ${nodes}, block ${report.head.block}`)
}

interface TimeProblem {
  readonly found: string
  readonly mend: string
}

/** A chain of the owner's own may rest for as long as nobody uses it. */
function timeProblem({ network }: ChainAccess, { at, finalizedAt }: ChainHead, now: number): TimeProblem | null {
  const minutes = (seconds: number) => Math.round(seconds / 60)
  if (at - now > AHEAD_SECONDS)
    return {
      found: `its clock is ${minutes(at - now)} minutes ahead of this one`,
      mend: 'Set the clock of this machine: payments would be too late for the chain before they are signed.',
    }
  if (!NETWORKS.includes(network)) return null
  if (now - at > NEWEST_OLD_SECONDS)
    return {
      found: `the newest block is ${minutes(now - at)} minutes old`,
      mend: 'Its nodes do not follow the chain, or the clock of this machine is wrong.',
    }
  if (now - finalizedAt > FINALIZED_OLD_SECONDS)
    return {
      found: `the newest final block is ${minutes(now - finalizedAt)} minutes old`,
      mend: 'The chain, or what a node says of it, becomes final late. Amounts that wait for it wait.',
    }
  return null
}

function relayersOn(
  networks: readonly ChainAccess[],
  wallets: readonly WalletView[],
): readonly (readonly [ChainAccess, string])[] {
  const relayers = new Set(wallets.flatMap(({ relayer }) => relayer?.relayer ?? []))
  return networks.flatMap((access) =>
    Array.from(relayers)
      .filter((relayer) => relayer === `${access.network.id}:${addressIn(relayer)}`)
      .map((relayer) => [access, relayer] as const),
  )
}

async function coinsFinding(chains: Chains, access: ChainAccess, relayer: string): Promise<Finding> {
  const { name, native } = access.network
  const address = addressIn(relayer)
  try {
    const { balance, transfer } = await chains.coins(access, address)
    const found = `${shortened(address)} has ${formatUnits(balance / WEI_IN_GWEI, GWEI.decimals)} ${native}`
    if (balance >= transfer) return fine('relayer', found)
    const send = `send ${native} on ${name} to ${address}`
    return wrong('relayer', found, `It cannot pay the fee of a transfer: ${send}. Purchases on the web need none.`)
  } catch (error) {
    if (!(error instanceof BursarError)) throw error
    return wrong('relayer', `what ${shortened(address)} has for fees is not known`, error.message)
  }
}

function homelessFinding({ name, asset = '' }: WalletView): Finding {
  const id = networkOf(asset)
  return wrong(
    'wallet',
    `${name}: its network or token is not set up here`,
    `It cannot pay until \`bursar network set ${id}\` says by which nodes ${asset} is reached.`,
  )
}

/** Each is opened, one after the other: that takes memory on purpose. */
async function keyFindings(chains: Chains, wallets: readonly WalletView[]): Promise<readonly Finding[]> {
  const addresses = new Set(
    wallets.flatMap(({ account = '', relayer }) => [account, relayer?.relayer ?? account]).map(addressIn),
  )
  const findings: Finding[] = []
  for (const address of addresses)
    findings.push(await attempt('account key', 'See docs/usdc.md.', () => keyFinding(chains, address)))
  return findings
}

async function keyFinding(chains: Chains, address: string): Promise<Finding> {
  try {
    return fine('account key', `${shortened(address)} opens with ${await chains.openedBy(address)}`)
  } catch (error) {
    if (!(error instanceof BursarError)) throw error
    return wrong(
      'account key',
      `${shortened(address)} does not open`,
      `${error.message} Put the key file of ${address} back from a backup, or say where its passphrase is: BURSAR_VAULT_PASSPHRASE_FILE, the keychain.`,
    )
  }
}

function shortened(address: string): string {
  return `0x${shapeOf(address)}`
}

function assetOf({ network }: ChainAccess): string {
  return assetId(network.id, network.usdc)
}
