import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { pay } from '../../src/actions/agent/pay.ts'
import type { Changed } from '../../src/ports.ts'
import { wideWallet } from '../support/disk.ts'
import { asked, testDatabase } from '../support/postgres.ts'
import { bouncer, testWithBouncer } from '../support/postgres-bouncer.ts'
import { atOnce, count, keys, nodeHere, nodePrograms, paid, startNodes } from './node-children.ts'
import type { Call } from './node-program.ts'
import { cardFrom, expectWhole } from './node-purse.ts'

const POLL_MS = 20

nodePrograms()

async function until(met: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await met())) await sleep(POLL_MS)
}

describe('what nodes tell each other', () => {
  test('is heard by all others and not by the teller, and again after the connection was lost', async () => {
    const { url, adminUrl } = await testDatabase()
    const [one, other] = [await nodeHere(url), await nodeHere(url)]
    const heard: Record<'one' | 'other', Changed[]> = { one: [], other: [] }
    one.bursar.store.nodes.heard((changed) => void heard.one.push(changed))
    other.bursar.store.nodes.heard((changed) => void heard.other.push(changed))
    const told = async (subjectId: string): Promise<void> => {
      await until(() => {
        one.bursar.store.nodes.tell({ subjectId, walletId: null })
        return heard.other.some((changed) => changed.subjectId === subjectId)
      })
    }
    await told('pay_1')
    expect(heard.one).toEqual([])
    await asked(adminUrl, async (client) => {
      for (const strange of ['', '[]', '{"a":1}', '["x",[[1,2]]]', '["x",null]'])
        await client.query("SELECT pg_notify('bursar_changed', $1)", [strange])
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
      )
    })
    await told('pay_2')
    expect(new Set(heard.other.map(({ subjectId }) => subjectId))).toEqual(new Set(['pay_1', 'pay_2']))
  })
})

describe('nodes behind a PgBouncer in transaction mode', () => {
  testWithBouncer('pay and race to the unit, and one has the duty', async () => {
    const database = await testDatabase()
    const { url } = await bouncer(database.url, { poolSize: 6 })
    const here = await nodeHere(url)
    await wideWallet(here as never, 'EUR', '22.75')
    const card = await cardFrom(here, 'EUR', '900.00')
    const nodes = await startNodes(2, url)
    onTestFinished(async () => void (await Promise.all(nodes.map((node) => node.stop('SIGKILL')))))
    const buy = (purpose: string): Call => ({
      call: 'pay',
      input: { instrument_id: card, amount: '0.70', payee: { name: 'Shop' }, purpose },
    })
    const answers = await atOnce(nodes, (n) => Array.from({ length: 32 }, (_, i) => buy(`${n} ${i}`)))
    expect([paid(answers), count(answers, 'insufficient_funds')]).toEqual([32, 32])
    const same = { instrument_id: card, amount: '0.10', payee: { name: 'Shop' }, purpose: 'same', idempotency_key: 'k' }
    const once = await atOnce(nodes, () => Array.from({ length: 8 }, () => ({ call: 'pay', input: same }) as const))
    expect(new Set(once.map(({ id }) => id)).size).toBe(1)
    const [first, second] = [here.bursar.store.nodes.lead('recovery'), here.bursar.store.nodes.lead('recovery')]
    await until(() => first.isHeld())
    expect(second.isHeld()).toBe(false)
    await first.release()
    await until(() => second.isHeld())
    await second.release()
    const caller = { agentId: here.agentId, sessionId: 'last', credentialId: null }
    const last = { instrument_id: card, amount: '0.10', payee: { name: 'Shop' }, purpose: 'last' }
    expect((await pay(here.bursar, caller, last)).status).toBe('captured')
    await expectWhole(here, database.adminUrl, keys())
  })
})
