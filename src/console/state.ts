import { signal } from '@preact/signals'
import { session as ask, keep, look, read, send, sentence, whenSignedOut } from './api.ts'
import type { InboxItem, Session } from './types.ts'

/** Null until the server has said who is here. */
export const session = signal<Session | null>(null)
/** What waits for a human; null until it is known. */
export const inbox = signal<readonly InboxItem[] | null>(null)
/** Grows with every change that the server tells of: whoever shows something reads it again. */
export const version = signal(0)
/** Names of agents and wallets, by id. */
export const names = signal<ReadonlyMap<string, string>>(new Map())
export const connected = signal(true)
/** What a screen reader says next, and what is shown for a while. */
export const said = signal<{ readonly text: string; readonly bad: boolean; readonly n: number }>({
  text: '',
  bad: false,
  n: 0,
})

export function say(text: string, bad = false): void {
  said.value = { text, bad, n: said.value.n + 1 }
}

export function sayError(error: unknown): void {
  say(sentence(error), true)
}

export async function begin(): Promise<void> {
  whenSignedOut(() => {
    if (session.value?.signed_in) void begin()
  })
  try {
    enter(await ask())
  } catch (error) {
    sayError(error)
  }
}

export function enter(found: Session): void {
  session.value = keep(found)
  if (found.signed_in) listen()
  else forget()
}

export async function signOut(): Promise<void> {
  await send('/sign-out').catch(sayError)
  await begin()
}

/** Reads everything that is on the screen again. */
export function refresh(): void {
  version.value += 1
  void readInbox()
  void readNames()
}

async function readNames(): Promise<void> {
  try {
    const [{ agents }, { wallets }] = await Promise.all([
      read<{ agents: readonly { agent_id: string; name: string }[] }>('/agents?limit=200'),
      read<{ wallets: readonly { wallet_id: string; name: string }[] }>('/wallets?limit=200'),
    ])
    names.value = new Map([
      ...agents.map(({ agent_id, name }) => [agent_id, name] as const),
      ...wallets.map(({ wallet_id, name }) => [wallet_id, name] as const),
    ])
  } catch {
    // Ids are shown meanwhile.
  }
}

const BURST_MS = 150
let soon = false

/** As {@link refresh}, once for many changes that come together. */
function refreshSoon(): void {
  if (soon) return
  soon = true
  setTimeout(() => {
    soon = false
    refresh()
  }, BURST_MS)
}

async function readInbox(): Promise<void> {
  try {
    const { items } = await look<{ items: readonly InboxItem[] }>('/inbox')
    const before = inbox.value
    // What ends first is answered first.
    inbox.value = items.toSorted((one, other) => one.question.expires_at.localeCompare(other.question.expires_at))
    if (before === null) return
    const known = new Set(before.map(({ question }) => question.subject_id))
    const fresh = items.filter(({ question }) => !known.has(question.subject_id))
    if (fresh.length === 1) say(`${fresh[0]?.agent.name ?? 'An agent'} asks for something: it waits in the inbox.`)
    else if (fresh.length > 1) say(`${fresh.length} new asks wait in the inbox.`)
  } catch (error) {
    // What was read before stays; the next change or connection reads again.
    if (inbox.value === null && session.value?.signed_in) sayError(error)
  }
}

let stream: EventSource | null = null

/** Follows what changes on the server. The browser connects again by itself; whatever was missed meanwhile is then read. */
function listen(): void {
  if (stream !== null) return
  stream = new EventSource('/console/api/events')
  stream.addEventListener('open', () => {
    connected.value = true
    refresh()
  })
  stream.addEventListener('changed', refreshSoon)
  stream.addEventListener('error', () => {
    connected.value = false
    // Refused for good: the session may be over.
    if (stream?.readyState === EventSource.CLOSED) {
      stream = null
      setTimeout(() => void begin(), 3_000)
    }
  })
  void readInbox()
  void readNames()
}

function forget(): void {
  stream?.close()
  stream = null
  inbox.value = null
  names.value = new Map()
}

/** It leaves the list at once; the server's own list follows. */
export function decided(subjectId: string): void {
  inbox.value = inbox.value?.filter(({ question }) => question.subject_id !== subjectId) ?? null
  refresh()
}
