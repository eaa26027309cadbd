import { InvalidArgumentError } from 'commander'
import { ASSURANCES } from '../core/types.ts'

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
  return (text: string, before: readonly Tier<Kind>[] = []): readonly Tier<Kind>[] => [
    ...before,
    tierOf(kinds, text, help),
  ]
}
export type Tiers<Kind extends string> = readonly Tier<Kind>[]

/** As an action takes it. */
interface ApprovalTier {
  readonly up_to: string | null
  readonly assurance: string
  readonly owners?: 2
}
export type ApprovalTiers = readonly ApprovalTier[]

const TWO = '2x'

/** Reads `host:50.00`, `operator`, and where two owners have to agree `2xpasskey`, one after the other. */
export function approvalTiersOf(help: string) {
  return (text: string, before: ApprovalTiers = []): ApprovalTiers => {
    const isTwo = text.startsWith(TWO)
    const { kind, upTo } = tierOf(ASSURANCES, isTwo ? text.slice(TWO.length) : text, help)
    return [...before, { up_to: upTo, assurance: kind, ...(isTwo && { owners: 2 }) }]
  }
}

function tierOf<Kind extends string>(kinds: readonly Kind[], text: string, help: string): Tier<Kind> {
  const [name, upTo = null, ...others] = text.split(':')
  const kind = kinds.find((known) => known === name)
  if (!kind || others.length > 0) throw new InvalidArgumentError(`A tier is ${help}.`)
  return { upTo, kind }
}
