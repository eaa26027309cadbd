import type { HumanProof } from '../../core/approval.ts'
import { BursarError } from '../../core/errors.ts'
import type { Fact } from '../../core/event.ts'
import { SYSTEM } from '../../core/payment.ts'
import type { Approval, Wallet } from '../../core/types.ts'
import type { Bursar, HostDesk } from '../../ports.ts'
import { approve, deny } from './approve.ts'
import { revokeInstrument } from './freeze.ts'

type ProofMaker = (ownerId: string, shownDigest: string, channel: string) => HumanProof

/** Takes in what a host says its user answered. `proof` makes it worth `host`, and no more. */
export function hostDesk(bursar: Bursar, proof: ProofMaker): HostDesk {
  return {
    async asked(subjectId, channel) {
      await note(bursar, subjectId, (approval) => ({
        type: 'approval.asked',
        actor: SYSTEM,
        ...about(approval),
        details: { approval_id: approval.id, channel },
      }))
    },
    async unanswered(subjectId, channel, outcome) {
      await note(bursar, subjectId, (approval) => ({
        type: 'approval.unanswered',
        actor: SYSTEM,
        ...about(approval),
        details: { approval_id: approval.id, channel, outcome },
      }))
    },
    async approve(subjectId, shownDigest, channel, narrowing) {
      const ownerId = await ownerOf(bursar, subjectId)
      await approve(bursar, subjectId, proof(ownerId, shownDigest, channel), narrowing)
    },
    async deny(subjectId, channel, reason) {
      await deny(bursar, subjectId, { ownerId: await ownerOf(bursar, subjectId), channel, reason })
    },
    async revoke(instrumentId, channel) {
      const instrument = await bursar.store.read.one('instruments', { id: instrumentId })
      if (!instrument) throw new BursarError('not_found', 'There is no such instrument.')
      const wallet = (await bursar.store.read.one('wallets', { id: instrument.walletId })) as Wallet
      await revokeInstrument(bursar, { ownerId: wallet.ownerId, channel }, instrumentId)
    },
  }
}

async function ownerOf(bursar: Bursar, subjectId: string): Promise<string> {
  const approval = await bursar.store.read.one('approvals', { subjectId })
  const wallet = approval && (await bursar.store.read.one('wallets', { id: approval.walletId }))
  if (!wallet) throw new BursarError('not_pending', 'Nobody has to decide on this.')
  return wallet.ownerId
}

/** Adds a fact about a question that is still open; one that was answered meanwhile needs none. */
async function note(bursar: Bursar, subjectId: string, fact: (approval: Approval) => Fact): Promise<void> {
  const key = subjectId.startsWith('pay_') ? { paymentId: subjectId } : { requestId: subjectId }
  await bursar.store.update(key, ({ approval }) => ({
    facts: approval?.status === 'waiting' ? [fact(approval)] : [],
    result: null,
  }))
}

function about({ walletId, subjectId }: Approval) {
  return {
    wallet_id: walletId,
    ...(subjectId.startsWith('pay_') ? { payment_id: subjectId } : { request_id: subjectId }),
  }
}
