import type { Report } from '../../src/core/verify/index.ts'
import type { Agent, Purchase } from '../agent.ts'
import { bursar, ownerPassphrase, works } from '../house.ts'
import type { Play } from '../play.ts'
import { refused } from '../play.ts'
import { exact, type Ground, short, WALLET } from './usdc-ground.ts'

const TAKEN = 100_000_000n
const LITTLE = 1_000_000n

/** What `bursar wallet reconcile` says it does when the two differ. */
const DIFFER = 4

interface Compared {
  readonly status: string
  readonly chain: string
  readonly books: string
  readonly agree: boolean
}

/** Somebody else has the key, or the owner forgot: money leaves the account, and no payment says so. */
export async function frozenByTheft(
  play: Play,
  { chain, account }: Ground,
  agent: Agent,
  purchase: Pick<Purchase, 'instrument_id' | 'payee'>,
): Promise<void> {
  const { stage, house } = play
  const home = { BURSAR_HOME: house.home }
  await stage.act('thief', `has a copy of the key, and moves ${short(TAKEN)} USDC out of the account without bursar`)
  await chain.takeAway(account, TAKEN)
  const has = await chain.balance(account)
  await stage.act('you', `bursar wallet reconcile ${WALLET}     (a bursar that runs does it twice a minute)`)
  const { code, stdout } = await bursar(['wallet', 'reconcile', WALLET], home)
  const [said = ''] = /The account holds .*? The wallet is frozen\./s.exec(stdout) ?? []
  stage.check(
    'exit 4, and it says why',
    [code, said],
    [DIFFER, `The account holds ${exact(has)} USDC; the books say ${exact(has + TAKEN)}. The wallet is frozen.`],
    said,
  )
  await stage.act('agent', `pay_with_instrument: ${short(LITTLE)} USDC to the shop that was paid before`)
  const next = { ...purchase, amount: exact(LITTLE), purpose: 'One more file' }
  await refused(play, agent, next, 'spending_frozen', 'wallet.status')
  await stage.act('you', `bursar wallet reconcile ${WALLET} --accept     (asks for your passphrase)`)
  const owner = { ...home, BURSAR_OWNER_PASSPHRASE: ownerPassphrase(house) }
  const after = JSON.parse(await works(['wallet', 'reconcile', WALLET, '--accept', '--json'], owner)) as Compared
  stage.check('the loss is on record; the wallet stays frozen until you say otherwise', after.status, 'frozen')
}

/** Both sides of the same money, and the journal. */
export async function booksAgree({ stage, house }: Play, { chain, account }: Ground): Promise<void> {
  const home = { BURSAR_HOME: house.home }
  await stage.act('you', `bursar wallet reconcile ${WALLET}`)
  const compared = JSON.parse(await works(['wallet', 'reconcile', WALLET, '--json'], home)) as Compared
  const onChain = exact(await chain.balance(account))
  stage.check(
    `the chain has ${onChain} USDC, the books say ${compared.books} USDC: the same, to the unit`,
    [compared.chain, compared.books, compared.agree],
    [onChain, onChain, true],
  )
  await stage.act('you', 'bursar journal verify')
  const { ok, problems, events } = JSON.parse(await works(['journal', 'verify', '--json'], home)) as Report
  stage.check(`holds: ${events} events`, [ok, problems], [true, []])
}
