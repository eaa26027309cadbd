import { signal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'

const BASE = '/console'

/** Where the owner is, below `/console`: `/`, `/wallets/wal_…`. */
export const place = signal(here())

function here(): string {
  const path = location.pathname.slice(BASE.length).replace(/\/+$/, '')
  return path === '' ? '/' : path
}

addEventListener('popstate', () => {
  place.value = here()
})

export function go(to: string): void {
  if (to === place.value) return
  history.pushState(null, '', BASE + (to === '/' ? '' : to))
  place.value = to
  scrollTo(0, 0)
}

interface LinkProps {
  readonly to: string
  readonly class?: string
  readonly current?: boolean
  readonly children: ComponentChildren
}

/** A link of this app. What opens a new tab or window is left to the browser. */
export function Link({ to, current, children, ...rest }: LinkProps): JSX.Element {
  const follow = (event: MouseEvent): void => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return
    event.preventDefault()
    go(to)
  }
  return (
    <a
      {...rest}
      href={BASE + (to === '/' ? '' : to)}
      onClick={follow}
      {...(current && { 'aria-current': 'page' as const })}
    >
      {children}
    </a>
  )
}
