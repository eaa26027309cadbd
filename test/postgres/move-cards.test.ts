import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { recover } from '../../src/actions/recover.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import { sharedSandboxIssuer } from '../../src/rails/card/sandbox/sandbox-postgres.ts'
import { move, postgresSide, type Side, sqliteSide } from '../../src/store/move/index.ts'
import { hostUrls } from '../../src/store/postgres/hosts.ts'
import { buy, makeCard, makePurse, type Purse, temporaryFolder } from '../support/purse.ts'
import { emptyDatabase, keyOf, payLost, problemsOf, purseOn } from './move-purse.ts'

/** A file whose card network is beside it, as in a home. */
async function fileSide(path: string, cards: string): Promise<Side> {
  const make = async (file: string) => (await sandboxIssuer({ path: file, clock: { now: () => 0 } })).close()
  const side = sqliteSide(path, { path: cards, make })
  onTestFinished(() => side.close())
  return side
}

async function databaseSide(url: string): Promise<Side> {
  const side = await postgresSide(url)
  onTestFinished(() => side.close())
  return side
}

async function withCards(purse: Purse, where: string, cards: string | null): Promise<Purse> {
  const { clock } = purse.bursar
  const sandbox = cards
    ? await sandboxIssuer({ path: cards, clock })
    : await sharedSandboxIssuer({ urls: hostUrls(where), clock })
  onTestFinished(async () => sandbox.close())
  const there = await purseOn(purse, where)
  return { ...there, bursar: { ...there.bursar, rails: { virtual_card: cardRail(sandbox.issuer, sandbox.network) } } }
}

const LATER_MS = 20 * 60_000

const paymentOf = async ({ bursar }: Purse, id: string) => (await bursar.store.read.one('payments', { id }))!

describe('the sandbox card network of a purse that is moved', () => {
  it('goes with it: what was under way is settled there by recovery, and cards pay on', async () => {
    const purse = await makePurse()
    const card = await makeCard(purse, { usage_limit: 9 })
    await buy(purse, card, '20.00')
    await recover(purse.bursar)
    const first = await payLost(purse, card)
    const url = await emptyDatabase()
    const file = join(purse.folder, 'issuer.db')
    const { cards } = await move({
      ...{ source: await fileSide(purse.path, file), target: await databaseSide(url), key: keyOf(purse) },
    })
    expect(cards).toMatchObject({ cards: 1, authorizations: 2 })

    const moved = await withCards(purse, url, null)
    expect((await paymentOf(moved, first)).status).toBe('in_doubt')
    await recover(moved.bursar)
    expect(await paymentOf(moved, first)).toMatchObject({ status: 'captured', captured: 1000n })
    expect(await buy(moved, card, '30.00')).toMatchObject({ status: 'captured' })
    const second = await payLost(moved, card)
    expect(await problemsOf(moved)).toEqual([])

    // Back to the same home: the file of before is kept beside the one that counts now.
    const back = join(temporaryFolder(), 'bursar.db')
    await move({ source: await databaseSide(url), target: await fileSide(back, file), key: keyOf(purse) })
    expect(existsSync(`${file}.old-1`)).toBe(true)
    const again = await withCards(purse, back, file)
    again.time.now += LATER_MS
    await recover(again.bursar)
    expect(await paymentOf(again, second)).toMatchObject({ status: 'captured', captured: 1000n })
    expect(await buy(again, card, '40.00')).toMatchObject({ status: 'captured' })
    expect(await problemsOf(again)).toEqual([])
  }, 120_000)

  it('is not there afterwards where there was none, whatever a run that was killed left behind', async () => {
    const purse = await makePurse()
    const url = await emptyDatabase()
    const [none, file] = [join(purse.folder, 'none.db'), join(purse.folder, 'cards.db')]
    const there = await move({
      ...{ source: await fileSide(purse.path, none), target: await databaseSide(url), key: keyOf(purse) },
    })
    expect(there.cards).toBe(null)
    writeFileSync(`${file}.moving`, 'half a file')
    const back = join(temporaryFolder(), 'bursar.db')
    await move({ source: await databaseSide(url), target: await fileSide(back, file), key: keyOf(purse) })
    expect([existsSync(file), existsSync(`${file}.moving`)]).toEqual([false, false])
  })
})
