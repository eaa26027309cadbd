import { describe, expect, onTestFinished, test } from 'vitest'
import { wideWallet } from '../support/disk.ts'
import { testDatabase } from '../support/postgres.ts'
import { type Operation, unlinear } from './linear-check.ts'
import { nodeHere, nodePrograms, startNodes } from './node-children.ts'
import type { Node } from './node-open.ts'
import type { Answer, Call } from './node-program.ts'
import { cardFrom } from './node-purse.ts'

const NODES = 4
/** How many operations each node does, so many of them at a time. */
const OPERATIONS = Number(process.env.BURSAR_TEST_OPERATIONS ?? 30)
const AT_ONCE = 4
const OPENING = 3_000n
const AMOUNTS = ['0.30', '0.70', '1.10', '0.50']

nodePrograms()

function operation(more: Partial<Operation>): Operation {
  return { from: 0, to: 1, place: null, takes: 0n, refused: null, left: null, ...more }
}

describe('the check of one order', () => {
  const first = operation({ from: 0, to: 10, place: 0, takes: 4n })
  const second = operation({ from: 20, to: 30, place: 1, takes: 4n })
  test('finds the order that there is', () => {
    const during = operation({ from: 5, to: 25, left: 10n })
    const between = operation({ from: 12, to: 18, left: 6n })
    const refused = operation({ from: 31, to: 40, place: 2, refused: 3n, left: 2n })
    expect(unlinear(10n, [first, second, during, between, refused])).toEqual([])
  })
  test.each<[string, Operation[]]>([
    ['a read of what was over before it was asked', [first, second, operation({ from: 31, to: 40, left: 6n })]],
    ['a read of what was asked only after it', [first, second, operation({ from: 12, to: 18, left: 2n })]],
    [
      'two reads that go back',
      [{ ...first, to: 50 }, operation({ from: 1, to: 2, left: 6n }), operation({ from: 3, to: 4, left: 10n })],
    ],
    [
      'writes against their time',
      [
        { ...first, place: 1 },
        { ...second, place: 0 },
      ],
    ],
    ['more than there is', [first, second, operation({ from: 31, to: 40, place: 2, takes: 4n })]],
    ['a refusal of what there is', [first, operation({ from: 31, to: 40, place: 2, refused: 6n })]],
    ['an answer that its own payment is not in', [{ ...first, left: 10n }]],
  ])('sees %s', (_, operations) => {
    expect(unlinear(10n, operations)).toHaveLength(1)
  })
})

test('security: what 4 nodes answered of one wallet has one order', async () => {
  const { url } = await testDatabase()
  const here = await nodeHere(url)
  const wallet = await wideWallet(here as never, 'EUR', '30.00')
  // As much as the wallet has, so that what is left of it is what is left of the wallet.
  const card = await cardFrom(here, 'EUR', '30.00')
  const nodes = await startNodes(NODES, url)
  onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.stop()))))
  const call = (n: number, i: number): Call =>
    i % 3 === 2
      ? { call: 'look', walletId: wallet, id: card }
      : {
          call: 'pay',
          input: { instrument_id: card, amount: AMOUNTS[(n + i) % 4]!, payee: { name: 'Shop' }, purpose: `${n} ${i}` },
        }
  const at = Number(process.hrtime.bigint()) / 1e6 + 50
  const all = nodes.map((node, n) =>
    node.calls(
      Array.from({ length: OPERATIONS }, (_, i) => call(n, i)),
      AT_ONCE,
      at,
    ),
  )
  const answers = (await Promise.all(all)).flat()
  const operations = await operationsOf(here, wallet, answers)
  expect(operations.filter(({ refused }) => refused !== null).length).toBeGreaterThan(0)
  expect(unlinear(OPENING, operations)).toEqual([])
  process.stdout.write(
    `${operations.length} operations in one order, ${overlapping(operations)} pairs of them at once\n`,
  )
})

const units = (text: string): bigint => BigInt(text.replace('.', ''))

/** Payments have the place of the event by which they were let through or refused. */
async function operationsOf({ bursar }: Node, walletId: string, answers: readonly Answer[]): Promise<Operation[]> {
  const places = new Map<string, { place: number; amount: bigint }>()
  for await (const { body, seq } of bursar.store.read.events(walletId)) {
    const { type, payment_id, amount } = JSON.parse(body!) as { type: string; payment_id: string; amount: string }
    if (type === 'payment.authorized' || type === 'payment.refused')
      places.set(payment_id, { place: seq, amount: units(amount) })
  }
  return answers.map(({ from, to, status, id, left, available }) => {
    if (id === null) return operation({ from, to, left: BigInt(available!) })
    const { place, amount } = places.get(id)!
    const isRefused = status === 'refused'
    return { from, to, place, takes: isRefused ? 0n : amount, refused: isRefused ? amount : null, left: units(left!) }
  })
}

function overlapping(operations: readonly Operation[]): number {
  const pairs = operations.map((a, n) => operations.slice(n + 1).filter((b) => a.from < b.to && b.from < a.to).length)
  return pairs.reduce((sum, one) => sum + one, 0)
}
