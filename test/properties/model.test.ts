import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Op, Program } from './ops.ts'
import { programs } from './program.ts'
import { runProgram } from './run.ts'

/** For a long campaign: `BURSAR_PROPERTY_RUNS=2000 BURSAR_PROPERTY_LENGTH=150 BURSAR_PROPERTY_SEED=$RANDOM npx vitest run test/properties`. */
const RUNS = Number(process.env.BURSAR_PROPERTY_RUNS ?? 25)
const LENGTH = Number(process.env.BURSAR_PROPERTY_LENGTH ?? 60)
/** A failure prints its seed, which runs it again. The suite's own is fixed, so that it says the same every time. */
const SEED = Number(process.env.BURSAR_PROPERTY_SEED ?? 20_261_121)

/** What a run of any use meets. */
const MET = [
  ...['captured', 'voided', 'refunded', 'partially_refunded', 'approval_denied', 'expired', 'rail_declined'],
  ...['limit_exceeded', 'amount_exceeds_remaining', 'idempotency_conflict', 'not_found', 'amount_invalid'],
  'too_many_asks',
]

/** The steps that are needed for it to go wrong: ever smaller pieces are left out while it still does. */
async function reduced({ begins, ops }: Program): Promise<readonly Op[]> {
  let left = ops
  for (let size = Math.ceil(left.length / 2); size > 0; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let at = 0; at < left.length; ) {
      const without = [...left.slice(0, at), ...left.slice(at + size)]
      if (
        await runProgram({ begins, ops: without }).then(
          () => true,
          () => false,
        )
      )
        at += size
      else left = without
    }
  return left
}

const written = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one))

describe('any program of requests, approvals, payments, merchants and waiting', () => {
  test('security: is answered as the model says, and leaves whole books after every step', {
    timeout: 120_000 + RUNS * LENGTH * 200,
  }, async () => {
    const met = new Map<string, number>()
    const property = fc.asyncProperty(programs(LENGTH), async (program) => {
      for (const [what, count] of await runProgram(program)) met.set(what, (met.get(what) ?? 0) + count)
    })
    const { failed, counterexample, errorInstance } = await fc.check(property, {
      numRuns: RUNS,
      seed: SEED,
      endOnFailure: true,
    })
    if (failed && counterexample) {
      const [{ begins }] = counterexample
      const program = { begins, ops: await reduced(counterexample[0]) }
      throw new Error(`Seed ${SEED}: ${written(program)}`, { cause: errorInstance })
    }
    expect([...met.keys()]).toEqual(expect.arrayContaining(MET))
    if (process.env.BURSAR_PROPERTY_RUNS) process.stdout.write(`${written([...met].sort((a, b) => b[1] - a[1]))}\n`)
  })
})
