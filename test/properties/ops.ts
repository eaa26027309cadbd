/** One thing that an agent, an owner, a merchant or the passing of time does. Numbers pick among what is there. */
export type Op =
  | {
      /** `grant`: the owner says yes at once, with all assurance. */
      readonly op: 'request' | 'grant'
      readonly who: number
      readonly currency: string
      readonly units: bigint
      readonly uses: number | null
      readonly perPayment: bigint | null
      readonly lives: string
      readonly categories: readonly string[] | null
      readonly countries: readonly string[] | null
    }
  | {
      readonly op: 'approveRequest'
      readonly pick: number
      readonly by: 'host' | 'operator'
      readonly percent: number | null
      readonly uses: number | null
    }
  | { readonly op: 'approvePayment'; readonly pick: number; readonly by: 'host' | 'operator'; readonly late: boolean }
  | { readonly op: 'denyRequest' | 'denyPayment'; readonly pick: number }
  | {
      readonly op: 'pay'
      /** Which run of the instrument's agent; `stranger`: another agent. */
      readonly who: number
      readonly stranger: boolean
      readonly pick: number
      readonly units: bigint
      readonly merchant: string
      readonly category: string | null
      readonly country: string | null
      readonly purpose: string
      readonly key: string | null
    }
  | { readonly op: 'payNonsense'; readonly who: number; readonly amount: string; readonly instrument: string | null }
  | { readonly op: 'refund'; readonly pick: number; readonly percent: bigint | null }
  | {
      readonly op: 'merchant'
      readonly pick: number
      readonly does: 'capture' | 'close' | 'reverse' | 'refund' | 'forcePost'
      readonly percent: bigint
    }
  | { readonly op: 'freeze' | 'unfreeze'; readonly what: 'instrument' | 'wallet' | 'all'; readonly pick: number }
  | { readonly op: 'revoke'; readonly pick: number }
  | { readonly op: 'cancelRequest' | 'cancelPayment' | 'cancelInstrument'; readonly pick: number }
  | {
      readonly op: 'setLimit'
      readonly wallet: number
      readonly scope: string
      readonly named: boolean
      readonly window: string
      readonly units: bigint | null
      readonly count: number | null
      readonly over: 'deny' | 'ask'
    }
  | { readonly op: 'removeLimit'; readonly wallet: number; readonly pick: number }
  | { readonly op: 'fund'; readonly wallet: number; readonly units: bigint }
  | { readonly op: 'wait'; readonly ms: number }
  | {
      readonly op: 'waitUntil'
      readonly wallet: number
      readonly boundary: 'hour' | 'day' | 'month' | 'expiry'
      readonly ms: number
    }
  | { readonly op: 'weather'; readonly weather: 'fair' | 'lost_request' | 'lost_reply' | 'no_cards' }
  | { readonly op: 'recover' }

export interface Program {
  readonly begins: string
  readonly ops: readonly Op[]
}
