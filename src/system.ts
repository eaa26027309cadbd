import { randomBytes } from 'node:crypto'
import { v7 } from 'uuid'
import { sha256 } from './core/canonical.ts'
import { PREFIXES } from './core/ids.ts'
import type { Clock, Ids } from './ports.ts'

/** 128 bits: nobody can guess an erased text by trying texts against its digest. */
const SALT_BYTES = 16

export const systemClock: Clock = { now: () => Date.now() }

export const systemIds: Ids = {
  make: (kind) => `${PREFIXES[kind]}_${v7()}`,
  text(text) {
    const salt = randomBytes(SALT_BYTES)
    const digest = sha256(Buffer.concat([salt, Buffer.from(text)])).toString('hex')
    return { digest, salt: salt.toString('hex'), text }
  },
}
