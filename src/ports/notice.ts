/** What owners are told of. None of it asks a program to do anything, and none of it lets anyone decide. */
export type NoticeKind =
  | 'ask'
  | 'denied'
  | 'limit_reached'
  | 'frozen'
  | 'over_capture'
  | 'in_doubt'
  /** Sent by `bursar notify test`. */
  | 'test'

export interface Notice {
  /** The same however often it is sent: who gets it twice can tell. */
  readonly id: string
  readonly kind: NoticeKind
  /** When it happened: RFC 3339, UTC. */
  readonly at: string
  /** One line of bursar's own words and amounts. Nobody else's text is in it. */
  readonly title: string
  /** Names that others chose are quoted and cut. */
  readonly facts: readonly (readonly [label: string, value: string])[]
  /** `wallet_id`, `payment_id`, … */
  readonly ids: Readonly<Record<string, string>>
  /** A page that lets nobody in by its address; null where there is no console. */
  readonly link: string | null
  /** The signed checkpoint of the journal that says so: a C2SP note. */
  readonly checkpoint: string
}

/** A way to tell an owner something. */
export interface Channel {
  /** As the owner calls it: lower-case letters, digits and dashes. */
  readonly name: string
  /** Resolves once the receiver has it. @throws {@link Undelivered} */
  send(notice: Notice, signal: AbortSignal): Promise<void>
}

/** The receiver did not take it, or did not say so. The message is ours: what a receiver answers is shown to nobody. */
export class Undelivered extends Error {
  override readonly name = 'Undelivered'
}

/** A browser that wants to be told (Push API): its keys are its own, and whoever has its address may send to it. */
export interface PushSubscription {
  readonly endpoint: string
  readonly keys: { readonly p256dh: string; readonly auth: string }
}

/** What the console needs to have an owner's browser told. */
export interface PushDesk {
  /** The VAPID public keys (RFC 8292), base64url, by channel, and who is told; none: the owner has set up no web push. */
  channels(): readonly {
    readonly name: string
    readonly publicKey: string
    readonly endpoints: readonly string[]
  }[]
  /** @throws `not_found` for a channel that is none, `argument_invalid` for what is no subscription, or one too many */
  subscribe(channel: string, subscription: unknown): void
  /** Nothing happens where it is not known. @throws `not_found` for a channel that is none */
  unsubscribe(channel: string, endpoint: string): void
}
