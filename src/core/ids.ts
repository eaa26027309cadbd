/** Every id is a prefix that names the kind and a UUIDv7, so that ids sort by the time they were made. */
export const PREFIXES = {
  instance: 'ins',
  owner: 'own',
  agent: 'agt',
  credential: 'crd',
  wallet: 'wal',
  limit: 'lim',
  request: 'req',
  instrument: 'inst',
  payment: 'pay',
  approval: 'apr',
  session: 'ses',
  refund: 'ref',
} as const
export type Kind = keyof typeof PREFIXES

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const PATTERNS = Object.fromEntries(
  Object.entries(PREFIXES).map(([kind, prefix]) => [kind, new RegExp(`^${prefix}_${UUID}$`)]),
) as Record<Kind, RegExp>

/** Whether `text` is a well-formed id of this kind. Says nothing about whether the thing exists. */
export function isId(kind: Kind, text: string): boolean {
  return PATTERNS[kind].test(text)
}

/** The kind that an id's prefix names, or null. */
export function kindOf(text: string): Kind | null {
  const kinds = Object.keys(PATTERNS) as Kind[]
  return kinds.find((kind) => isId(kind, text)) ?? null
}
