import type { Protocol } from '../../ports/web.ts'
import { claim } from './claim.ts'
import { proof } from './proof.ts'
import { quote } from './quote.ts'

/** x402, version 2, and 1 as far as it is the same. */
export const x402: Protocol = { quote, proof, claim }
