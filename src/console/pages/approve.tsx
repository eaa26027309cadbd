import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { sentence } from '../api.ts'
import { Facts, Id, Words } from '../parts/bits.tsx'
import { Dialog, Failed, useBusy } from '../parts/dialog.tsx'
import type { Asked } from '../passkey.ts'
import { approve, askApproval } from '../passkey.ts'
import { decided, refresh, say, session } from '../state.ts'
import { factRows, otherRows, titleOf, warnings } from '../terms.ts'
import type { InboxItem, Narrowing } from '../types.ts'

interface ApproveProps {
  readonly item: InboxItem
  readonly narrowing: Narrowing
  onClose(): void
}

/**
 * The terms as they will be signed, and the passkey. What is shown here stays as it was when the dialog opened, and it is this
 * that the signature is checked against: nothing that arrives meanwhile can change it.
 */
export function ApproveDialog({ item, narrowing, onClose }: ApproveProps): JSX.Element {
  const [shown] = useState(item)
  const owner = session.value?.owner?.owner_id ?? ''
  const [asked, setAsked] = useState<Asked | null>(null)
  const [refused, setRefused] = useState<string | null>(null)
  const { busy, failed, run } = useBusy()
  // Once for each dialog: what it shows does not change.
  useEffect(() => {
    askApproval(shown, narrowing, owner).then(setAsked, (error) => setRefused(sentence(error)))
  }, [])
  const sign = (): void =>
    run(async () => {
      if (asked === null) return
      const { warning, waiting_for_second: second } = await approve(asked, shown, narrowing, owner)
      if (second) refresh()
      else decided(shown.question.subject_id)
      say(
        `${second ? 'Your yes is kept. It waits for a second owner.' : 'Approved.'} ${warning ?? ''}`,
        warning !== undefined,
      )
      onClose()
    })
  return (
    <Dialog title={`Approve: ${titleOf(shown)}`} onClose={onClose}>
      <p>Your passkey signs exactly these terms, and nothing else:</p>
      {warnings(shown).map((text) => (
        <p class="notice bad" role="note" key={text}>
          <strong>Beware.</strong> {text}
        </p>
      ))}
      <Facts label="What you sign" rows={[...factRows(shown, narrowing), ...otherRows(shown)]} />
      <Words whose="The agent's own words. Nobody has checked them:">{shown.question.words}</Words>
      <details class="more">
        <summary>Digest</summary>
        <Id id={shown.question.digest} />
      </details>
      <Failed why={refused ?? failed} />
      <footer>
        <button type="button" class="secondary outline" onClick={onClose}>
          Cancel
        </button>
        <button type="button" onClick={sign} disabled={asked === null || busy} aria-busy={busy}>
          Approve with passkey
        </button>
      </footer>
    </Dialog>
  )
}
