import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Member } from '../support/served.ts'
import type { Standing } from './serve-standing.ts'

/** The official clients: of 2026-07-28, of 2025-11-25, and the SDK before. */
export const KINDS = ['modern', 'legacy', 'old'] as const
const TRIES_MAX = 200
const INFO = { name: 'host', version: '1' }

export interface Paid {
  readonly payment_id: string
  readonly status: string
  readonly replayed?: boolean
  readonly refusal?: { readonly code: string }
}

/** An agent's host, which begins anew when its server has gone. */
export class Host {
  readonly member: Member
  /** Calls that had no answer. */
  lost = 0
  readonly #standing: Standing
  readonly #kind: (typeof KINDS)[number]
  #client: Client | null = null

  constructor(standing: Standing, kind: (typeof KINDS)[number], member: Member) {
    this.#standing = standing
    this.#kind = kind
    this.member = member
  }

  async connect(): Promise<Client> {
    const requestInit = { headers: { authorization: `Bearer ${this.member.key}` } }
    const url = new URL(`${this.#standing.origin}/mcp`)
    const client =
      this.#kind === 'old'
        ? (new OldClient(INFO) as unknown as Client)
        : new Client(INFO, this.#kind === 'modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {})
    const transport =
      this.#kind === 'old'
        ? new OldTransport(url, { requestInit })
        : new StreamableHTTPClientTransport(url, { requestInit })
    await this.#standing.whileUp(client.connect(transport as never))
    this.#client = client
    return client
  }

  async close(): Promise<void> {
    await this.#client?.close()
  }

  /** @throws what the client throws, or when the server ends meanwhile */
  async call(name: string, args: Record<string, unknown>): Promise<unknown> {
    const client = this.#client ?? (await this.connect())
    return (await this.#standing.whileUp(client.callTool({ name, arguments: args }))).structuredContent
  }

  async pay(task: string, amount: string): Promise<Paid> {
    const payee = { name: 'Shop', merchant_category: '5734' }
    const { instrumentId: instrument_id } = this.member
    const args = { instrument_id, amount, payee, purpose: task, task_id: task }
    return (await this.call('pay_with_instrument', args)) as Paid
  }

  /** Pays, whatever becomes of the server: who has no answer asks again for the same. Gives all answers that it had. */
  async buy(task: string, amount: string): Promise<Paid[]> {
    const told: Paid[] = []
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      await this.#standing.up()
      try {
        const paid = await this.pay(task, amount)
        told.push(paid)
        if (paid.status === 'captured') return told
        await this.call('get_payment', { payment_id: paid.payment_id, wait_seconds: 20 })
      } catch {
        this.lost += 1
        await this.#client?.close().catch(() => undefined)
        this.#client = null
      }
    }
    throw new Error(`${task} was never paid: ${JSON.stringify(told.at(-1))}`)
  }
}
