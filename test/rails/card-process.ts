// A process of its own that pays over a shared sandbox file: bundled and spawned by card-processes.test.ts.
import { createInterface } from 'node:readline'
import type { PaymentTerms } from '../../src/ports.ts'
import { cardRail } from '../../src/rails/card/rail.ts'
import { sandboxIssuer } from '../../src/rails/card/sandbox/sandbox.ts'

const [path = '', now = ''] = process.argv.slice(2)

async function main(): Promise<void> {
  const { issuer, network, close } = await sandboxIssuer({ path, clock: { now: () => Number(now) } })
  const rail = cardRail(issuer, network)
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
  close()
}

void main()
