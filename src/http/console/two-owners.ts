import { needed } from '../../core/approval.ts'
import { BursarError } from '../../core/errors.ts'
import { parse, parseAny } from '../../core/money.ts'
import type { Limit, Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'

interface Tier {
  readonly up_to: string | null
  readonly owners?: 2 | undefined
}

/**
 * A policy of two owners that one of them could lift would be none: on the console it can only be made stricter. At the command
 * line, with the passphrase, it can be changed.
 *
 * @throws `forbidden`, `amount_invalid`
 */
export function assertKeepsTwo({ approvals, currency, decimals }: Wallet, wanted: readonly Tier[]): void {
  const asset = { code: currency, decimals }
  const after = wanted.map(({ up_to, owners }) => ({
    ...{ upTo: up_to === null ? null : parse(up_to, asset).units, assurance: 'passkey' as const },
    ...(owners === 2 && { owners }),
  }))
  const bounds = [...approvals, ...after].flatMap(({ upTo }) => (upTo === null ? [] : [upTo, upTo + 1n]))
  // What holds at each bound and just above it holds everywhere.
  for (const amount of [1n, ...bounds])
    if (needed(after, amount).owners < needed(approvals, amount).owners)
      throw new BursarError('forbidden', 'What two owners have to agree on is changed at the command line only.')
}

/** What a limit allows before it asks. Null: any amount, or any number. */
type Asks = Pick<Limit, 'maxAmount' | 'maxCount'>

/**
 * Nor may one of them see to it that nobody is asked: where two have to agree, a limit that asks stays, or asks sooner.
 *
 * @param after null: it is removed
 * @throws `forbidden`
 */
export function assertGoesOnAsking({ approvals }: Wallet, before: Limit | null, after: Asks | null): void {
  if (before?.over !== 'ask' || !approvals.some(({ owners }) => owners === 2)) return
  const isLater = (max: 'maxAmount' | 'maxCount'): boolean => {
    const [was, is] = [before[max], after?.[max] ?? null]
    return was !== null && is !== null && is > was
  }
  if (after === null || isLater('maxAmount') || isLater('maxCount'))
    throw new BursarError('forbidden', 'When two owners are asked is loosened at the command line only.')
}

/** What is not said stays as it was. @throws `amount_invalid` */
export function asksAfter(
  { currency, decimals }: Wallet,
  { max_amount, max_count }: { readonly max_amount?: string | undefined; readonly max_count?: number | undefined },
): Asks {
  const asset = { code: currency, decimals }
  return {
    maxAmount: max_amount === undefined ? null : parseAny(max_amount, asset).units,
    maxCount: max_count ?? null,
  }
}

/** Whoever brings in a second owner could be that owner, too. @throws `forbidden` where any policy wants two */
export async function assertNoneWantsTwo({ store }: Bursar): Promise<void> {
  const strict = (await store.read.list('wallets', {})).find(({ approvals }) =>
    approvals.some(({ owners }) => owners === 2),
  )
  if (strict)
    throw new BursarError(
      'forbidden',
      'Where two owners have to agree, others are added at the command line: `bursar owner add`.',
    )
}
