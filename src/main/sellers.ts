import type { Sellers } from '../ports/web.ts'

/** What it takes to buy on the web, loaded with the first purchase. */
export function lazySellers(): { sellers: () => Promise<Sellers>; close(): Promise<void> } {
  let loaded: Promise<Sellers & { close(): Promise<void> }> | undefined
  const load = async () => {
    const { webOf } = await import('../web/web.ts')
    const { x402 } = await import('../protocols/x402/index.ts')
    const web = webOf()
    return { web, x402, close: () => web.close() }
  }
  return {
    sellers() {
      loaded ??= load()
      return loaded
    },
    close: async () => (await loaded)?.close(),
  }
}
