import type { JSX } from 'preact'
import { read } from '../api.ts'
import { useData } from '../data.ts'
import { Badge, Empty, Facts, Id, Words } from '../parts/bits.tsx'
import { Page, Read } from '../parts/page.tsx'
import { Link } from '../router.tsx'
import { inbox } from '../state.ts'
import type { PaymentView, RequestView } from '../types.ts'
import { Ask } from './ask.tsx'

/** Everything that waits for a human; or one of it, by its address. */
export function InboxPage({ subject }: { subject: string | null }): JSX.Element {
  const items = inbox.value
  const shown = items?.filter(({ question }) => subject === null || question.subject_id === subject) ?? []
  return (
    <Page title="Inbox">
      {subject !== null && (
        <p>
          <Link to="/">All that waits</Link>
        </p>
      )}
      {items === null && <p aria-busy="true">Reading…</p>}
      {shown.map((item) => (
        <Ask key={item.question.subject_id} item={item} />
      ))}
      {items !== null && shown.length === 0 && (subject === null ? <Nothing /> : <Decided id={subject} />)}
    </Page>
  )
}

function Nothing(): JSX.Element {
  return <Empty>Nothing waits for you. When an agent asks, it appears here by itself.</Empty>
}

/** What became of an ask that no longer waits. */
function Decided({ id }: { id: string }): JSX.Element {
  const payment = id.startsWith('pay_')
  const data = useData(id, () =>
    read<RequestView | PaymentView>(`/${payment ? 'payments' : 'requests'}/${encodeURIComponent(id)}`),
  )
  return (
    <Read data={data}>
      {(view) => (
        <article>
          <h2>This does not wait any more</h2>
          <Facts
            rows={[
              ['Status', <Badge key="status" status={view.status} />],
              ['Amount', `${view.amount} ${view.currency}`],
              ...(view.refusal ? [['Why not', view.refusal.message] as const] : []),
              [
                'Id',
                payment ? (
                  <Link key="id" to={`/payments/${id}`}>
                    {id}
                  </Link>
                ) : (
                  <Id key="id" id={id} />
                ),
              ],
            ]}
          />
          {view.purpose !== null && <Words whose="In the agent's own words">{view.purpose}</Words>}
        </article>
      )}
    </Read>
  )
}
