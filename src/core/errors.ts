/**
 * Every code that an agent, an owner or a program may meet, with what to do next. Closed and stable.
 *
 * `retry`: `never` (the same call can only fail again), `later` (it may pass by itself), `after_change` (a human or
 * other arguments must change something first).
 */
export const CODES = {
  amount_invalid: {
    retry: 'after_change',
    hint: 'Send the amount as a decimal string in the currency of the instrument, such as "49.00".',
  },
  argument_invalid: { retry: 'after_change', hint: 'Correct the argument that is named and call again.' },
  not_found: { retry: 'after_change', hint: 'Call check_budget or list_payments and use an id that they return.' },
  idempotency_conflict: {
    retry: 'after_change',
    hint: 'This idempotency_key already names another purchase. Use get_payment to see it.',
  },
  currency_mismatch: { retry: 'after_change', hint: 'Call check_budget to see in which currencies there is a wallet.' },
  spending_frozen: { retry: 'after_change', hint: 'The owner stopped spending. Stop, and tell your user.' },
  scope_missing: {
    retry: 'after_change',
    hint: 'This credential may not do that. Tell your user; only the owner can give a wider one.',
  },
  too_many_asks: {
    retry: 'later',
    hint: 'Three asks of yours wait for a human already, or you took many back. Wait; ask for nothing else meanwhile.',
  },
  asked_before: {
    retry: 'later',
    hint: 'A human denied the same a short while ago. Do not ask again for it; ask your user what to do.',
  },
  limits_missing: {
    retry: 'after_change',
    hint: 'The wallet lacks a payment, session or day limit, so it cannot pay. Tell your user to set them with `bursar limit set`.',
  },
  instrument_frozen: { retry: 'after_change', hint: 'The owner froze this instrument. Stop, and tell your user.' },
  instrument_revoked: {
    retry: 'never',
    hint: 'This instrument is gone for good. If it is still needed, ask with request_instrument.',
  },
  instrument_expired: {
    retry: 'never',
    hint: 'This instrument is past its expiry. If it is still needed, ask with request_instrument.',
  },
  protocol_not_allowed: {
    retry: 'never',
    hint: 'This instrument does not allow this way of paying. Do not look for a way round; ask your user.',
  },
  network_not_allowed: {
    retry: 'never',
    hint: 'This instrument does not pay on this network. Do not look for a way round; ask your user.',
  },
  merchant_category_not_allowed: {
    retry: 'never',
    hint: 'This instrument does not pay this kind of merchant. Say what the merchant really is, never another; ask your user.',
  },
  payee_not_allowed: {
    retry: 'never',
    hint: 'This instrument does not pay this payee. Do not rename the payee; ask your user.',
  },
  address_not_allowed: { retry: 'never', hint: 'This instrument does not pay this address. Ask your user.' },
  country_not_allowed: {
    retry: 'never',
    hint: 'This instrument does not pay merchants in this country. Ask your user.',
  },
  usage_limit_reached: {
    retry: 'never',
    hint: 'All uses are spent. If another payment is needed, ask with request_instrument.',
  },
  per_payment_max_exceeded: {
    retry: 'never',
    hint: 'Do not split the payment. Ask your user, or ask with request_instrument.',
  },
  amount_exceeds_remaining: { retry: 'never', hint: 'Do not split the payment. check_budget says what remains.' },
  max_amount_exceeded: {
    retry: 'after_change',
    hint: 'Nothing was paid. Raise max_amount only if your user wants it at this price.',
  },
  insufficient_funds: {
    retry: 'after_change',
    hint: 'The wallet does not hold enough. Tell your user; only the owner can fund it.',
  },
  limit_exceeded: {
    retry: 'after_change',
    hint: 'Do not retry or split the payment. Tell your user which limit stopped it.',
  },
  approval_denied: { retry: 'never', hint: 'A human said no. Do not ask again for the same thing.' },
  approval_expired: {
    retry: 'after_change',
    hint: 'Nobody answered in time, which means no. Ask your user before you try again.',
  },
  approval_invalid: {
    retry: 'after_change',
    hint: 'Read the terms again and answer once more: `bursar request show ID`.',
  },
  assurance_too_low: {
    retry: 'after_change',
    hint: 'This amount needs a stronger approval: `bursar request approve ID` with the passphrase.',
  },
  not_pending: { retry: 'never', hint: 'It was decided already; show it to see how.' },
  wrong_state: { retry: 'never', hint: 'Show it to see its status; nothing was changed.' },
  rail_declined: {
    retry: 'never',
    hint: 'It was declined, and no money moved. Do not retry with other details; tell your user.',
  },
  url_not_allowed: {
    retry: 'never',
    hint: 'Do not look for a way round, such as another name or port; tell your user.',
  },
  offer_not_payable: {
    retry: 'never',
    hint: 'Nothing was paid. This seller does not take what this instrument pays with; tell your user.',
  },
  offer_changed: {
    retry: 'after_change',
    hint: 'Nothing was paid. Call again to decide on the new terms.',
  },
  seller_unavailable: { retry: 'later', hint: 'Nothing was paid. Try again in a minute.' },
  rail_unavailable: { retry: 'later', hint: 'Nothing was lost. Try again in a minute.' },
  passphrase_wrong: { retry: 'after_change', hint: "Type the owner's passphrase, or set BURSAR_OWNER_PASSPHRASE." },
  key_unavailable: {
    retry: 'after_change',
    hint: "The wallet's key cannot be opened here. Tell your user to run `bursar doctor`.",
  },
  signing_refused: {
    retry: 'never',
    hint: 'The signer signs only what an authorized payment says, and signed nothing. Tell your user.',
  },
  agent_unknown: {
    retry: 'after_change',
    hint: 'Set BURSAR_AGENT and BURSAR_AGENT_KEY to what `bursar agent add` printed.',
  },
  config_invalid: {
    retry: 'after_change',
    hint: 'Correct the setting that is named; `bursar doctor` checks all of them.',
  },
  schema_newer: { retry: 'after_change', hint: 'Run the newer bursar that wrote this database.' },
  journal_tampered: {
    retry: 'never',
    hint: 'Stop. Copy the home as it is, run `bursar journal verify`, and go back to a backup.',
  },
  already_exists: { retry: 'after_change', hint: 'Choose another name.' },
  unauthenticated: {
    retry: 'after_change',
    hint: 'Send the credential that `bursar agent add` printed, as a bearer token; it may have ended.',
  },
  code_invalid: {
    retry: 'after_change',
    hint: 'Make another with `bursar passkey invite`. Each is good once, and for ten minutes.',
  },
  passkey_invalid: {
    retry: 'after_change',
    hint: 'Use a passkey of yours that was enrolled here; `bursar passkey list` shows them. Begin anew for each try.',
  },
  forbidden: { retry: 'never', hint: 'Whoever this credential is for may not do this. Ask the owner.' },
  rate_limited: { retry: 'later', hint: 'Wait as long as Retry-After says, then try again.' },
  request_too_large: { retry: 'after_change', hint: 'Send less.' },
  busy: { retry: 'later', hint: 'Many processes write at once. Nothing was changed; try again.' },
  outcome_unknown: {
    retry: 'later',
    hint: 'Do not repeat the purchase. Read its state first, with list_payments or `bursar payment list`.',
  },
} as const satisfies Record<string, { retry: 'never' | 'later' | 'after_change'; hint: string }>

export type Code = keyof typeof CODES

/**
 * The only error that is shown to anyone. Its message is ours: text from sellers, rails and databases never enters it.
 * Any other error that is thrown is a bug.
 */
export class BursarError extends Error {
  override readonly name = 'BursarError'
  readonly code: Code
  constructor(code: Code, message: string) {
    super(message)
    this.code = code
  }
  get hint(): string {
    return CODES[this.code].hint
  }
}
