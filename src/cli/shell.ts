import type { OwnerAuthority } from '../actions/owner/authority.ts'
import { BursarError } from '../core/errors.ts'
import { type Output, outputOf } from './output.ts'
import type { Opened, Program, Terminal } from './program.ts'

/** How the journal names this surface. */
export const CHANNEL = 'cli'

/** What every command works with. */
export interface Shell {
  readonly program: Program
  readonly terminal: Terminal
  readonly output: Output
  /** Opens bursar for as long as the work takes. */
  withBursar<T>(work: (opened: Opened) => Promise<T> | T): Promise<T>
  /** As {@link withBursar}, for what gives power: asks for the owner's passphrase first. @throws `passphrase_wrong` */
  withOwner<T>(work: (opened: Opened, owner: OwnerAuthority) => Promise<T>): Promise<T>
  /** The owner's passphrase, from the environment or typed. @throws `passphrase_wrong` when there is nobody to type it. */
  passphrase(): Promise<string>
}

export function shellOf(program: Program, terminal: Terminal): Shell {
  const withBursar: Shell['withBursar'] = async (work) => {
    const opened = await program.open()
    try {
      return await work(opened)
    } finally {
      await opened.close()
    }
  }
  const passphrase = async () => {
    const { ownerPassphrase } = program.config()
    if (ownerPassphrase !== null) return ownerPassphrase
    if (!terminal.interactive)
      throw new BursarError('passphrase_wrong', 'This needs the passphrase of the owner, and none was given.')
    return terminal.secret("The owner's passphrase")
  }
  return {
    program,
    terminal,
    output: outputOf(terminal),
    withBursar,
    withOwner: (work) => withBursar(async (opened) => work(opened, await opened.unlock(await passphrase()))),
    passphrase,
  }
}
