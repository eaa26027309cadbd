import { BursarError } from '../../core/errors.ts'
import { isId, type Kind } from '../../core/ids.ts'

const NAMES: Partial<Record<Kind, string>> = {
  ...{ wallet: 'wallet', limit: 'limit', request: 'request', instrument: 'instrument', payment: 'payment' },
  ...{ agent: 'agent', credential: 'credential' },
}

/** An id of this kind: what is of another is not there, in the words for what is not there. @throws `not_found` */
export function ofKind(kind: Kind, id: string): string {
  if (!isId(kind, id)) throw new BursarError('not_found', `There is no such ${NAMES[kind] ?? 'thing'}.`)
  return id
}
