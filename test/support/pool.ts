import type { Address, Hex } from 'viem'

/** A node that is asked. */
interface Node {
  rpc<T>(method: string, params?: readonly unknown[]): Promise<T>
}

/** A part of the node's pool: by sender, and by nonce. */
type Pooled = Readonly<Record<string, Readonly<Record<string, { readonly hash: Hex }>>>>

/** How many transactions can be in the next block, and how many wait for another one. */
interface Status {
  readonly pending: Hex
  readonly queued: Hex
}

/**
 * Mends what the node's pool does wrong now and then. The node looks what a transaction has to wait for, and puts it into
 * the pool a moment later: where the one before it was mined in between, it waits for that for ever, and so does all behind
 * it, and whoever sends it again is told that it is known. The sender's are put in anew, the first one last: so no block
 * comes between them.
 *
 * @returns what the pool held before
 */
export async function unstick(node: Node): Promise<Status> {
  const status = await node.rpc<Status>('txpool_status')
  if (Number(status.queued) === 0) return status
  const { pending, queued } = await node.rpc<Record<'pending' | 'queued', Pooled>>('txpool_content')
  for (const [sender, waiting] of Object.entries(queued)) {
    const count = Number(await node.rpc('eth_getTransactionCount', [sender, 'latest']))
    if (waiting[count]) await putInAnew(node, sender as Address, { ...pending[sender], ...waiting })
  }
  return status
}

async function putInAnew(node: Node, sender: Address, byNonce: Pooled[string]): Promise<void> {
  const raw: (Hex | null)[] = []
  for (const nonce of Object.keys(byNonce).toSorted((a, b) => Number(b) - Number(a)))
    raw.push(await node.rpc('eth_getRawTransactionByHash', [byNonce[nonce]?.hash]))
  await node.rpc('anvil_removePoolTransactions', [sender])
  // Whoever sent them may have been faster, and a block too.
  for (const one of raw) if (one) await node.rpc('eth_sendRawTransaction', [one]).catch(() => undefined)
}
