import type { ComponentChildren, JSX } from 'preact'

const GOOD = ['active', 'captured', 'approved', 'delivered']
const BAD = ['refused', 'denied', 'frozen', 'revoked', 'in_doubt']
const WAITING = ['pending', 'awaiting_approval', 'authorized', 'limit_reached']

/** A status in words, with a colour beside them. */
export function Badge({ status }: { status: string }): JSX.Element {
  const tone = GOOD.includes(status) ? 'good' : BAD.includes(status) ? 'bad' : WAITING.includes(status) ? 'wait' : ''
  return <span class={`badge ${tone}`}>{words(status)}</span>
}

/** Sandbox money is not real money, and says so wherever there is an amount. */
export function Mode({ mode }: { mode: string }): JSX.Element | null {
  return mode === 'sandbox' ? <span class="badge sandbox">sandbox: not real money</span> : null
}

/** `awaiting_approval` for people. */
export function words(name: string): string {
  return name.replaceAll('_', ' ')
}

export function titled(name: string): string {
  const text = words(name)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

export function Money({ amount, currency }: { amount: string | null; currency: string | null }): JSX.Element {
  if (amount === null) return <span>no amount</span>
  return (
    <span class="money">
      {amount} {currency}
    </span>
  )
}

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** A time in the owner's own zone. */
export function When({ at }: { at: string }): JSX.Element {
  return (
    <time dateTime={at} title={at}>
      {WHEN.format(new Date(at))}
    </time>
  )
}

const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: 'always' })

/** How long until then. */
export function until(at: string, now = Date.now()): string {
  const minutes = Math.max(0, Math.round((Date.parse(at) - now) / 60_000))
  if (minutes < 120) return RELATIVE.format(minutes, 'minute')
  const hours = Math.round(minutes / 60)
  return hours < 48 ? RELATIVE.format(hours, 'hour') : RELATIVE.format(Math.round(hours / 24), 'day')
}

/** An id is long: all of it is there to copy, and it may break anywhere. */
export function Id({ id }: { id: string }): JSX.Element {
  return <code class="id">{id}</code>
}

export type Row = readonly [label: string, value: ComponentChildren]

/** Label and value, in the order in which they should be read. */
export function Facts({ rows, label }: { rows: readonly Row[]; label?: string }): JSX.Element {
  return (
    <dl class="facts" {...(label !== undefined && { 'aria-label': label })}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** What an agent or a seller says. Text and nothing else, marked as theirs. */
export function Words({ whose, children }: { whose: string; children: string }): JSX.Element {
  return (
    <figure class="words">
      <figcaption>{whose}</figcaption>
      <blockquote>{children}</blockquote>
    </figure>
  )
}

export function Empty({ children }: { children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>
}
