import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startReconciler, type Turn } from '../../src/actions/reconciler.ts'
import { recover } from '../../src/actions/recover.ts'
import type { Rail } from '../../src/ports.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import { buy, makeCard, makePurse, temporaryFolder } from '../support/purse.ts'

const NEVER = 1_000_000

function started(work: () => Promise<void>, options: { afterMs?: number; everyMs?: number } = {}) {
  const turns: Turn[] = []
  const reconciler = startReconciler(work, {
    ...{ afterMs: NEVER, everyMs: NEVER, ...options },
    observe: (turn) => void turns.push(turn),
  })
  onTestFinished(() => reconciler.stop())
  return { reconciler, turns }
}

/** Resolves with the turn of this number, when it has ended. */
async function turnOf(turns: readonly Turn[], number: number): Promise<Turn> {
  for (;;) {
    const turn = turns.find((one) => one.number === number)
    if (turn) return turn
    await sleep(1)
  }
}

describe('the reconciler', () => {
  it('works by itself, again and again', async () => {
    let worked = 0
    const work = async () => {
      worked += 1
    }
    const { turns } = started(work, { afterMs: 1, everyMs: 1 })
    await turnOf(turns, 3)
    expect(worked).toBeGreaterThanOrEqual(3)
    expect(turns.slice(0, 3)).toMatchObject([1, 2, 3].map((number) => ({ number, error: null })))
  })

  it('takes one turn at a time, however often it is asked', async () => {
    let atWork = 0
    const { reconciler, turns } = started(async () => {
      atWork += 1
      expect(atWork).toBe(1)
      await sleep(2)
      atWork -= 1
    })
    await Promise.all(Array.from({ length: 5 }, () => reconciler.now()))
    expect(turns.map(({ number, error }) => [number, error])).toEqual([1, 2, 3, 4, 5].map((number) => [number, null]))
  })

  it('tells of a turn that failed, and goes on', async () => {
    const failure = new Error('The rail is away.')
    let turn = 0
    const { turns } = started(
      async () => {
        turn += 1
        if (turn === 1) throw failure
      },
      { afterMs: 1, everyMs: 1 },
    )
    expect(await turnOf(turns, 1)).toMatchObject({ error: failure })
    expect(await turnOf(turns, 2)).toMatchObject({ error: null })
  })

  it('begins no turn once it was stopped, and lets the one that is running end', async () => {
    let end = (): void => undefined
    const running = new Promise<void>((resolve) => {
      end = resolve
    })
    let worked = 0
    const { reconciler } = started(() => {
      worked += 1
      return running
    })
    const turn = reconciler.now()
    const next = reconciler.now()
    await sleep(1)
    let stopped = false
    const stop = reconciler.stop().then(() => {
      stopped = true
    })
    await sleep(1)
    expect([worked, stopped]).toEqual([1, false])
    end()
    await Promise.all([turn, next, stop])
    expect([worked, stopped]).toEqual([1, true])
  })

  it('settles, for every rail, what a lost answer left open', async () => {
    const folder = temporaryFolder()
    const clock = { now: () => purse.time.now }
    let away = true
    const sandbox = await sandboxIssuer({ path: `${folder}/cards.db`, clock })
    onTestFinished(() => sandbox.close())
    const card = cardRail(sandbox.issuer, sandbox.network)
    const lossy: Rail = {
      ...card,
      async pay(terms) {
        const record = await card.pay(terms)
        if (away) throw new Error('The answer was lost.')
        return record
      },
    }
    const purse = await makePurse({ folder, rail: lossy })
    const { payment_id } = await buy(purse, await makeCard(purse), '49.00')
    const statusOf = async (id: string) => (await purse.bursar.store.read.one('payments', { id }))?.status
    expect(await statusOf(payment_id)).toBe('in_doubt')
    away = false
    const { reconciler } = started(() => recover(purse.bursar))
    expect(await reconciler.now()).toMatchObject({ number: 1, error: null })
    expect(await statusOf(payment_id)).toBe('captured')
  })
})
