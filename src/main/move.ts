import { signIn } from '../actions/owner/sign-in.ts'
import type { MoveOptions, MoveReport } from '../cli/program.ts'
import type { Config, DatabaseConfig, Home } from '../config.ts'
import { configOf } from '../config.ts'
import { BursarError } from '../core/errors.ts'
import type { Moved, Side } from '../store/move/index.ts'
import { move, postgresSide, sqliteSide, takeBack } from '../store/move/index.ts'
import { systemClock } from '../system.ts'
import type { Log } from '../telemetry.ts'
import { readOwnerKeyFile, signerOf } from '../vault/keys.ts'
import { openExisting } from './open.ts'

/**
 * Moves the purse of this home to another database, or takes back the mark of a move that was not finished. Whoever says where
 * money is booked is the owner.
 *
 * @throws `passphrase_wrong`, and as `move` and `takeBack` do
 */
export async function moveStore(config: Config, log: Log, options: MoveOptions): Promise<MoveReport> {
  const to = databaseOf(options.to)
  const { bursar, noteKey, close } = await openExisting(config, log)
  const sides: Side[] = []
  try {
    const source = await sideOf(config.database, config.home)
    sides.push(source)
    const owner = await ownerOf(config, options.passphrase)
    const isMarked = (await source.marked()) !== null
    if (owner instanceof BursarError) {
      // A purse that is marked takes no more events: the failure is told and not recorded.
      if (!isMarked) await signIn(bursar, () => Promise.reject(owner), 'cli')
      throw owner
    }
    if (!(await bursar.store.read.one('owners', { publicKey: owner.publicKey })))
      throw new BursarError('config_invalid', 'The owner key in this home is not the owner of this database.')
    const target = await sideOf(to, config.home)
    sides.push(target)
    if (options.undo) {
      await takeBack({ source, target })
      return { moved: false, undone: true }
    }
    const before = async () => void (await signIn(bursar, async () => owner, 'cli'))
    return reportOf(await move({ source, target, key: noteKey, before, reached: options.reached }))
  } finally {
    for (const side of sides) await side.close()
    await close()
  }
}

async function ownerOf({ home }: Config, passphrase: string) {
  try {
    const pair = await readOwnerKeyFile(home.ownerKey, passphrase)
    return { publicKey: pair.publicKey, sign: signerOf(pair) }
  } catch (error) {
    if (error instanceof BursarError) return error
    throw error
  }
}

/** The sandbox's card network is beside a file, in the home; and in a database of PostgreSQL, within it. */
async function sideOf(database: DatabaseConfig, home: Home): Promise<Side> {
  if (database.kind === 'postgres') return postgresSide(database.url)
  const make = async (path: string) => {
    const { sandboxIssuer } = await import('../rails/card/sandbox/sandbox.ts')
    const { close } = await sandboxIssuer({ path, clock: systemClock })
    close()
  }
  return sqliteSide(database.path, { path: home.cards, make })
}

function databaseOf(url: string): DatabaseConfig {
  try {
    return configOf({ BURSAR_DATABASE_URL: url }).database
  } catch {
    throw new BursarError('argument_invalid', '--to is file:PATH or postgres://USER@HOST/DATABASE.')
  }
}

function reportOf({ before, rows, balances, heads, cards }: Moved): MoveReport {
  return {
    ...{ moved: true, undone: false, before },
    rows,
    sandbox_cards: cards,
    wallets: balances.map(({ walletId, available, held }) => ({
      wallet_id: walletId,
      available_units: `${available}`,
      held_units: `${held}`,
    })),
    journals: heads.map(({ journal, size, checkpoint }) => ({ journal, size, checkpoint })),
  }
}
