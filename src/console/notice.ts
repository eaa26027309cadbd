/** What the worker makes of a notice. It comes from the server by way of a push service: all of it is text, and none of it is trusted to be one. */

export interface Shown {
  readonly title: string
  readonly body: string
  /** The same notice again takes the place of the first. */
  readonly tag: string
  readonly link: string | null
}

const TITLE_MAX = 200
const BODY_MAX = 1_500
const NEWS: Shown = { title: 'bursar has news', body: 'Open the console to read it.', tag: 'bursar', link: null }

/** @param sent as the notifier of the server writes it: a notice as JSON */
export function shownOf(sent: string | null): Shown {
  try {
    const { id, title, facts, link } = JSON.parse(sent ?? '') as Record<string, unknown>
    if (typeof id !== 'string' || typeof title !== 'string' || !Array.isArray(facts)) return NEWS
    const lines = facts.map((fact: unknown) => (Array.isArray(fact) ? fact.map(String).join(': ') : ''))
    return {
      ...{ title: title.slice(0, TITLE_MAX), body: lines.join('\n').slice(0, BODY_MAX), tag: id },
      link: typeof link === 'string' ? link : null,
    }
  } catch {
    return NEWS
  }
}

/** The page that a click opens: the link where it is one of this console's own pages, else its first. */
export function pageOf(link: unknown, origin: string): string {
  const url = typeof link === 'string' && URL.canParse(link) ? new URL(link) : null
  const isOurs = url?.origin === origin && /^\/console(?:\/(?!api(?:\/|$))|$)/.test(url.pathname)
  return isOurs ? origin + url.pathname : `${origin}/console`
}
