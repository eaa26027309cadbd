import type { Fact } from '../../core/event.ts'
import type { Bursar } from '../../ports.ts'
import { fundedFact } from './fund.ts'
import { walletFacts } from './wallets.ts'

export interface SetUpInput {
  readonly ownerName: string
  /** Ed25519, base64 of the 32 raw bytes. */
  readonly publicKey: string
  readonly version: string
}

/** The sandbox money of a first wallet, in dollars. It is not real money. */
const SANDBOX_FUNDS = '1000.00'

/**
 * Makes an empty database an instance: its owner, the local agent `default`, and a funded sandbox wallet. Many processes
 * may try at once; one does it, the others find it done.
 */
export async function setUp(bursar: Bursar, input: SetUpInput): Promise<{ readonly created: boolean }> {
  const [instanceId, ownerId, agentId, walletId] = (['instance', 'owner', 'agent', 'wallet'] as const).map((kind) =>
    bursar.ids.make(kind),
  ) as [string, string, string, string]
  const authority = { ownerId, channel: 'setup', sign: () => new Uint8Array() }
  const wallet = { id: walletId, currency: 'USD', decimals: 2 }
  const system = { role: 'system' as const, id: 'bursar' }
  const facts: readonly Fact[] = [
    { type: 'instance.created', actor: system, details: { instance_id: instanceId, version: input.version } },
    {
      type: 'owner.created',
      actor: system,
      details: { owner_id: ownerId, name: input.ownerName, public_key: input.publicKey },
    },
    { type: 'agent.added', actor: system, agent_id: agentId, details: { name: 'default', key_hash: null } },
    ...(await walletFacts(bursar, authority, walletId, {
      name: 'sandbox',
      currency: wallet.currency,
      mode: 'sandbox',
    })),
    fundedFact(authority, wallet, SANDBOX_FUNDS, 0n),
  ]
  const created = await bursar.store.update({}, ({ instance }) =>
    instance.id === '' ? { facts, result: true } : { facts: [], result: false },
  )
  return { created }
}
