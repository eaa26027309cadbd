import { existsSync } from 'node:fs'
import { BursarError } from '../../core/errors.ts'
import type { Program } from '../program.ts'
import { type Finding, fine, wrong } from './finding.ts'

/** Whether the file of channels can be read: if not, nobody is told anything. Nothing, where the owner has none. */
export async function channelFindings(program: Program): Promise<readonly Finding[]> {
  if (!existsSync(program.config().home.channels)) return []
  const channels = await program.channels()
  try {
    const names = channels.list().map(({ name, kind }) => `${name} (${kind})`)
    return names.length === 0 ? [] : [fine('channels', names.join(', '))]
  } catch (error) {
    if (!(error instanceof BursarError)) throw error
    return [
      wrong(
        'channels',
        error.message,
        'Correct the file, or remove it and set up its channels anew with `bursar notify`.',
      ),
    ]
  }
}
