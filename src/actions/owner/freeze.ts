import { BursarError } from '../../core/errors.ts'
import type { Fact } from '../../core/event.ts'
import { plain } from '../../core/text.ts'
import type { Instrument, Wallet } from '../../core/types.ts'
import type { Bursar } from '../../ports.ts'
import { tellRail } from '../rail-status.ts'
import { instrumentView } from '../views.ts'
import { walletView } from '../wallet-view.ts'
import type { InstrumentView, WalletView } from '../wire.ts'
import type { OwnerAuthority, OwnerBy } from './authority.ts'
import { humanActor } from './authority.ts'

const REASON_MAX = 100

/** Stops all spending of all agents at once. The safe direction: no passphrase. */
export async function freezeAll(bursar: Bursar, by: OwnerBy, reason?: string): Promise<void> {
  await bursar.store.update({}, ({ instance }) => {
    if (instance.frozen) return { facts: [], result: null }
    const details = { instance_id: instance.id, ...reasonOf(reason) }
    return { facts: [{ type: 'spending.frozen', actor: humanActor(by), details }], result: null }
  })
}

export async function unfreezeAll(bursar: Bursar, authority: OwnerAuthority): Promise<void> {
  await bursar.store.update({}, ({ instance }) => {
    if (!instance.frozen) return { facts: [], result: null }
    const fact: Fact = {
      type: 'spending.unfrozen',
      actor: humanActor(authority),
      details: { instance_id: instance.id },
    }
    return { facts: [fact], result: null }
  })
}

/** @throws `not_found` */
export async function freezeWallet(
  bursar: Bursar,
  by: OwnerBy,
  walletId: string,
  reason?: string,
): Promise<WalletView> {
  return walletStatus(bursar, walletId, 'frozen', (wallet_id) => ({
    type: 'wallet.frozen',
    actor: humanActor(by),
    wallet_id,
    details: reasonOf(reason),
  }))
}

/** @throws `not_found` */
export async function unfreezeWallet(bursar: Bursar, authority: OwnerAuthority, walletId: string): Promise<WalletView> {
  return walletStatus(bursar, walletId, 'active', (wallet_id) => ({
    type: 'wallet.unfrozen',
    actor: humanActor(authority),
    wallet_id,
    details: {},
  }))
}

async function walletStatus(
  bursar: Bursar,
  walletId: string,
  status: Wallet['status'],
  fact: (walletId: string) => Fact,
): Promise<WalletView> {
  const wallet = await bursar.store.update({ walletId }, ({ wallet: current }) => {
    if (!current) throw new BursarError('not_found', 'There is no such wallet.')
    const facts = current.status === status ? [] : [fact(walletId)]
    return { facts, result: { ...current, status } }
  })
  bursar.notify.changed(walletId, walletId)
  return walletView(bursar, wallet)
}

/** @throws `not_found`, `wrong_state` for an instrument that has ended */
export async function freezeInstrument(bursar: Bursar, by: OwnerBy, instrumentId: string): Promise<InstrumentView> {
  return instrumentStatus(bursar, instrumentId, ['active'], 'frozen', (subject) => ({
    ...subject,
    type: 'instrument.frozen',
    actor: humanActor(by),
    details: {},
  }))
}

/** @throws `not_found`, `wrong_state` for one that is not frozen */
export async function unfreezeInstrument(
  bursar: Bursar,
  authority: OwnerAuthority,
  instrumentId: string,
): Promise<InstrumentView> {
  return instrumentStatus(bursar, instrumentId, ['frozen'], 'active', (subject) => ({
    ...subject,
    type: 'instrument.unfrozen',
    actor: humanActor(authority),
    details: {},
  }))
}

/** Ends an instrument for good. @throws `not_found`, `wrong_state` for one that has ended already */
export async function revokeInstrument(bursar: Bursar, by: OwnerBy, instrumentId: string): Promise<InstrumentView> {
  return instrumentStatus(bursar, instrumentId, ['active', 'frozen'], 'revoked', (subject) => ({
    ...subject,
    type: 'instrument.revoked',
    actor: humanActor(by),
    details: {},
  }))
}

async function instrumentStatus(
  bursar: Bursar,
  instrumentId: string,
  from: readonly Instrument['status'][],
  to: Instrument['status'],
  fact: (subject: { wallet_id: string; agent_id: string; instrument_id: string }) => Fact,
): Promise<InstrumentView> {
  await bursar.store.update({ instrumentId }, ({ instrument }) => {
    if (!instrument) throw new BursarError('not_found', 'There is no such instrument.')
    if (instrument.status === to) return { facts: [], result: null }
    if (!from.includes(instrument.status))
      throw new BursarError('wrong_state', `The instrument is ${instrument.status}.`)
    const subject = { wallet_id: instrument.walletId, agent_id: instrument.agentId, instrument_id: instrumentId }
    return { facts: [fact(subject)], result: null }
  })
  await tellRail(bursar, instrumentId)
  bursar.notify.changed(instrumentId, null)
  return instrumentView(bursar, instrumentId)
}

function reasonOf(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason: plain(reason, REASON_MAX) }
}
