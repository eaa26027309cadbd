/** So many at a time; the others in the order in which they came. */
export class Slots {
  /** How many are free, and not waited for. */
  free: number
  private readonly freed: (() => void) | undefined
  private readonly waiting: (() => void)[] = []

  /** @param freed called when one is free that nobody has waited for */
  constructor(count: number, freed?: () => void) {
    this.free = count
    this.freed = freed
  }

  /** How many wait for one. */
  get wanted(): number {
    return this.waiting.length
  }

  async run<R>(work: () => Promise<R>): Promise<R> {
    if (this.free > 0) this.free -= 1
    else await new Promise<void>((resolve) => void this.waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next) next()
      else {
        this.free += 1
        this.freed?.()
      }
    }
  }
}
