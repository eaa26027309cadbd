import { approve } from '../../actions/owner/approve.ts'
import { question } from '../../actions/question.ts'
import type { Question } from '../../actions/wire.ts'
import { operatorProof } from '../../approvals/operator.ts'
import type { Narrowing } from '../../core/approval.ts'
import { parseDuration } from '../../core/duration.ts'
import { BursarError } from '../../core/errors.ts'
import { plain } from '../../core/text.ts'
import { Ended, EXIT } from '../failure.ts'
import { factLines, type JsonOption } from '../output.ts'
import type { Shell } from '../shell.ts'

export interface ApproveOptions extends JsonOption {
  readonly amount?: string
  readonly uses?: number
  readonly perPaymentMax?: string
  readonly expiresIn?: string
  readonly yes?: true
}

const WORDS_MAX = 500

/** Shows the terms from the store, asks, and approves what was shown and nothing else. */
export async function approveCommand(shell: Shell, id: string, options: ApproveOptions): Promise<void> {
  const { terminal, output } = shell
  const narrowing = narrowingOf(options)
  await shell.withBursar(async (opened) => {
    const asked = await question(opened.bursar, id)
    if (!asked.waiting) throw new BursarError('not_pending', 'This was decided already, or nobody answered in time.')
    if (!options.yes && !terminal.interactive)
      throw new BursarError(
        'argument_invalid',
        'There is nobody here to ask. Read the terms with `bursar request show`, then use --yes.',
      )
    output.note(options, termsText(asked, options))
    if (!options.yes && !(await terminal.confirm('Approve this?'))) {
      output.note(options, 'Not approved; it still waits. `bursar request deny` says no.\n')
      throw new Ended(EXIT.failed)
    }
    const owner = await opened.unlock(await shell.passphrase())
    const proof = await operatorProof(opened.bursar, owner, id, asked.digest, narrowing)
    const view = await approve(opened.bursar, id, proof, narrowing)
    output.show(options, view)
    if (view.approval) output.note(options, 'Two owners have to agree: it waits for another one.\n')
  })
}

function narrowingOf({ amount, uses, perPaymentMax, expiresIn }: ApproveOptions): Narrowing {
  return {
    ...(amount !== undefined && { amount }),
    ...(uses !== undefined && { usage_limit: uses }),
    ...(perPaymentMax !== undefined && { per_payment_max: perPaymentMax }),
    ...(expiresIn !== undefined && { expires_in_ms: parseDuration(expiresIn) }),
  }
}

function termsText(asked: Question, { amount, uses, perPaymentMax, expiresIn }: ApproveOptions): string {
  const narrowed = Object.entries({
    Amount: amount,
    Uses: uses?.toString(),
    'Per payment': perPaymentMax,
    'Lives for': expiresIn,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return [
    `${asked.subject_id}\n${factLines([...asked.facts, ['Open until', asked.expires_at]])}`,
    narrowed.length > 0 ? `You allow less:\n${factLines(narrowed)}` : '',
    `The agent says, and nobody has checked it:\n  "${plain(asked.words, WORDS_MAX)}"\n`,
  ].join('')
}
