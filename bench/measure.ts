/** One line of the table. */
export interface Figure {
  readonly name: string
  /** What it is measured against, in the same run. */
  readonly against: string
  readonly ratio: number
  /** `>= 0.8`, `<= 1.2`: what the ratio has to be. Null where nothing is promised. */
  readonly target: Target | null
  /** What else there is to say, such as an absolute figure that is promised. */
  readonly note?: string
}
export type Target = `${'>=' | '<='} ${number}`

/** How often a thing is done in a second, once. */
export type Rate = () => Promise<number> | number

/** Null where there is nothing to hold. */
export function isHeld({ ratio, target }: Figure): boolean | null {
  if (target === null) return null
  const bound = Number(target.slice(3))
  return target.startsWith('>=') ? ratio >= bound : ratio <= bound
}

/**
 * The median of a / b over rounds in which they take turns (A B, B A, …), so that whatever else the machine does meets
 * both alike. One round before counts for nothing: it warms both up.
 */
export async function ratioOf(rounds: number, a: Rate, b: Rate, unit = '/s'): Promise<number> {
  const ratios: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const swapped = round % 2 === 1
    const first = await (swapped ? b : a)()
    const second = await (swapped ? a : b)()
    const [ours, theirs] = swapped ? [second, first] : [first, second]
    progress(`  ${rounded(ours)} against ${rounded(theirs)} ${unit}${round === 0 ? ' (warming up)' : ''}`)
    if (round > 0) ratios.push(ours / theirs)
  }
  return median(ratios)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Calls `work` one after the other, and says how many a second there were. */
export async function perSecond(times: number, work: () => unknown): Promise<number> {
  const began = performance.now()
  for (let i = 0; i < times; i++) await work()
  return (times * 1000) / (performance.now() - began)
}

/** Keeps `callers` calls of `work` in flight until `times` were made. */
export async function perSecondOf(callers: number, times: number, work: () => Promise<unknown>): Promise<number> {
  let left = times
  const began = performance.now()
  const caller = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return (times * 1000) / (performance.now() - began)
}

/** Progress goes to stderr: stdout has the table alone. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`)
}

function rounded(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
