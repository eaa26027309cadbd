import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { read } from '../api.ts'
import { useData } from '../data.ts'
import { Empty } from './bits.tsx'
import { Read } from './page.tsx'

interface PagedProps<Item> {
  /** `/payments?status=refused`, without a cursor. */
  readonly path: string
  /** The name of the list in the answer. */
  readonly name: string
  readonly empty: string
  readonly children: (item: Item) => ComponentChildren
}

/** A list of the REST surface, page by page. */
export function Paged<Item>({ path, name, empty, children }: PagedProps<Item>): JSX.Element {
  // The cursors that led here: the last is this page's.
  const [trail, setTrail] = useState<readonly string[]>([])
  const cursor = trail.at(-1)
  const url =
    cursor === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`
  const data = useData(url, () => read<Record<string, unknown>>(url))
  return (
    <Read data={data}>
      {(page) => {
        const items = page[name] as readonly Item[]
        const next = page.next_cursor as string | undefined
        return (
          <>
            {items.length === 0 ? <Empty>{empty}</Empty> : <ul class="rows">{items.map(children)}</ul>}
            {(next !== undefined || trail.length > 0) && (
              <nav class="pager" aria-label="Pages">
                <button
                  type="button"
                  class="secondary outline"
                  disabled={trail.length === 0}
                  onClick={() => setTrail(trail.slice(0, -1))}
                >
                  Newer
                </button>
                <button
                  type="button"
                  class="secondary outline"
                  disabled={next === undefined}
                  onClick={() => next !== undefined && setTrail([...trail, next])}
                >
                  Older
                </button>
              </nav>
            )}
          </>
        )
      }}
    </Read>
  )
}
