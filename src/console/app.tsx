import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { read, send } from './api.ts'
import { useData } from './data.ts'
import { AgentPage } from './pages/agent.tsx'
import { AgentsPage, NewKeyDialog } from './pages/agents.tsx'
import { InboxPage } from './pages/inbox.tsx'
import { InstrumentPage, InstrumentsPage } from './pages/instruments.tsx'
import { JournalPage } from './pages/journal.tsx'
import { PaymentPage } from './pages/payment.tsx'
import { PaymentsPage } from './pages/payments.tsx'
import { SettingsPage } from './pages/settings.tsx'
import { SignInPage } from './pages/sign-in.tsx'
import { WalletPage } from './pages/wallet.tsx'
import { WalletsPage } from './pages/wallets.tsx'
import { ConfirmDialog, confirmed } from './parts/confirm.tsx'
import { FormDialog } from './parts/dialog.tsx'
import { Page } from './parts/page.tsx'
import { Link, place } from './router.tsx'
import { connected, inbox, refresh, said, say, session, signOut } from './state.ts'

const PLACES = [
  ['/', 'Inbox'],
  ['/wallets', 'Wallets'],
  ['/instruments', 'Instruments'],
  ['/payments', 'Payments'],
  ['/agents', 'Agents'],
  ['/journal', 'Journal'],
  ['/settings', 'Settings'],
] as const

export function App(): JSX.Element {
  const known = session.value
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">{known?.signed_in ? <Top /> : <Brand />}</header>
      <main id="main" tabIndex={-1}>
        {known?.signed_in && <Frozen />}
        {known?.signed_in && !connected.value && (
          <p class="notice">The connection is gone. What is shown may be old.</p>
        )}
        {known === null ? <p aria-busy="true">Reading…</p> : known.signed_in ? <Place /> : <SignInPage />}
      </main>
      <Said />
      <ConfirmDialog />
      <NewKeyDialog />
    </>
  )
}

function Brand(): JSX.Element {
  return (
    <Link to="/" class="brand">
      <img src="/console/icon.svg" alt="" width="28" height="28" /> bursar
    </Link>
  )
}

function Top(): JSX.Element {
  const waiting = inbox.value?.length ?? 0
  const [, here = ''] = place.value.split('/')
  const current = here === 'inbox' ? '/' : `/${here}`
  return (
    <>
      <div class="bar">
        <Brand />
        <span class="push sub who">{session.value?.owner?.name}</span>
        <button type="button" class="secondary outline small" onClick={() => void signOut()}>
          Sign out
        </button>
        <FreezeAll />
      </div>
      <nav aria-label="Pages">
        {PLACES.map(([to, name]) => (
          <Link key={to} to={to} current={to === current}>
            {name}
            {to === '/' && waiting > 0 && (
              <span class="count">
                {waiting}
                <span class="unseen"> waiting</span>
              </span>
            )}
          </Link>
        ))}
      </nav>
    </>
  )
}

/** In reach on every page, and without a passkey: it takes power away. */
function FreezeAll(): JSX.Element {
  const [asking, setAsking] = useState(false)
  const freeze = async (): Promise<void> => {
    await send('/reduce', { act: 'freeze_all', args: {} })
    refresh()
    say('All spending is stopped.')
  }
  return (
    <>
      <button type="button" class="danger small" onClick={() => setAsking(true)}>
        Freeze all
      </button>
      {asking && (
        <FormDialog
          title="Stop all spending?"
          submit="Freeze all"
          danger
          onClose={() => setAsking(false)}
          onSubmit={freeze}
        >
          <p>No agent can spend anything until you unfreeze, which takes your passkey.</p>
        </FormDialog>
      )}
    </>
  )
}

function Frozen(): JSX.Element | null {
  const data = useData('freeze', () => read<{ frozen: boolean }>('/freeze'))
  if (!data.value?.frozen) return null
  const unfreeze = (): void => {
    void confirmed({ title: 'Let agents spend again', act: 'unfreeze_all', args: {} }).then(
      (done) => done !== null && say('Agents can spend again.'),
    )
  }
  return (
    <div class="notice bad frozen" role="alert">
      <strong>All spending is stopped.</strong>
      <button type="button" class="secondary outline small" onClick={unfreeze}>
        Unfreeze…
      </button>
    </div>
  )
}

/** What was done, for eyes and ears, until it is put away. */
function Said(): JSX.Element {
  const { text, bad, n } = said.value
  return (
    <div class="said" role="status" aria-live={bad ? 'assertive' : 'polite'}>
      {text !== '' && (
        <p key={n} class={bad ? 'bad' : ''}>
          {text}
          <button type="button" class="shut" aria-label="Put away" onClick={() => say('')} />
        </p>
      )}
    </div>
  )
}

function Place(): JSX.Element {
  const [, name = '', id] = place.value.split('/')
  switch (name) {
    case '':
      return <InboxPage key="inbox" subject={null} />
    case 'inbox':
      return <InboxPage key={id} subject={id ?? null} />
    case 'wallets':
      return id === undefined ? <WalletsPage key="wallets" /> : <WalletPage key={id} id={id} />
    case 'instruments':
      return id === undefined ? <InstrumentsPage key="instruments" /> : <InstrumentPage key={id} id={id} />
    case 'payments':
      return id === undefined ? <PaymentsPage key="payments" /> : <PaymentPage key={id} id={id} />
    case 'agents':
      return id === undefined ? <AgentsPage key="agents" /> : <AgentPage key={id} id={id} />
    case 'journal':
      return <JournalPage key="journal" />
    case 'settings':
      return <SettingsPage key="settings" />
    default:
      return (
        <Page title="Not found">
          <p>
            There is no such page. <Link to="/">Go to the inbox</Link>
          </p>
        </Page>
      )
  }
}
