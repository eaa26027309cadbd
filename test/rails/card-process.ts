// A process of its own that pays over shared books, in a file or a database: bundled and spawned by card-processes.test.ts.
import { createInterface } from 'node:readline'
import type { PaymentTerms } from '../../src/ports.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { type CardSandbox, sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'
import { sharedSandboxIssuer } from '../../src/rails/card/sandbox/sandbox-postgres.ts'
import { hostUrls } from '../../src/store/postgres/hosts.ts'

const [place = '', now = ''] = process.argv.slice(2)

async function main(): Promise<void> {
  const clock = { now: () => Number(now) }
  const sandbox: Pick<CardSandbox, 'issuer' | 'network'> & { close(): void | Promise<void> } = await (place.startsWith(
    'postgres:',
  )
    ? sharedSandboxIssuer({ urls: hostUrls(place), clock })
    : sandboxIssuer({ path: place, clock }))
  const rail = cardRail(sandbox.issuer, sandbox.network)
  process.stdout.write('ready\n')
  for await (const line of createInterface({ input: process.stdin })) {
    const terms = JSON.parse(line, (key, value) => (key === 'amount' ? BigInt(value) : value)) as PaymentTerms[]
    const all = terms.map(async (one) => {
      const { state } = await rail.pay(one)
      process.stdout.write(`${one.paymentId} ${state}\n`)
    })
    await Promise.all(all)
    break
  }
  await sandbox.close()
}

void main()
