import { z } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { revokeAgent } from '../../actions/owner/agents.ts'
import type { OwnerBy } from '../../actions/owner/authority.ts'
import { revokeCredential } from '../../actions/owner/credentials.ts'
import { freezeAll, freezeInstrument, freezeWallet, revokeInstrument } from '../../actions/owner/freeze.ts'
import type { Bursar } from '../../ports.ts'
import { sentId, text } from '../shared/fields.ts'
import { bodyOf, type Desk } from './desk.ts'

const reason = text(100).optional()
const WANTED = z.discriminatedUnion('act', [
  one('freeze_all', { reason }),
  one('wallet.freeze', { wallet_id: sentId(), reason }),
  one('instrument.freeze', { instrument_id: sentId() }),
  one('instrument.revoke', { instrument_id: sentId() }),
  one('agent.revoke', { agent_id: sentId() }),
  one('credential.revoke', { credential_id: sentId() }),
])

function one<Name extends string, Shape extends z.core.$ZodLooseShape>(act: Name, args: Shape) {
  return z.strictObject({ act: z.literal(act), args: z.strictObject(args) })
}

/** The safe direction: whoever is signed in may take power away, at once. */
export function reduceRoutes(desk: Desk): Hono {
  const app = new Hono()
  app.post('/reduce', async (c) => {
    const { owner } = await desk.signedIn(c.req.raw)
    const wanted = await bodyOf(c, WANTED)
    return c.json({ result: await reduce(desk.deps.bursar, { ownerId: owner.id, channel: 'console' }, wanted) })
  })
  return app
}

async function reduce(bursar: Bursar, by: OwnerBy, wanted: z.output<typeof WANTED>): Promise<unknown> {
  switch (wanted.act) {
    case 'freeze_all':
      await freezeAll(bursar, by, wanted.args.reason)
      return { frozen: true }
    case 'wallet.freeze':
      return freezeWallet(bursar, by, wanted.args.wallet_id, wanted.args.reason)
    case 'instrument.freeze':
      return freezeInstrument(bursar, by, wanted.args.instrument_id)
    case 'instrument.revoke':
      return revokeInstrument(bursar, by, wanted.args.instrument_id)
    case 'agent.revoke':
      await revokeAgent(bursar, by, wanted.args.agent_id)
      return { agent_id: wanted.args.agent_id, status: 'revoked' }
    case 'credential.revoke':
      return revokeCredential(bursar, by, wanted.args.credential_id)
  }
}
