// Measures what DESIGN promises, each figure as a ratio to a baseline that runs beside it.
//
//   npm run bench                        all of it, and docs/benchmarks.md anew
//   npm run bench -- --json              the same, as JSON on stdout
//   npm run bench -- --only start,memory some of it; docs/benchmarks.md stays as it is
//   npm run bench -- --only chain        payments in USDC, on a chain that it starts itself
//   npm run bench -- --only x402         purchases on the web, against the official client
//   npm run bench -- --only serve        200 agents over HTTP for a minute, and as many on a server that does nothing
//   npm run bench -- --only postgres,pghot,pgnodes,pgstandby,pghistory  the store in PostgreSQL, on servers that it starts
//   npm run bench -- --payments 100000   with a shorter history than 1,000,000 payments
import { parseArgs } from 'node:util'
import { chainPayments } from './chain.ts'
import { manyCallers, oneCaller } from './decision.ts'
import { afterHistory } from './history.ts'
import { journalVerification } from './journal.ts'
import type { Figure } from './measure.ts'
import { isHeld } from './measure.ts'
import { postgresDecisions, postgresHot } from './postgres.ts'
import { postgresHistory } from './postgres-history.ts'
import { postgresNodes, postgresWorker } from './postgres-nodes.ts'
import { eightProcesses, worker } from './processes.ts'
import { tableOf, writeDocument } from './report.ts'
import { manyAgents } from './serve.ts'
import { checkBudget, memory, payments, start } from './stdio.ts'
import { purchases } from './x402.ts'

const MILLION = 1_000_000

async function main(args: string[]): Promise<void> {
  const [first, folder = '', url = ''] = args
  if (first === 'worker') return worker(folder)
  if (first === 'postgres-worker') return postgresWorker(url, folder)
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, only: { type: 'string' }, payments: { type: 'string' } },
  })
  const history = Number(values.payments ?? MILLION)
  const rows: Readonly<Record<string, () => Promise<Figure | readonly Figure[]>>> = {
    one: oneCaller,
    processes: eightProcesses,
    group: manyCallers,
    history: () => afterHistory(history),
    budget: checkBudget,
    payments,
    start,
    memory,
    journal: journalVerification,
    chain: chainPayments,
    x402: purchases,
    serve: manyAgents,
    postgres: postgresDecisions,
    pghot: postgresHot,
    pgnodes: postgresNodes,
    // Its servers are those of the tests, which load what tests are run with.
    pgstandby: async () => (await import('./postgres-standby.ts')).postgresStandby(),
    pghistory: () => postgresHistory(history),
  }
  const wanted = values.only?.split(',') ?? Object.keys(rows)
  const figures: Figure[] = []
  for (const name of wanted) {
    const row = rows[name]
    if (!row) throw new Error(`There is no measurement ${name}; there are ${Object.keys(rows).join(', ')}.`)
    figures.push(...[await row()].flat())
  }
  const asJson = figures.map((figure) => ({ ...figure, ok: isHeld(figure) }))
  console.log(values.json ? JSON.stringify(asJson, null, 2) : tableOf(figures))
  if (!values.only && history === MILLION) await writeDocument(figures)
}

await main(process.argv.slice(2))
