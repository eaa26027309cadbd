import { z } from '@hono/zod-openapi'
import { addAgent, rotateAgent } from '../../actions/owner/agents.ts'
import type { OwnerAuthority } from '../../actions/owner/authority.ts'
import { unfreezeAll, unfreezeInstrument, unfreezeWallet } from '../../actions/owner/freeze.ts'
import { fund } from '../../actions/owner/fund.ts'
import { limitInPlace, removeLimit, setLimit } from '../../actions/owner/limit.ts'
import { addOwner } from '../../actions/owner/owners.ts'
import { invite, revokePasskey } from '../../actions/owner/passkeys.ts'
import { refund } from '../../actions/owner/refund.ts'
import { createWallet, setApprovals, type TierInput } from '../../actions/owner/wallets.ts'
import type { Act } from '../../core/act.ts'
import { BursarError } from '../../core/errors.ts'
import type { Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import * as body from '../shared/bodies.ts'
import { sentId, text } from '../shared/fields.ts'
import { asksAfter, assertGoesOnAsking, assertKeepsTwo, assertNoneWantsTwo } from './two-owners.ts'

/** One act that a passkey confirms. */
interface ActDefinition<Args extends z.ZodObject> {
  readonly args: Args
  /** Whether this owner may do it to this, before anything is signed and again when it is. @throws BursarError */
  check?(bursar: Bursar, ownerId: string, args: z.output<Args>): Promise<void>
  run(bursar: Bursar, authority: OwnerAuthority, args: z.output<Args>): Promise<unknown>
}

const wallet = { wallet_id: sentId() }

/** `passkey.add` is not here: it goes on in the browser. */
export const ACT_TABLE = {
  'wallet.create': define({
    args: body.WALLET_BODY,
    run: (bursar, authority, { agent_id, time_zone, approvals, ...input }) =>
      createWallet(bursar, authority, {
        ...input,
        ...{ agentId: agent_id, timeZone: time_zone, approvals: approvals as readonly TierInput[] | undefined },
      }),
  }),
  'wallet.fund': define({
    args: z.strictObject({ ...wallet, ...body.AMOUNT_BODY.shape }),
    check: ownsWallet,
    run: (bursar, authority, { wallet_id, amount }) => fund(bursar, authority, wallet_id, amount),
  }),
  'wallet.unfreeze': define({
    args: z.strictObject(wallet),
    check: ownsWallet,
    run: (bursar, authority, { wallet_id }) => unfreezeWallet(bursar, authority, wallet_id),
  }),
  'wallet.approvals': define({
    args: z.strictObject({ ...wallet, ...body.APPROVALS_BODY.shape }),
    async check(bursar, ownerId, { wallet_id, approvals }) {
      assertKeepsTwo(await ownedWallet(bursar, ownerId, wallet_id), approvals)
    },
    run: (bursar, authority, { wallet_id, approvals }) => setApprovals(bursar, authority, wallet_id, approvals),
  }),
  'limit.set': define({
    args: z.strictObject({ ...wallet, ...body.LIMIT_BODY.shape }),
    async check(bursar, ownerId, { wallet_id, scope_value, ...input }) {
      const found = await ownedWallet(bursar, ownerId, wallet_id)
      const before = await limitInPlace(bursar, wallet_id, { ...input, scopeValue: scope_value })
      assertGoesOnAsking(found, before, asksAfter(found, input))
    },
    run: (bursar, authority, { wallet_id, scope_value, ...input }) =>
      setLimit(bursar, authority, wallet_id, { ...input, scopeValue: scope_value }),
  }),
  'limit.remove': define({
    args: z.strictObject({ limit_id: sentId() }),
    async check(bursar, ownerId, { limit_id }) {
      const limit = await bursar.store.read.one('limits', { id: limit_id })
      if (!limit) throw new BursarError('not_found', 'There is no such limit.')
      assertGoesOnAsking(await ownedWallet(bursar, ownerId, limit.walletId), limit, null)
    },
    run: (bursar, authority, { limit_id }) => removeLimit(bursar, authority, limit_id),
  }),
  'instrument.unfreeze': define({
    args: z.strictObject({ instrument_id: sentId() }),
    async check(bursar, ownerId, { instrument_id }) {
      const instrument = await bursar.store.read.one('instruments', { id: instrument_id })
      if (!instrument) throw new BursarError('not_found', 'There is no such instrument.')
      await ownedWallet(bursar, ownerId, instrument.walletId)
    },
    run: (bursar, authority, { instrument_id }) => unfreezeInstrument(bursar, authority, instrument_id),
  }),
  unfreeze_all: define({
    args: z.strictObject({}),
    run: async (bursar, authority) => {
      await unfreezeAll(bursar, authority)
      return { frozen: false }
    },
  }),
  'agent.add': define({
    args: body.AGENT_BODY,
    run: (bursar, authority, { name, ...input }) => addAgent(bursar, authority, name, input),
  }),
  'agent.rotate': define({
    args: z.strictObject({ agent_id: sentId(), ...body.ROTATE_BODY.shape }),
    check: ownsWhatItHolds,
    run: (bursar, authority, { agent_id, ...rotation }) => rotateAgent(bursar, authority, agent_id, rotation),
  }),
  'payment.refund': define({
    args: z.strictObject({ payment_id: sentId(), ...body.REFUND_BODY.shape }),
    async check(bursar, ownerId, { payment_id }) {
      const payment = await bursar.store.read.one('payments', { id: payment_id })
      if (!payment?.walletId) throw new BursarError('not_found', 'There is no such payment.')
      await ownedWallet(bursar, ownerId, payment.walletId)
    },
    run: (bursar, authority, { payment_id, amount }) => refund(bursar, authority, payment_id, amount),
  }),
  'passkey.revoke': define({
    args: z.strictObject({ passkey_id: text(1_400) }),
    async check(bursar, ownerId, { passkey_id }) {
      // Whoever could revoke another's could then have themselves invited in their place.
      if ((await bursar.store.read.one('passkeys', { id: passkey_id }))?.ownerId !== ownerId)
        throw new BursarError('not_found', 'You have no such passkey. The command line revokes those of others.')
    },
    run: (bursar, authority, { passkey_id }) => revokePasskey(bursar, authority, passkey_id),
  }),
  'owner.invite': define({
    args: z.strictObject({ name: text(60) }),
    check: (bursar) => assertNoneWantsTwo(bursar),
    async run(bursar, authority, { name }) {
      const owner = await addOwner(bursar, authority, name)
      return { ...owner, ...(await invite(bursar, authority, owner.owner_id)) }
    },
  }),
} satisfies { readonly [A in Exclude<Act, 'passkey.add'>]: unknown }

export const PASSKEY_ADD = z.strictObject({ name: text(60) })

function define<Args extends z.ZodObject>(definition: ActDefinition<Args>): ActDefinition<z.ZodObject> {
  return definition as unknown as ActDefinition<z.ZodObject>
}

async function ownsWallet(
  bursar: Bursar,
  ownerId: string,
  { wallet_id }: { readonly wallet_id: string },
): Promise<void> {
  await ownedWallet(bursar, ownerId, wallet_id)
}

/** Whoever has an agent's key has what it holds. @throws `forbidden` */
async function ownsWhatItHolds(
  { store: { read } }: Bursar,
  ownerId: string,
  { agent_id }: { readonly agent_id: string },
): Promise<void> {
  const held = await read.list('instruments', { agentId: agent_id, status: ['active', 'frozen'] })
  const wallets = await read.list('wallets', { id: held.map(({ walletId }) => walletId) })
  if (wallets.some((wallet) => wallet.ownerId !== ownerId))
    throw new BursarError('forbidden', 'This agent pays out of a wallet of another owner’s.')
}

/** @throws `not_found`, `forbidden` */
async function ownedWallet({ store }: Bursar, ownerId: string, walletId: string): Promise<Wallet> {
  const found = (await store.read.one('wallets', { id: walletId })) as Wallet | null
  if (!found) throw new BursarError('not_found', 'There is no such wallet.')
  if (found.ownerId !== ownerId) throw new BursarError('forbidden', 'This wallet is another owner’s.')
  return found
}
