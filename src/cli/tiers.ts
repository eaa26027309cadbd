import { InvalidArgumentError } from 'commander'

/** Up to an amount, a decimal string (null: any), this. */
interface Tier<Kind> {
  readonly kind: Kind
  readonly upTo: string | null
}

/**
 * Reads `host:50.00` or, for any amount, `operator`, one after the other. The amount itself is judged with the wallet's
 * currency, later.
 */
export function tiersOf<Kind extends string>(kinds: readonly Kind[], help: string) {
  return (text: string, before: readonly Tier<Kind>[] = []): readonly Tier<Kind>[] => {
    const [name, upTo = null, ...others] = text.split(':')
    const kind = kinds.find((known) => known === name)
    if (!kind || others.length > 0) throw new InvalidArgumentError(`A tier is ${help}.`)
    return [...before, { upTo, kind }]
  }
}
export type Tiers<Kind extends string> = readonly Tier<Kind>[]
