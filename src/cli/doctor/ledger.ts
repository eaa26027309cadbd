import { listAgents, listLimits, listPayments, listWallets, owner } from '../../actions/owner/inspect.ts'
import type { WalletView } from '../../actions/wire.ts'
import { BursarError } from '../../core/errors.ts'
import { openNote, parseCheckpoint } from '../../core/note.ts'
import type { Bursar } from '../../ports.ts'
import type { Opened, Program } from '../program.ts'
import { chainFindings } from './chains.ts'
import { attempt, type Finding, fine, wrong } from './finding.ts'
import { passkeyFindings } from './passkeys.ts'

const OPENED = {
  file: 'all settings of SQLite hold',
  postgres: 'the schema is the one that this bursar knows',
} as const

/** Without one of each, a wallet does not pay. */
const NEEDED_WINDOWS = ['payment', 'session', 'day'] as const

/** What the database holds. That a file opens at all says that every setting of SQLite is as it must be: each is read back. */
export async function ledgerFindings(program: Program): Promise<readonly Finding[]> {
  let opened: Opened
  try {
    opened = await program.open()
  } catch (error) {
    if (error instanceof BursarError) return [wrong('opening', error.message, error.hint)]
    throw error
  }
  try {
    const { bursar } = opened
    const { owner_id, name } = await owner(bursar)
    return [
      fine('opening', OPENED[program.config().database.kind]),
      await attempt('checks', 'See docs/postgres.md.', () => checksFinding(bursar)),
      fine('owner', `${name}, ${owner_id}`),
      await agentsFinding(bursar),
      ...(await walletFindings(bursar)),
      await attempt('journal', 'Run `bursar journal verify`, which says where.', () => headsFinding(opened)),
      await doubtFinding(bursar),
      ...(await passkeyFindings(bursar)),
      ...(await chainFindings(program, bursar)),
    ]
  } finally {
    await opened.close()
  }
}

/** The database states each rule a second time: whoever may change the tables can take that away. */
async function checksFinding({ store }: Bursar): Promise<Finding> {
  const altered = await store.read.altered()
  if (altered.length === 0) return fine('checks', 'those of the database are as they were made')
  const more = altered.length > 3 ? ` and ${altered.length - 3} more` : ''
  return wrong(
    'checks',
    `${altered.slice(0, 3).join(' ')}${more}`,
    'Until they are as they were made, bursar writes nothing. Stop every bursar, run `bursar journal verify`, and go back to a backup, or find who altered them.',
  )
}

async function agentsFinding(bursar: Bursar): Promise<Finding> {
  const active = (await listAgents(bursar)).filter(({ status }) => status === 'active')
  if (active.length > 0) return fine('agents', active.map(({ name }) => name).join(', '))
  return wrong('agents', 'none is active', 'Add one with `bursar agent add NAME`.')
}

async function walletFindings(bursar: Bursar): Promise<readonly Finding[]> {
  const wallets = await listWallets(bursar)
  if (wallets.length === 0) return [wrong('wallets', 'there is none', 'Make one with `bursar wallet create NAME`.')]
  return Promise.all(wallets.map((wallet) => walletFinding(bursar, wallet)))
}

async function walletFinding(bursar: Bursar, wallet: WalletView): Promise<Finding> {
  const { wallet_id, name, available_amount, currency, status } = wallet
  const denying = (await listLimits(bursar, wallet_id)).filter(({ over }) => over === 'deny')
  const missing = NEEDED_WINDOWS.filter((needed) => !denying.some(({ window }) => window === needed))
  const found = `${name}, ${available_amount} ${currency} available, ${status}`
  if (missing.length === 0) return fine('wallet', found)
  const mend = `It cannot pay until \`bursar limit set ${name} --over deny\` sets a limit for each ${missing.join(', ')}.`
  return wrong('wallet', found, mend)
}

async function headsFinding({ bursar, noteKey }: Opened): Promise<Finding> {
  const heads = await bursar.store.read.heads()
  const broken = heads.find(
    ({ checkpoint, size }) => parseCheckpoint(openNote(checkpoint, [noteKey]).text).size !== size,
  )
  if (!broken) return fine('journal', `${heads.length} journals, the last checkpoint of each is signed`)
  return wrong(
    'journal',
    `the checkpoint of ${broken.journal} is not of its size`,
    'Run `bursar journal verify`, which says more.',
  )
}

async function doubtFinding(bursar: Bursar): Promise<Finding> {
  const doubtful = await listPayments(bursar, { status: 'in_doubt' })
  if (doubtful.length === 0) return fine('payments', 'none is in doubt')
  const found = `${doubtful.length} in doubt, the last is ${doubtful[0]?.payment_id}`
  return wrong(
    'payments',
    found,
    'Their money stays held. A running `bursar mcp` or `bursar serve` asks the rail again every half minute.',
  )
}
