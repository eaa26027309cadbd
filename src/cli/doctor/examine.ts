import { BursarError } from '../../core/errors.ts'
import type { Program } from '../program.ts'
import { type Finding, fine, wrong } from './finding.ts'
import { homeFindings } from './home.ts'
import { ledgerFindings } from './ledger.ts'
import { machineFindings } from './machine.ts'
import { addressFinding } from './passkeys.ts'

/** Without these there is nothing to open. */
const STOPS: ReadonlySet<string> = new Set(['home', 'database', 'schema'])

/**
 * All checks, from the machine inwards. Where one makes the next ones pointless, those are left out.
 *
 * @param url of a console, to be looked at too
 */
export async function examine(program: Program, url: string | null): Promise<readonly Finding[]> {
  const machine = [...machineFindings(program), ...(url === null ? [] : [addressFinding(url)])]
  const config = configFinding(program)
  if (!config.ok) return [...machine, config]
  const home = await homeFindings(program)
  if (home.some(({ ok, check }) => !ok && STOPS.has(check))) return [...machine, config, ...home]
  return [...machine, config, ...home, ...(await ledgerFindings(program))]
}

function configFinding(program: Program): Finding {
  try {
    const { home, agent } = program.config()
    return fine('configuration', `home ${home.directory}, agent ${agent}`)
  } catch (error) {
    if (error instanceof BursarError) return wrong('configuration', error.message, error.hint)
    throw error
  }
}
