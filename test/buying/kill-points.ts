import { Socket } from 'node:net'
import Database from 'better-sqlite3'
import type { Vault } from '../../src/ports/chain.ts'
import type { Sellers } from '../../src/ports/web.ts'
import type { Store } from '../../src/ports.ts'

/** The places of a program at which it can be killed, in the order in which it comes by. */
export class Points {
  readonly names: string[] = []
  private readonly killAt: number

  /** @param killAt at which of them the process ends itself, from 1; 0: at none */
  constructor(killAt: number) {
    this.killAt = killAt
  }

  reach(name: string): void {
    this.names.push(name)
    if (this.names.length !== this.killAt) return
    process.kill(process.pid, 'SIGKILL')
    for (;;);
  }

  /** The same object, with a point before and after each call of the methods that answer later. */
  around<T extends object>(name: string, one: T, methods: readonly (keyof T)[]): T {
    const between = (method: keyof T) => {
      const call = one[method] as unknown as (...given: unknown[]) => Promise<unknown>
      return async (...given: unknown[]) => {
        this.reach(`before ${name}.${String(method)}`)
        const answer = await call.apply(one, given)
        this.reach(`after ${name}.${String(method)}`)
        return answer
      }
    }
    return { ...one, ...Object.fromEntries(methods.map((method) => [method, between(method)])) }
  }

  /** Points around each step, and within it (under the lock). */
  inStore(store: Store): Store {
    return {
      ...store,
      update: async (key, decide) => {
        this.reach('before update')
        const result = await store.update(key, (snapshot) => {
          const change = decide(snapshot)
          this.reach(`within the step that writes ${change.facts.map(({ type }) => type).join(', ') || 'nothing'}`)
          return change
        })
        this.reach('after update')
        return result
      },
    }
  }

  /** Points on both sides of each commit that several steps may share. */
  inCommits(): void {
    const { prepare } = Database.prototype
    const reach = (name: string) => this.reach(name)
    Database.prototype.prepare = function (this: Database.Database, sql: string) {
      const statement = prepare.call(this, sql) as Database.Statement<[]>
      if (sql !== 'COMMIT') return statement
      return {
        run() {
          reach('before COMMIT')
          const done = statement.run()
          reach('after COMMIT')
          return done
        },
      }
    } as never
  }

  inVault(vault: Vault): Vault {
    return { ...vault, payer: async (account) => this.around('payer', await vault.payer(account), ['sign']) }
  }

  /** Points around each question to a seller, and on both sides of the moment at which the bytes that pay leave. */
  inWeb({ web, x402 }: Sellers): Sellers {
    const { write } = Socket.prototype
    const reach = (name: string) => this.reach(name)
    Socket.prototype.write = function (this: Socket, ...given: Parameters<typeof write>) {
      const pays = typeof given[0] === 'string' && given[0].includes('\r\npayment-signature: ')
      if (pays) reach('before the header leaves')
      const done = write.apply(this, given)
      if (pays) reach('after the header left')
      return done
    } as typeof write
    return { x402, web: { visit: (rules) => this.around('seller', web.visit(rules), ['ask']) } }
  }
}
