import { afterAll } from 'vitest'
import { type FetchInput, fetchWithPayment } from '../../src/actions/agent/fetch-with-payment.ts'
import { setAllowances } from '../../src/actions/owner/wallets.ts'
import type { FetchView } from '../../src/actions/wire.ts'
import type { Allowance } from '../../src/core/types.ts'
import { x402 } from '../../src/protocols/x402/index.ts'
import { webOf } from '../../src/web/web.ts'
import { makeScene, type Scene, type SceneOptions } from '../chain/scene.ts'
import type { Chain } from '../support/chain.ts'

const web = webOf()
afterAll(() => web.close())

/** The real web and the real protocol, as `bursar mcp` has them. */
export const sellers = async () => ({ web, x402 })

export interface Shop extends Scene {
  /** Buys with the scene's instrument, up to 1.00 unless said otherwise. */
  fetch(url: string, more?: Partial<FetchInput>): Promise<FetchView>
}

export interface ShopOptions extends SceneOptions {
  /** `loopback` alone unless said otherwise: all sellers of the tests are on this machine. */
  readonly allows?: readonly Allowance[]
}

/** A purse that buys on the web. At the end of the test its books must be those of the chain. */
export async function makeShop(chain: Chain, { allows = ['loopback'], ...options }: ShopOptions = {}): Promise<Shop> {
  const scene = await makeScene(chain, { sellers, ...options })
  const { bursar, authority, wallet } = scene.purse
  await setAllowances(bursar, authority, wallet.id, allows)
  return { ...scene, fetch: (url, more) => buy(scene, url, more) }
}

/** As whoever has opened the purse. */
export function buy(
  { purse, inst }: Pick<Scene, 'purse' | 'inst'>,
  url: string,
  more: Partial<FetchInput> = {},
): Promise<FetchView> {
  const input = { instrument_id: inst.instrument_id, url, max_amount: '1.00', purpose: 'A report', ...more }
  return fetchWithPayment(purse.bursar, purse.caller, input)
}
