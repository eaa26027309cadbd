import type { Fact } from '../../core/event.ts'
import type { Key, Snapshot } from '../../core/step.ts'

/** How many things are remembered; the oldest are forgotten first. */
const MOST = 20_000

/**
 * What never changes and was seen before: which wallet a payment, a request, an instrument or a limit belongs to, and a
 * wallet's time zone. It saves messages, and decides nothing: the database is asked for the same again under its locks.
 */
export class Places {
  private readonly wallets = new Map<string, string>()
  private readonly zones = new Map<string, string>()

  /** The queue that a step waits in: its wallet's, where that is known. */
  lane(key: Key): string {
    return this.wallet(key) ?? subjectOf(key) ?? key.relayer ?? key.agentId ?? 'instance'
  }

  timeZone(key: Key): string | undefined {
    const wallet = this.wallet(key)
    return wallet === undefined ? undefined : this.zones.get(wallet)
  }

  learn(key: Key, { wallet, payment }: Snapshot): void {
    if (!wallet) return
    keep(this.zones, wallet.id, wallet.timeZone)
    for (const id of [subjectOf(key), payment?.instrumentId])
      if (typeof id === 'string') keep(this.wallets, id, wallet.id)
  }

  /** What was made just now is asked about next. */
  made(facts: readonly Fact[]): void {
    for (const { wallet_id, payment_id, request_id, instrument_id } of facts) {
      if (wallet_id === undefined) continue
      for (const id of [payment_id, request_id, instrument_id]) if (id !== undefined) keep(this.wallets, id, wallet_id)
    }
  }

  private wallet(key: Key): string | undefined {
    return key.walletId ?? this.wallets.get(subjectOf(key) ?? '')
  }
}

function subjectOf({ instrumentId, requestId, paymentId, limitId }: Key): string | undefined {
  return instrumentId ?? requestId ?? paymentId ?? limitId
}

function keep(map: Map<string, string>, id: string, value: string): void {
  if (map.has(id)) return
  map.set(id, value)
  if (map.size > MOST) map.delete(map.keys().next().value as string)
}
