import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freezeAll } from '../../src/actions/owner/freeze.ts'
import { pass } from '../chain/scene.ts'
import { type Door, openDoor } from '../sellers/door.ts'
import { type Chain, startChain } from '../support/chain.ts'
import { collected } from '../support/collected.ts'
import { type HonestSeller, openHonestSeller } from './kill-seller.ts'
import { makeShop } from './shop.ts'

/** More than the web asks at a time for one agent, and what it does. */
const MANY = 20
const AT_ONCE = 16
const TRIES_MAX = 1_000
const PAUSE_MS = 10
const OVER_SECONDS = 6 * 60

let chain: Chain
let seller: HonestSeller
let silent: Door
beforeAll(async () => {
  chain = await startChain()
  seller = await openHonestSeller(chain)
  silent = await openDoor(() => new Promise(() => undefined))
})
afterAll(async () => {
  await seller?.close()
  await chain?.stop()
})

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await isSo()) && tries < TRIES_MAX; tries++) await sleep(PAUSE_MS)
  expect(await isSo()).toBe(true)
}

it('security: what waits for its turn to leave while the owner stops everything stays here', async () => {
  const shop = await makeShop(chain)
  const waiting: Promise<unknown>[] = []
  // The price is told when the others have begun: they take all the turns but the one that this takes.
  seller.moments.asked = async () => {
    for (let n = 0; n < MANY; n++) waiting.push(shop.fetch(`${silent.url}/${n}`, { max_amount: '0' }))
    await until(() => silent.requests.length === AT_ONCE - 1)
  }
  const bought = shop.fetch(seller.url('report', 10_000n))
  const { read } = shop.purse.bursar.store
  const isSigned = async () => (await collected(read.all('purchases'))).some(({ header }) => header !== null)
  await until(isSigned)
  expect(seller.seen()).toEqual([])
  await freezeAll(shop.purse.bursar, shop.purse.authority)
  await silent.close()
  const { answer, payment } = await bought
  expect([answer, payment?.status]).toEqual([undefined, 'in_doubt'])
  expect([seller.seen(), seller.taken()]).toEqual([[], 0])
  await Promise.all(waiting)
  await pass(chain, OVER_SECONDS)
})
