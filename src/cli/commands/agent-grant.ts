import type { Command } from 'commander'
import type { CredentialInput } from '../../actions/credentials.ts'
import { AGENT_SCOPES } from '../../core/types.ts'
import { JSON_OPTION, oneOf } from '../options.ts'
import type { JsonOption } from '../output.ts'

export const ONCE = 'This is the only time that the key is shown. Give it to the agent host as BURSAR_AGENT_KEY.\n'

/** What a new credential may be used for, as a command line says it. */
export interface GrantOptions extends JsonOption {
  readonly scope?: string[]
  readonly expiresIn?: string
  readonly maxAmount?: string
  readonly currency?: string
  readonly instrument?: string[]
}

/** Adds the options of {@link GrantOptions}. */
export function grantable(command: Command): Command {
  return command
    .addOption(oneOf('--scope <scope...>', 'what it may be used for (default: all)', AGENT_SCOPES))
    .option('--expires-in <duration>', 'how long it is good: 30d, 12h or 45m (default: until it is revoked)')
    .option('--max-amount <amount>', 'what may be spent with it in all (default: as much as the agent may)')
    .option('--currency <code>', 'the currency of --max-amount')
    .option('--instrument <id...>', 'it pays with these only')
    .option(...JSON_OPTION)
}

export function grantOf({ scope, expiresIn, maxAmount, currency, instrument }: GrantOptions): CredentialInput {
  return { scopes: scope, expires_in: expiresIn, max_amount: maxAmount, currency, instruments: instrument }
}
