import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { read } from '../api.ts'
import { useData } from '../data.ts'
import { Id } from '../parts/bits.tsx'
import { Failed, useBusy } from '../parts/dialog.tsx'
import { Page, Read } from '../parts/page.tsx'
import type { EventView, WalletView } from '../types.ts'
import type { Verdict } from '../verify/run.ts'
import { Timeline } from './events.tsx'

const PAGE = 50

interface Events {
  readonly size: number
  readonly events: readonly { readonly event?: EventView; readonly seq?: number; readonly type?: string }[]
}

export function JournalPage(): JSX.Element {
  const wallets = useData('wallets', () => read<{ wallets: readonly WalletView[] }>('/wallets?limit=200'))
  const [journal, setJournal] = useState('instance')
  const choose = (
    <label class="inline">
      Journal{' '}
      <select value={journal} onChange={(event) => setJournal(event.currentTarget.value)}>
        <option value="instance">instance</option>
        {wallets.value?.wallets.map(({ wallet_id, name }) => (
          <option key={wallet_id} value={wallet_id}>
            wallet {name}
          </option>
        ))}
      </select>
    </label>
  )
  return (
    <Page title="Journal" actions={choose}>
      <VerifySection names={new Map(wallets.value?.wallets.map(({ wallet_id, name }) => [wallet_id, name]))} />
      <EventsSection key={journal} journal={journal} />
    </Page>
  )
}

/** The last events first, page by page. */
function EventsSection({ journal }: { journal: string }): JSX.Element {
  // How many pages back from the end.
  const [back, setBack] = useState(0)
  const load = async (): Promise<Events & { from: number }> => {
    const path = (from: number, limit: number): string =>
      `/journal/events?journal=${encodeURIComponent(journal)}&from=${from}&limit=${limit}`
    const { size } = await read<Events>(path(0, 1))
    const from = Math.max(0, size - (back + 1) * PAGE)
    return { ...(await read<Events>(path(from, Math.min(PAGE, Math.max(1, size - from - back * PAGE))))), from }
  }
  const data = useData(`${journal} ${back}`, load)
  return (
    <section>
      <h2>Events</h2>
      <Read data={data}>
        {({ size, events, from }) => (
          <>
            <p class="sub">
              {from + 1} to {from + events.length} of {size}, the last first
            </p>
            <Timeline
              events={events
                .map(({ event, seq, type }) => event ?? { journal, seq: seq ?? 0, type: type ?? '' })
                .toReversed()}
            />
            <nav class="pager" aria-label="Pages">
              <button type="button" class="secondary outline" disabled={back === 0} onClick={() => setBack(back - 1)}>
                Newer
              </button>
              <button type="button" class="secondary outline" disabled={from === 0} onClick={() => setBack(back + 1)}>
                Older
              </button>
            </nav>
          </>
        )}
      </Read>
    </section>
  )
}

function VerifySection({ names }: { names: ReadonlyMap<string, string> }): JSX.Element {
  const { busy, failed, run } = useBusy()
  const [verdict, setVerdict] = useState<Verdict | null>(null)
  const verify = (): void =>
    run(async () => {
      setVerdict(null)
      const { verifyJournals } = await import('../verify/run.ts')
      setVerdict(await verifyJournals())
    })
  return (
    <section class="verify">
      <h2>Verify in this browser</h2>
      <p>
        Downloads all journals and checks every event, hash, checkpoint, approval and balance here, without asking the
        server. What was found good is remembered in this browser: a journal that was rewritten or cut since shows.
      </p>
      <button type="button" onClick={verify} disabled={busy} aria-busy={busy}>
        {busy ? 'Verifying…' : 'Verify'}
      </button>
      <Failed why={failed} />
      <div role="status">{verdict && <VerdictText verdict={verdict} names={names} />}</div>
    </section>
  )
}

function VerdictText({ verdict, names }: { verdict: Verdict; names: ReadonlyMap<string, string> }): JSX.Element {
  const { report, vkey, witnesses, newKey } = verdict
  const nameOf = (journal: string): string => (names.has(journal) ? `wallet ${names.get(journal)}` : journal)
  return (
    <>
      {newKey && (
        <p class="notice bad">
          <strong>The journals are signed by another key than this browser knew.</strong> Unless you know why, trust
          nothing here.
        </p>
      )}
      <p>
        <span class={`badge ${report.ok ? 'good' : 'bad'}`}>{report.ok ? 'holds' : 'does not hold'}</span>{' '}
        {report.events} events, {report.complete ? '' : `${report.archived} of them archived and not read, `}
        {witnesses === 0 ? 'checked here for the first time' : `and ${witnesses} checkpoints that this browser kept`}
      </p>
      {!report.complete && (
        <p class="notice">
          Of archived events only the hashes are here. They, and what follows from them, are checked with their files:{' '}
          <code>bursar journal verify --archive</code>
        </p>
      )}
      <ul class="rows">
        {report.journals.map(({ journal, size, root }) => {
          const wrong = report.problems.filter((problem) => problem.journal === journal)
          return (
            <li key={journal} class="block">
              <span class={`badge ${wrong.length === 0 ? 'good' : 'bad'}`}>
                {wrong.length === 0 ? 'holds' : 'broken'}
              </span>{' '}
              <strong>{nameOf(journal)}</strong>, {size} events <Id id={root} />
            </li>
          )
        })}
      </ul>
      {report.problems.length > 0 && (
        <ul>
          {report.problems.map(({ journal, seq, why }) => (
            <li key={`${journal} ${seq} ${why}`}>
              {nameOf(journal)}
              {seq === null ? '' : `, event ${seq}`}: {why}
            </li>
          ))}
        </ul>
      )}
      <p class="sub">
        Signed by <Id id={vkey} />. Compare it with the one that <code>bursar journal export</code> names on the server.
      </p>
    </>
  )
}
