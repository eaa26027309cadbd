import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { read } from '../api.ts'
import { useData } from '../data.ts'
import { total } from '../money.ts'
import { Chart } from '../parts/charts.tsx'
import { Read } from '../parts/page.tsx'
import type { Share, Spending, WalletView } from '../types.ts'

const SPANS = [7, 30, 90]

/** What was spent, by day, agent, payee and protocol. */
export function SpendingSection({ wallet }: { wallet: WalletView }): JSX.Element {
  const [days, setDays] = useState(30)
  const path = `/wallets/${encodeURIComponent(wallet.wallet_id)}/spending?days=${days}`
  const data = useData(path, () => read<Spending>(path))
  return (
    <section>
      <div class="heading">
        <h2>Spending</h2>
        <label class="inline">
          Last{' '}
          <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            {SPANS.map((span) => (
              <option key={span} value={span}>
                {span} days
              </option>
            ))}
          </select>
        </label>
      </div>
      <Read data={data}>
        {({ by_day, by_agent, by_payee, by_protocol, currency }) => (
          <>
            <p>
              <strong class="money">
                {by_day.length === 0 ? '0' : total(by_day.map(({ amount }) => amount))} {currency}
              </strong>{' '}
              in {by_day.reduce((sum, { count }) => sum + count, 0)} payments
            </p>
            <div class="charts">
              <Chart
                title="By day"
                what="Day"
                currency={currency}
                bars={by_day.map(({ day, ...rest }) => ({ name: day.slice(5), ...rest }))}
              />
              <Chart title="By agent" what="Agent" currency={currency} bars={ranked(by_agent)} lying />
              <Chart title="By payee" what="Payee" currency={currency} bars={ranked(by_payee)} lying />
              <Chart title="By protocol" what="Protocol" currency={currency} bars={ranked(by_protocol)} lying />
            </div>
          </>
        )}
      </Read>
    </section>
  )
}

const SHOWN = 8

/** The first few, and all the others as one. */
function ranked(shares: readonly Share[]): readonly Share[] {
  if (shares.length <= SHOWN) return shares
  const rest = shares.slice(SHOWN - 1)
  const others = {
    name: `${rest.length} others`,
    amount: total(rest.map(({ amount }) => amount)),
    count: rest.reduce((sum, { count }) => sum + count, 0),
  }
  return [...shares.slice(0, SHOWN - 1), others]
}
