import { listAgents, listLimits, listPayments, listWallets, owner } from '../../actions/owner/inspect.ts'
import type { WalletView } from '../../actions/wire.ts'
import { BursarError } from '../../core/errors.ts'
import { openNote, parseCheckpoint } from '../../core/note.ts'
import type { Bursar } from '../../ports.ts'
import type { Opened, Program } from '../program.ts'
import { chainFindings } from './chains.ts'
import { attempt, type Finding, fine, wrong } from './finding.ts'
import { passkeyFindings } from './passkeys.ts'

/** Without one of each, a wallet does not pay. */
const NEEDED_WINDOWS = ['payment', 'session', 'day'] as const

/** What the database holds. That it opens at all says that every setting of SQLite is as it must be: each is read back. */
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
    const { owner_id, name } = owner(bursar)
    return [
      fine('opening', 'all settings of SQLite hold'),
      fine('owner', `${name}, ${owner_id}`),
      agentsFinding(bursar),
      ...walletFindings(bursar),
      await attempt('journal', 'Run `bursar journal verify`, which says where.', () => headsFinding(opened)),
      doubtFinding(bursar),
      ...passkeyFindings(bursar),
      ...(await chainFindings(program, bursar)),
    ]
  } finally {
    await opened.close()
  }
}

function agentsFinding(bursar: Bursar): Finding {
  const active = listAgents(bursar).filter(({ status }) => status === 'active')
  if (active.length > 0) return fine('agents', active.map(({ name }) => name).join(', '))
  return wrong('agents', 'none is active', 'Add one with `bursar agent add NAME`.')
}

function walletFindings(bursar: Bursar): readonly Finding[] {
  const wallets = listWallets(bursar)
  if (wallets.length === 0) return [wrong('wallets', 'there is none', 'Make one with `bursar wallet create NAME`.')]
  return wallets.map((wallet) => walletFinding(bursar, wallet))
}

function walletFinding(bursar: Bursar, wallet: WalletView): Finding {
  const { wallet_id, name, available_amount, currency, status } = wallet
  const denying = listLimits(bursar, wallet_id).filter(({ over }) => over === 'deny')
  const missing = NEEDED_WINDOWS.filter((needed) => !denying.some(({ window }) => window === needed))
  const found = `${name}, ${available_amount} ${currency} available, ${status}`
  if (missing.length === 0) return fine('wallet', found)
  const mend = `It cannot pay until \`bursar limit set ${name} --over deny\` sets a limit for each ${missing.join(', ')}.`
  return wrong('wallet', found, mend)
}

function headsFinding({ bursar, noteKey }: Opened): Finding {
  const heads = bursar.store.read.heads()
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

function doubtFinding(bursar: Bursar): Finding {
  const doubtful = listPayments(bursar, { status: 'in_doubt' })
  if (doubtful.length === 0) return fine('payments', 'none is in doubt')
  const found = `${doubtful.length} in doubt, the last is ${doubtful[0]?.payment_id}`
  return wrong(
    'payments',
    found,
    'Their money stays held. A running `bursar mcp` asks the rail again every half minute.',
  )
}
