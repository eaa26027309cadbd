/** What priced pages sell: text that nobody has who did not pay. */
export const GOODS = 'the report that was paid for'
/** What it costs unless said otherwise: 0.01 USDC. */
export const UNITS = 10_000n
