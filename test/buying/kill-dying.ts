import type { Vault } from '../../src/ports/chain.ts'

/** A vault for a buyer that is to be as good as dead once it was asked to sign: it never does, and never says so. */
export function dying(): { readonly died: Promise<void>; readonly vault: (vault: Vault) => Vault } {
  let die: () => void
  const died = new Promise<void>((resolve) => {
    die = resolve
  })
  const sign = () => {
    die()
    return new Promise<never>(() => undefined)
  }
  return { died, vault: (vault) => ({ ...vault, payer: async () => ({ sign }) }) }
}
