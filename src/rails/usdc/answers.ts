/** What nodes answer, read strictly: hashes, addresses and data in lower case, numbers as numbers. */

export interface Block {
  readonly number: number
  readonly hash: string
  /** Seconds since the epoch. */
  readonly timestamp: number
}

/** A log without its place. */
export interface Mark {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}

export interface Log extends Mark {
  readonly block: number
  readonly blockHash: string
  readonly txHash: string
  /** Among the logs of its block. */
  readonly index: number
}

export interface Receipt {
  readonly ok: boolean
  readonly block: number
  readonly blockHash: string
  /** All of the transaction, in order. */
  readonly logs: readonly Log[]
  /** wei, with what an OP-stack chain takes for the chain below it. */
  readonly fee: bigint
}

type Fields = Readonly<Record<string, unknown>>

/** Null for a block that is not there. */
export function blockOf(answer: unknown): Block | null {
  if (answer === null) return null
  const { number, hash, timestamp } = fieldsOf(answer)
  return { number: numberOf(number), hash: hashOf(hash), timestamp: numberOf(timestamp) }
}

export function logsOf(answer: unknown): readonly Log[] {
  const logs = listOf(answer).map(logOf)
  return logs.sort((a, b) => a.block - b.block || a.index - b.index)
}

/** Null for a transaction that is in no block. */
export function receiptOf(answer: unknown): Receipt | null {
  if (answer === null) return null
  const { status, blockNumber, blockHash, logs, gasUsed, effectiveGasPrice, l1Fee } = fieldsOf(answer)
  const below = l1Fee === undefined || l1Fee === null ? 0n : unitsOf(l1Fee)
  return {
    ok: unitsOf(status) === 1n,
    block: numberOf(blockNumber),
    blockHash: hashOf(blockHash),
    logs: logsOf(logs),
    fee: unitsOf(gasUsed) * unitsOf(effectiveGasPrice) + below,
  }
}

/** What a transaction calls, with the bytes that it was sent with. */
export interface Call {
  /** Null where it makes a contract. */
  readonly to: string | null
  readonly input: string
}

/** Null for a transaction that the node does not have. */
export function callOf(answer: unknown): Call | null {
  if (answer === null) return null
  const { to, input } = fieldsOf(answer)
  return { to: to === null ? null : bytesOf(to), input: bytesOf(input) }
}

/** A quantity. */
export function unitsOf(answer: unknown): bigint {
  if (typeof answer !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(answer)) throw new TypeError('Not a quantity.')
  return BigInt(answer)
}

export function numberOf(answer: unknown): number {
  const number = Number(unitsOf(answer))
  if (!Number.isSafeInteger(number)) throw new TypeError('Not a number that can be counted with.')
  return number
}

/** Bytes of any length. */
export function bytesOf(answer: unknown): `0x${string}` {
  if (typeof answer !== 'string' || !/^0x(?:[0-9a-fA-F]{2})*$/.test(answer)) throw new TypeError('Not bytes.')
  return answer.toLowerCase() as `0x${string}`
}

/** The one number that a contract returned, or wrote. @throws Error when it refused (null), or for anything else */
export function wordIn(data: string | null): bigint {
  if (data?.length !== 66) throw new Error('The contract answers otherwise than it should.')
  return BigInt(data)
}

/** As {@link wordIn}, for yes and no. */
export function flagIn(data: string | null): boolean {
  const word = wordIn(data)
  if (word > 1n) throw new Error('The contract answers otherwise than it should.')
  return word === 1n
}

function logOf(answer: unknown): Log {
  const { address, topics, data, blockNumber, blockHash, transactionHash, logIndex, removed } = fieldsOf(answer)
  if (removed === true) throw new TypeError('A log that is no more.')
  return {
    address: bytesOf(address),
    topics: listOf(topics).map(hashOf),
    data: bytesOf(data),
    block: numberOf(blockNumber),
    blockHash: hashOf(blockHash),
    txHash: hashOf(transactionHash),
    index: numberOf(logIndex),
  }
}

function hashOf(answer: unknown): string {
  const bytes = bytesOf(answer)
  if (bytes.length !== 66) throw new TypeError('Not a hash.')
  return bytes
}

function fieldsOf(answer: unknown): Fields {
  if (typeof answer !== 'object' || answer === null) throw new TypeError('Not an object.')
  return answer as Fields
}

function listOf(answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) throw new TypeError('Not a list.')
  return answer
}
