/** A way to tell the owner, as it is set up. What is left out bursar makes. */
export type ChannelInput =
  | { readonly kind: 'webhook'; readonly name: string; readonly url: string; readonly secret?: string | undefined }
  | { readonly kind: 'slack'; readonly name: string; readonly url: string }
  | { readonly kind: 'ntfy'; readonly name: string; readonly url: string; readonly token?: string | undefined }
  | {
      readonly kind: 'email'
      readonly name: string
      readonly smtp: string
      readonly from: string
      readonly to: readonly string[]
    }
  | { readonly kind: 'webpush'; readonly name: string; readonly subject: string }

/** Of a URL the host alone: the rest may be a secret. */
export interface ChannelView {
  readonly name: string
  readonly kind: ChannelInput['kind']
  readonly to: string
}

/** The channels of this home. Each of these may throw `config_invalid` where their file is damaged. */
export interface Channels {
  list(): readonly ChannelView[]
  /**
   * @param begin runs once the channel is known to be fine, and before it is there
   * @returns what the receiver has to know: a webhook's secret; null where there is none
   * @throws `argument_invalid`, `already_exists`
   */
  add(
    input: ChannelInput,
    begin: () => Promise<void>,
  ): Promise<{ readonly view: ChannelView; readonly secret: string | null }>
  remove(name: string): boolean
  /** Sends a notice that says it is a test. @throws `not_found`, `rail_unavailable` */
  test(name: string): Promise<void>
}
