/** One operation on a purse whose balance all nodes see: when it was asked and answered, and what was answered. */
export interface Operation {
  readonly from: number
  readonly to: number
  /** Where the journal has what it wrote, counted from 0; null for one that only read. */
  readonly place: number | null
  /** What it takes from the balance where it was let through; 0 where it was refused, and for one that only read. */
  readonly takes: bigint
  /** What it asked for, where it was refused for want of money. */
  readonly refused: bigint | null
  /** The balance that it said was left, at some moment between its place and its answer; null where it said nothing. */
  readonly left: bigint | null
}

/**
 * Whether there is one order of all operations that a single purse could have had, in which none comes before one that was
 * answered before it was asked. The journal's order is tried for what was written: it is the order, or the journal lies. Reads
 * take the first place that they can have, which leaves the most to those after them, so that the answer is exact.
 *
 * @param opening the balance before the first place
 * @returns what has no place; nothing when there is such an order
 */
export function unlinear(opening: bigint, operations: readonly Operation[]): string[] {
  const written = operations.filter(({ place }) => place !== null).toSorted((a, b) => a.place! - b.place!)
  const { balances, problems } = replayed(opening, written)
  problems.push(...reversed(written))
  const reads = operations.filter(({ left }) => left !== null).toSorted((a, b) => a.from - b.from)
  const placed: { readonly to: number; readonly at: number }[] = []
  for (const read of reads) {
    // The number of writes that it has seen: at least all that were answered before it was asked, and its own.
    const before = written.filter(({ to, place }) => to < read.from || (read.place !== null && place! <= read.place))
    const seen = placed.filter(({ to }) => to < read.from).map(({ at }) => at)
    const least = Math.max(before.length === 0 ? 0 : written.indexOf(before.at(-1)!) + 1, 0, ...seen)
    const after = written.findIndex(({ from }) => from > read.to)
    const most = after < 0 ? written.length : after
    const at = balances.findIndex((balance, n) => n >= least && n <= most && balance === read.left)
    if (at < 0) problems.push(`${read.left} was read where the balance was ${balances.slice(least, most + 1).join()}`)
    else placed.push({ to: read.to, at })
  }
  return problems
}

/** The balance before the first write and after each, and answers that it does not bear out. */
function replayed(opening: bigint, written: readonly Operation[]) {
  const balances = [opening]
  const problems: string[] = []
  for (const { takes, refused, place } of written) {
    const balance = balances.at(-1)!
    if (takes > balance) problems.push(`at ${place} ${takes} were taken of ${balance}`)
    if (refused !== null && refused <= balance) problems.push(`at ${place} ${refused} of ${balance} were refused`)
    balances.push(balance - takes)
  }
  return { balances, problems }
}

/** Writes that stand after one that was asked only after they were answered. */
function reversed(written: readonly Operation[]): string[] {
  const problems: string[] = []
  let latest: Operation | undefined
  for (const one of written) {
    if (latest && one.to < latest.from) problems.push(`${one.place} was answered before ${latest.place} was asked`)
    if (!latest || one.from > latest.from) latest = one
  }
  return problems
}
