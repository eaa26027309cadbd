import { formatUnits } from '../../src/core/money.ts'
import type { Chain } from '../../test/support/chain.ts'
import { ownerPassphrase, works } from '../house.ts'
import type { Play } from '../play.ts'
import type { Stage } from '../stage.ts'

export const WALLET = 'onchain'
const DECIMALS = 6
const DEPOSIT = 500_000_000n
/** wei: a hundredth of an ether. */
const COINS = 10n ** 16n

/** A chain, and a wallet on it. */
export interface Ground {
  readonly chain: Chain
  readonly account: `0x${string}`
}

/** Starts a node with the test token. Null where what that takes is not installed, as beside a program without its checkout. */
export async function startGround(stage: Stage): Promise<Chain | null> {
  await stage.act(
    'chain',
    'starts: anvil, an Ethereum node on this machine, and on it a token that does what USDC does',
  )
  const chain = await startedChain(stage)
  if (chain === null) {
    stage.note('There is no node here: it comes with a checkout of bursar, in which `npm run demo` tells this chapter.')
    return null
  }
  const id = Number(await chain.rpc('eth_chainId'))
  stage.check(`${chain.network} is there, with no money on it`, `eip155:${id}`, chain.network, chain.url)
  return chain
}

async function startedChain(stage: Stage): Promise<Chain | null> {
  const began = Date.now()
  const seconds = () => Math.round((Date.now() - began) / 1000)
  const beat = setInterval(() => stage.passing(`${seconds()} s (the first time, the token is compiled)`), 1000)
  try {
    const { startChain } = await import('../../test/support/chain.ts')
    return await startChain()
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(code)) return null
    throw error
  } finally {
    clearInterval(beat)
    stage.passing('')
  }
}

interface MadeWallet {
  readonly mode: string
  readonly currency: string
  readonly available_amount: string
  readonly account: string
  readonly relayer: { readonly relayer: string }
}

interface Seen {
  readonly available_amount: string
  readonly unconfirmed_amount: string
  readonly agree: boolean
}

/** The owner's part: says where the chain is, makes a wallet on it, and sends it money. */
export async function fundedWallet(play: Play, chain: Chain): Promise<Ground> {
  const { stage, house } = play
  const home = { BURSAR_HOME: house.home }
  const owner = { ...home, BURSAR_OWNER_PASSPHRASE: ownerPassphrase(house) }
  await stage.act('you', `bursar network set ${chain.network} --node ${chain.url} --token ${chain.token} …`)
  const token = ['--token', chain.token, '--token-name', 'USD Coin', '--token-version', '2', '--decimals', '6']
  const set = await works(['network', 'set', chain.network, '--node', chain.url, ...token, '--json'], owner)
  const { network, mode } = JSON.parse(set) as { network: string; mode: string }
  stage.check('asked, and it is that chain and that token', [network, mode], [chain.network, 'sandbox'])
  await stage.act('you', `bursar wallet create ${WALLET} --asset USDC --network ${chain.network}`)
  const create = ['wallet', 'create', WALLET, '--asset', 'USDC', '--network', chain.network, '--json']
  const made = JSON.parse(await works(create, owner)) as MadeWallet
  const account = addressIn(made.account)
  stage.check(
    'an account of its own, whose key is sealed in this home',
    [made.mode, made.currency, made.available_amount, made.account],
    ['sandbox', 'USDC', exact(0n), `${chain.network}:${account}`],
    account,
  )
  await stage.act(
    'chain',
    `your transfers arrive: ${short(DEPOSIT)} USDC in the account, 0.01 ETH for fees in its relayer`,
  )
  await chain.give(addressIn(made.relayer.relayer), COINS)
  await chain.mint(account, DEPOSIT)
  await stage.act('you', `bursar wallet fund ${WALLET}`)
  const early = await look(home)
  stage.check(
    'seen, and not counted yet: over 100.00 one block is not enough',
    [early.available_amount, early.unconfirmed_amount, early.agree],
    [exact(0n), exact(DEPOSIT), true],
  )
  await stage.act('chain', 'two more blocks')
  await chain.mine(2)
  await stage.act('you', `bursar wallet fund ${WALLET}`)
  const { available_amount, unconfirmed_amount, agree } = await look(home)
  stage.check(
    `${short(DEPOSIT)} USDC are there`,
    [available_amount, unconfirmed_amount, agree],
    [exact(DEPOSIT), exact(0n), true],
  )
  return { chain, account }
}

async function look(home: Readonly<Record<string, string>>): Promise<Seen> {
  return JSON.parse(await works(['wallet', 'fund', WALLET, '--json'], home)) as Seen
}

/** The address in a CAIP-10 id. */
function addressIn(account: string): `0x${string}` {
  return account.slice(account.lastIndexOf(':') + 1) as `0x${string}`
}

/** As bursar writes it: with all its digits. */
export function exact(units: bigint): string {
  return formatUnits(units, DECIMALS)
}

/** As people write it, where it is whole cents. */
export function short(units: bigint): string {
  return exact(units).replace(/(\.\d\d)0+$/, '$1')
}
