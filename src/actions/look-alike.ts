import { shapeOf } from '../core/account.ts'
import type { Reader } from '../ports.ts'

/** An account (CAIP-10) that the wallet has paid and that this one, which it has not, is easily taken for; null for none. */
export async function lookAlikeOf(read: Reader, walletId: string, account: string): Promise<string | null> {
  const alike = await read.list('known_payees', { walletId, shape: shapeOf(account) })
  if (alike.some((known) => known.account === account)) return null
  return alike[0]?.account ?? null
}
