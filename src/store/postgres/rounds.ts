import type { Locks } from './locks.ts'

/**
 * Steps in the order in which they came, in rounds: those of one round share no lock that either has alone, so that what one
 * does is nothing to the others. Steps that share one are in different rounds, in their order.
 *
 * @param own the locks of each step
 * @returns the places of the steps, round by round; each round in their order
 */
export function roundsOf(own: readonly Locks[]): readonly (readonly number[])[] {
  const rounds: number[][] = []
  /** By lock: the last round in which a step has it alone, and the last in which any step has it. */
  const alone = new Map<string, number>()
  const had = new Map<string, number>()
  for (const [place, locks] of own.entries()) {
    const names = Object.entries(locks)
    const after = names.map(([name, exclusive]) => (exclusive ? had : alone).get(name) ?? -1)
    const round = Math.max(-1, ...after) + 1
    for (const [name, exclusive] of names) {
      had.set(name, Math.max(round, had.get(name) ?? 0))
      if (exclusive) alone.set(name, round)
    }
    const together = rounds[round] ?? []
    rounds[round] = together
    together.push(place)
  }
  return rounds
}
