import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { BursarError } from '../../core/errors.ts'
import type { Clock } from '../../ports.ts'
import type { HumanPrincipal } from '../owner/principal.ts'

/** One browser, signed in or about to. In memory: a restart signs everybody out. */
export interface Session {
  /** SHA-256 of the cookie, which is not kept. */
  readonly id: string
  /** What every request has to carry beside the cookie, which a browser sends by itself, and to every port of a machine. */
  readonly csrf: string
  /** Null until it is signed in. */
  readonly owner: { readonly id: string; readonly passkeyId: string } | null
  readonly createdAt: number
  usedAt: number
  /** What was asked of its authenticator last, for each purpose: answered once. */
  readonly challenges: Map<string, Challenge>
  /** When a question was first shown to it. */
  readonly shown: Map<string, number>
  /** Fires when it ends. */
  readonly ended: AbortController
}

export interface Challenge {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** What it is about: for an approval or an act the statement whose hash it is. */
  readonly about: string
  readonly until: number
}

/** How long a challenge may take to come back signed, in milliseconds. */
const CHALLENGE_MS = 5 * 60 * 1000
const IDLE_MS = 30 * 60 * 1000
const WHOLE_MS = 12 * 60 * 60 * 1000
/** Strangers get a session too: these are counted apart, so that they push out none but their own kind. */
const STRANGERS_MAX = 500
const SIGNED_IN_MAX = 200
const CHALLENGES_MAX = 20
const SHOWN_MAX = 1_000
const TOKEN = /^[A-Za-z0-9_-]{43}$/

export const CSRF = 'x-csrf-token'

/** The sessions of one server. */
export class Sessions {
  private readonly clock: Clock
  private readonly isLive: (passkeyId: string) => Promise<boolean>
  private readonly cookie: string
  private readonly attributes: string
  private readonly sessions = new Map<string, Session>()

  /**
   * @param origin of the console. Cookies know no ports: on this machine the name tells consoles apart.
   * @param isLive whether a passkey is still good: a session ends with the one that it was opened with
   */
  constructor(clock: Clock, origin: string, isLive: (passkeyId: string) => Promise<boolean>) {
    const { protocol, port } = new URL(origin)
    this.clock = clock
    this.isLive = isLive
    this.cookie = protocol === 'https:' ? '__Host-bursar' : `bursar-${port}`
    this.attributes = `Path=/; HttpOnly; SameSite=Strict${protocol === 'https:' ? '; Secure' : ''}`
  }

  /** Whose request this is; null for one without a session that is signed in. @throws `forbidden` without its CSRF token */
  async principal(request: Request): Promise<HumanPrincipal | null> {
    const session = await this.of(request)
    if (!session?.owner) return null
    assertMeant(request, session)
    return { role: 'human', id: session.owner.id, channel: 'console', authority: null }
  }

  /** Null where there is none, or none any more. */
  async of(request: Request): Promise<Session | null> {
    const found = this.tokensIn(request).flatMap((token) => this.sessions.get(idOf(token)) ?? [])
    const open: Session[] = []
    for (const session of found)
      if (await this.isOver(session)) this.end(session)
      else if (this.sessions.get(session.id) === session) open.push(session)
    const session = open.find(({ owner }) => owner !== null) ?? open[0]
    if (!session) return null
    session.usedAt = this.clock.now()
    return session
  }

  /** Whether a session is still good, without using it. */
  async isOpen(session: Session): Promise<boolean> {
    return this.sessions.get(session.id) === session && !(await this.isOver(session))
  }

  /** A new session, and the header that gives it to the browser. Signing in makes a new one: the old cookie is worth nothing. */
  open(owner: Session['owner'], before: Session | null): { readonly session: Session; readonly setCookie: string } {
    if (before) this.end(before)
    this.makeRoom(owner !== null)
    const token = randomBytes(32).toString('base64url')
    const now = this.clock.now()
    const session: Session = {
      ...{ id: idOf(token), csrf: randomBytes(32).toString('base64url'), owner, createdAt: now, usedAt: now },
      ...{ challenges: new Map(), shown: new Map(), ended: new AbortController() },
    }
    // One for each of its pages.
    setMaxListeners(0, session.ended.signal)
    this.sessions.set(session.id, session)
    return { session, setCookie: `${this.cookie}=${token}; ${this.attributes}` }
  }

  end(session: Session): void {
    this.sessions.delete(session.id)
    session.ended.abort()
  }

  /** Asks something of the session's authenticator, in place of what was asked before for the same purpose. */
  challenge(session: Session, purpose: string, bytes: Uint8Array, about: string): Uint8Array<ArrayBuffer> {
    session.challenges.delete(purpose)
    const kept = Uint8Array.from(bytes)
    session.challenges.set(purpose, { bytes: kept, about, until: this.clock.now() + CHALLENGE_MS })
    forget(session.challenges, CHALLENGES_MAX)
    return kept
  }

  /** What was asked, once. @throws `passkey_invalid` where nothing was, or too long ago */
  answered(session: Session, purpose: string): Challenge {
    const challenge = session.challenges.get(purpose)
    session.challenges.delete(purpose)
    if (!challenge || this.clock.now() >= challenge.until)
      throw new BursarError('passkey_invalid', 'Nothing was asked of the passkey, or too long ago.')
    return challenge
  }

  /** How long ago a question was first shown to the session, in milliseconds; null: never. */
  shownFor(session: Session, subjectId: string): number | null {
    const at = session.shown.get(subjectId)
    return at === undefined ? null : this.clock.now() - at
  }

  show(session: Session, subjectId: string): void {
    if (session.shown.has(subjectId)) return
    session.shown.set(subjectId, this.clock.now())
    forget(session.shown, SHOWN_MAX)
  }

  close(): void {
    for (const session of this.sessions.values()) this.end(session)
  }

  private async isOver({ usedAt, createdAt, owner }: Session): Promise<boolean> {
    const now = this.clock.now()
    const isOld = now - usedAt >= IDLE_MS || now - createdAt >= WHOLE_MS
    return isOld || (owner !== null && !(await this.isLive(owner.passkeyId)))
  }

  /** Cookies know no ports: another program of this machine may have planted one beside ours, and have it sent first. */
  private tokensIn(request: Request): readonly string[] {
    const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim().split('=', 2))
    return pairs.flatMap(([name, value = '']) => (name === this.cookie && TOKEN.test(value) ? [value] : []))
  }

  private makeRoom(signedIn: boolean): void {
    const kin = [...this.sessions.values()].filter(({ owner }) => (owner !== null) === signedIn)
    if (kin.length < (signedIn ? SIGNED_IN_MAX : STRANGERS_MAX)) return
    const [idlest] = kin.toSorted((a, b) => a.usedAt - b.usedAt)
    if (idlest) this.end(idlest)
  }
}

/**
 * A browser sends the cookie with whatever any page has it send, and to whatever program it asks for a page of this machine; the
 * token only our page knows.
 */
export function isMeant(request: Request, session: Session): boolean {
  const [given, wanted] = [request.headers.get(CSRF) ?? '', session.csrf].map((text) => Buffer.from(text))
  return given !== undefined && given.length === wanted?.length && timingSafeEqual(given, wanted)
}

/** @throws `forbidden` */
export function assertMeant(request: Request, session: Session): void {
  if (!isMeant(request, session))
    throw new BursarError('forbidden', 'The request lacks the token of its session. Load the page again.')
}

function idOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function forget(map: Map<string, unknown>, max: number): void {
  const [oldest] = map.keys()
  if (map.size > max && oldest !== undefined) map.delete(oldest)
}
