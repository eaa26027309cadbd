import { OFFERS } from './hostile/offers.ts'
import { PAID_ANSWERS } from './hostile/paid.ts'
import { REDIRECTS } from './hostile/redirects.ts'
import { UNPAID_ANSWERS } from './hostile/unpaid.ts'
import { WORDS } from './hostile/words.ts'
import type { Behaviour } from './stall.ts'

/**
 * Sellers that lie, by what each does: "a seller that …". `openStall` opens one. The few that are honest are there to
 * show that a buyer that refuses them all has not passed.
 */
export const HOSTILE: Readonly<Record<string, Behaviour>> = {
  ...PAID_ANSWERS,
  ...REDIRECTS,
  ...OFFERS,
  ...UNPAID_ANSWERS,
  ...WORDS,
}
