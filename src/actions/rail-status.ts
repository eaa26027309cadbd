import { SYSTEM } from '../core/payment.ts'
import type { Instrument, RailStatus, Wallet } from '../core/types.ts'
import type { Bursar } from '../ports.ts'
import { inTime, railOf } from './rails.ts'

/** What the rail should hold an instrument to be. */
const WANTED: Readonly<Record<Instrument['status'], RailStatus>> = {
  active: 'active',
  frozen: 'frozen',
  limit_reached: 'closed',
  expired: 'closed',
  revoked: 'closed',
  returned: 'closed',
}

/**
 * Makes the rail hold an instrument to be what bursar's books say: the second wall follows the first. bursar's own
 * refusal stands already, so a rail that is away is no failure; recovery tells it again.
 */
export async function tellRail(bursar: Bursar, instrumentId: string): Promise<void> {
  const instrument = (await bursar.store.read.one('instruments', { id: instrumentId })) as Instrument | null
  if (!instrument || instrument.railRef === null) return
  const status = WANTED[instrument.status]
  if (instrument.railStatus === status) return
  try {
    const wallet = (await bursar.store.read.one('wallets', { id: instrument.walletId })) as Wallet
    await inTime(railOf(bursar, instrument, wallet).setStatus(instrument.railRef, status))
  } catch {
    return
  }
  await bursar.store.update({ instrumentId }, ({ instrument: current, wallet }) => {
    if (!current || !wallet || current.railStatus === status) return { facts: [], result: null }
    const subject = { wallet_id: wallet.id, agent_id: current.agentId, instrument_id: instrumentId }
    return { facts: [{ type: 'instrument.rail_told', actor: SYSTEM, ...subject, details: { status } }], result: null }
  })
}
