import type { ChartConfiguration } from 'chart.js'
import { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from 'chart.js'

Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip)

export interface Bars {
  readonly labels: readonly string[]
  /** How long each bar is. */
  readonly lengths: readonly number[]
  /** What each bar says, exactly. */
  readonly texts: readonly string[]
  /** Bars that lie, for names. */
  readonly lying: boolean
}

/** Draws bars in the colours of the page. Returns the way to take them away. */
export function draw(canvas: HTMLCanvasElement, bars: Bars): () => void {
  const style = getComputedStyle(canvas)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  const [axis, grid, bar] = [colour('--pico-muted-color'), colour('--pico-muted-border-color'), colour('--bursar-bar')]
  const values = {
    beginAtZero: true,
    grid: { color: grid },
    ticks: { color: axis, maxTicksLimit: 5 },
    border: { display: false },
  }
  const names = {
    grid: { display: false },
    ticks: { color: axis, maxRotation: 0, autoSkip: !bars.lying },
    border: { color: grid },
  }
  const config: ChartConfiguration<'bar'> = {
    type: 'bar',
    data: {
      labels: [...bars.labels],
      datasets: [{ data: [...bars.lengths], backgroundColor: bar, borderRadius: 3, maxBarThickness: 28 }],
    },
    options: {
      indexAxis: bars.lying ? 'y' : 'x',
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      scales: bars.lying ? { x: values, y: names } : { x: names, y: values },
      plugins: {
        tooltip: { displayColors: false, callbacks: { label: ({ dataIndex }) => bars.texts[dataIndex] ?? '' } },
      },
    },
  }
  const chart = new Chart(canvas, config)
  return () => chart.destroy()
}
