import { AGENT_HANDLERS } from './agents.ts'
import type { OwnerHandlers } from './call.ts'
import { DECISION_HANDLERS } from './decisions.ts'
import { JOURNAL_HANDLERS } from './journal.ts'
import { WALLET_HANDLERS } from './wallets.ts'

/** What owners may do over REST. */
export const OWNER_HANDLERS: OwnerHandlers = {
  ...WALLET_HANDLERS,
  ...DECISION_HANDLERS,
  ...JOURNAL_HANDLERS,
  ...AGENT_HANDLERS,
}
