import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Vault } from '../src/ports/chain.ts'
import type { Chain as Reads } from '../src/rails/usdc/chain.ts'
import type { ChainPurseOptions } from '../test/support/chain-purse.ts'

/** Node says here that a request goes out by `fetch`. */
const REQUESTS = 'undici:request:create'

/** Milliseconds of one payment; questions and commits are counted. */
export interface PerPayment {
  readonly whole: number
  readonly chain: number
  readonly store: number
  readonly sign: number
  readonly questions: number
  readonly commits: number
}

/** Where the time goes of payments that are made one after the other: it stands between bursar's parts and looks on. */
export class Shares {
  /** For a purse. */
  readonly between: Pick<ChainPurseOptions, 'reads' | 'store' | 'vault'> = {
    reads: (chain) => this.reads(chain),
    store: (store) => over(store, { update: (key, step) => this.committed(() => store.update(key, step)) }),
    vault: (vault) => this.vault(vault),
  }
  private counts = false
  private payments = 0
  private whole = 0
  private store = 0
  private sign = 0
  private commits = 0
  private questions = 0
  /** Several questions are under way at once: what counts is how long there is any. */
  private chain = 0
  private open = 0
  private since = 0

  /** Looks on while `work` makes this many payments. */
  async during<T>(payments: number, work: () => Promise<T>): Promise<T> {
    const asked = () => {
      this.questions += 1
    }
    subscribe(REQUESTS, asked)
    this.counts = true
    const began = performance.now()
    try {
      return await work()
    } finally {
      this.whole += performance.now() - began
      this.payments += payments
      this.counts = false
      unsubscribe(REQUESTS, asked)
    }
  }

  perPayment(): PerPayment {
    const each = (sum: number) => sum / this.payments
    return {
      whole: each(this.whole),
      chain: each(this.chain),
      // A transaction is signed inside the step that stores it.
      store: each(this.store),
      sign: each(this.sign),
      questions: each(this.questions),
      commits: each(this.commits),
    }
  }

  private reads(chain: Reads): Reads {
    const asks = Object.entries(chain).filter(([, part]) => typeof part === 'function')
    const watched = asks.map(([name, ask]) => [name, (...args: unknown[]) => this.asked(() => ask(...args))])
    return over(chain, Object.fromEntries(watched))
  }

  private vault(vault: Vault): Vault {
    return {
      payer: async (account) => {
        const payer = await vault.payer(account)
        return { sign: (data, paymentId) => this.signed(() => payer.sign(data, paymentId)) }
      },
      relayer: async (account) => {
        const relayer = await vault.relayer(account)
        return {
          carry: async (carries) => {
            const sign = await relayer.carry(carries)
            return (terms) => {
              const began = performance.now()
              const signed = sign(terms)
              this.add('sign', began)
              if (this.counts) this.store -= performance.now() - began
              return signed
            }
          },
        }
      },
    }
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T> {
    if (this.open++ === 0) this.since = performance.now()
    try {
      return await ask()
    } finally {
      if (--this.open === 0) this.add('chain', this.since)
    }
  }

  private async signed<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now()
    const done = await work()
    this.add('sign', began)
    return done
  }

  private async committed<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now()
    const done = await work()
    this.add('store', began)
    if (this.counts) this.commits += 1
    return done
  }

  private add(kind: 'chain' | 'store' | 'sign', began: number): void {
    if (this.counts) this[kind] += performance.now() - began
  }
}

/** The same, but for some of its parts. */
function over<T extends object>(whole: T, parts: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name) {
      const part: unknown = Reflect.get(Object.hasOwn(parts, name) ? parts : target, name)
      return typeof part === 'function' ? part.bind(target) : part
    },
  })
}
