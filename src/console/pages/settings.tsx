import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/browser'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { look } from '../api.ts'
import { useData } from '../data.ts'
import { Badge, Facts, Id, When } from '../parts/bits.tsx'
import { confirmed } from '../parts/confirm.tsx'
import { Dialog, FormDialog, field } from '../parts/dialog.tsx'
import { Page, Read } from '../parts/page.tsx'
import { addPasskey } from '../passkey.ts'
import { refresh, say, sayError, session } from '../state.ts'
import type { Owner, PasskeyView } from '../types.ts'
import { Notifications } from './notifications.tsx'

export function SettingsPage(): JSX.Element {
  const { owner, origin, version } = session.value ?? {}
  return (
    <Page title="Settings">
      <Passkeys />
      <Owners />
      <Notifications />
      <section>
        <h2>This bursar</h2>
        <Facts
          rows={[
            ['Signed in as', owner?.name ?? ''],
            ['Address', origin ?? ''],
            ['Version', version ?? ''],
          ]}
        />
      </section>
    </Page>
  )
}

function Passkeys(): JSX.Element {
  const data = useData('passkeys', () => look<{ passkeys: readonly PasskeyView[] }>('/passkeys'))
  const [adding, setAdding] = useState(false)
  const add = async (form: FormData): Promise<'next'> => {
    const name = field(form, 'name') ?? ''
    setAdding(false)
    const options = await confirmed<PublicKeyCredentialCreationOptionsJSON>({
      title: `Add the passkey ${name}`,
      act: 'passkey.add',
      args: { name },
    })
    if (options === null) return 'next'
    await addPasskey(options).then(() => {
      refresh()
      say('The passkey is added.')
    }, sayError)
    return 'next'
  }
  const revoke = async ({ passkey_id, name }: PasskeyView): Promise<void> => {
    const done = await confirmed({
      title: `Revoke the passkey ${name}`,
      act: 'passkey.revoke',
      args: { passkey_id },
      names: { [passkey_id]: name },
    })
    if (done !== null) say('The passkey is revoked.')
  }
  return (
    <section>
      <div class="heading">
        <h2>Passkeys</h2>
        <button type="button" class="secondary outline" onClick={() => setAdding(true)}>
          Add a passkey…
        </button>
      </div>
      <Read data={data}>
        {({ passkeys }) => (
          <ul class="rows">
            {passkeys.map((passkey) => (
              <li key={passkey.passkey_id} class="block">
                <div class="heading">
                  <strong>{passkey.name}</strong>
                  {passkey.owner_id === me() && (
                    <button type="button" class="danger outline" onClick={() => void revoke(passkey)}>
                      Revoke…<span class="unseen"> {passkey.name}</span>
                    </button>
                  )}
                </div>
                <p class="sub">
                  {passkey.owner} · since <When at={passkey.created_at} /> ·{' '}
                  {passkey.synced ? 'synced: it may be on several devices' : 'bound to its device'}
                </p>
              </li>
            ))}
          </ul>
        )}
      </Read>
      {adding && (
        <FormDialog title="Add a passkey" submit="Continue" onClose={() => setAdding(false)} onSubmit={add}>
          <p>First confirm with a passkey that you have. Then this device makes the new one.</p>
          <label>
            A name for it
            <input name="name" required maxLength={60} autocomplete="off" />
          </label>
        </FormDialog>
      )}
    </section>
  )
}

interface Invited {
  readonly name: string
  readonly code: string
  readonly expires_at: string
}

type OwnerView = Owner & { readonly passkeys: number; readonly has_passphrase: boolean }

function Owners(): JSX.Element {
  const data = useData('owners', () => look<{ owners: readonly OwnerView[] }>('/owners'))
  const [inviting, setInviting] = useState(false)
  const [invited, setInvited] = useState<Invited | null>(null)
  const invite = async (form: FormData): Promise<'next'> => {
    const name = field(form, 'name') ?? ''
    setInviting(false)
    setInvited(await confirmed<Invited>({ title: `Invite ${name}`, act: 'owner.invite', args: { name } }))
    return 'next'
  }
  return (
    <section>
      <div class="heading">
        <h2>Owners</h2>
        <button type="button" class="secondary outline" onClick={() => setInviting(true)}>
          Invite an owner…
        </button>
      </div>
      <Read data={data}>
        {({ owners }) => (
          <ul class="rows">
            {owners.map((owner) => (
              <li key={owner.owner_id} class="block">
                <strong>{owner.name}</strong> {owner.owner_id === me() && <Badge status="you" />}
                <p class="sub">
                  {owner.passkeys === 1 ? 'one passkey' : `${owner.passkeys} passkeys`}
                  {owner.has_passphrase && ' · a passphrase, for the command line'}
                </p>
              </li>
            ))}
          </ul>
        )}
      </Read>
      {inviting && (
        <FormDialog title="Invite an owner" submit="Continue" onClose={() => setInviting(false)} onSubmit={invite}>
          <p>Another human who may say yes where two have to.</p>
          <label>
            Name
            <input name="name" required maxLength={60} autocomplete="off" />
          </label>
        </FormDialog>
      )}
      {invited && (
        <Dialog title={`A one-time code for ${invited.name}`} onClose={() => setInvited(null)}>
          <p>
            Tell it to its owner, and nobody else. It makes one passkey, until <When at={invited.expires_at} />.
          </p>
          <p>
            <Id id={invited.code} />
          </p>
        </Dialog>
      )}
    </section>
  )
}

function me(): string | undefined {
  return session.value?.owner?.owner_id
}
