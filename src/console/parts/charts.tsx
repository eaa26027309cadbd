import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { forDrawing } from '../money.ts'
import type { Bars } from './chart.ts'

export interface Bar {
  readonly name: string
  readonly amount: string
  readonly count: number
}

interface ChartProps {
  readonly title: string
  readonly what: string
  readonly currency: string
  readonly bars: readonly Bar[]
  readonly lying?: boolean
}

const NAME_MAX = 22

/** Amounts as bars, and the same as a table for whoever cannot see them, or wants them exact. */
export function Chart({ title, what, currency, bars, lying = false }: ChartProps): JSX.Element {
  const id = useId()
  return (
    <section class="chart" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {bars.length === 0 ? <p class="empty">Nothing was spent.</p> : <Canvas bars={barsOf(bars, currency, lying)} />}
      {bars.length > 0 && (
        <details class="more">
          <summary>As a table</summary>
          <table>
            <caption class="unseen">{title}</caption>
            <thead>
              <tr>
                <th scope="col">{what}</th>
                <th scope="col">Payments</th>
                <th scope="col">{currency}</th>
              </tr>
            </thead>
            <tbody>
              {bars
                .filter(({ count }) => lying || count > 0)
                .map(({ name, amount, count }) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td>{count}</td>
                    <td class="money">{amount}</td>
                  </tr>
                ))}
            </tbody>
          </table>
        </details>
      )}
    </section>
  )
}

function barsOf(bars: readonly Bar[], currency: string, lying: boolean): Bars {
  return {
    labels: bars.map(({ name }) => (name.length > NAME_MAX ? `${name.slice(0, NAME_MAX - 1)}…` : name)),
    lengths: bars.map(({ amount }) => forDrawing(amount)),
    texts: bars.map(({ amount, count }) => `${amount} ${currency}, ${count} ${count === 1 ? 'payment' : 'payments'}`),
    lying,
  }
}

/** The drawing, in the colours of the light or the dark, whichever is on. */
function Canvas({ bars }: { bars: Bars }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const dark = useDark()
  const drawn = JSON.stringify(bars)
  // `drawn` is all of `bars`; another light has other colours.
  useEffect(() => {
    let over = false
    let remove: (() => void) | null = null
    void import('./chart.ts').then(({ draw }) => {
      if (!over && canvas.current) remove = draw(canvas.current, bars)
    })
    return () => {
      over = true
      remove?.()
    }
  }, [drawn, dark])
  return (
    <div class="canvas" style={{ height: bars.lying ? `${bars.labels.length * 34 + 40}px` : '220px' }}>
      <canvas ref={canvas} role="img" aria-label="Bars. The table below says the same." />
    </div>
  )
}

function useDark(): boolean {
  const [query] = useState(() => matchMedia('(prefers-color-scheme: dark)'))
  const [dark, setDark] = useState(query.matches)
  useEffect(() => {
    const changed = (): void => setDark(query.matches)
    query.addEventListener('change', changed)
    return () => query.removeEventListener('change', changed)
  }, [query])
  return dark
}
