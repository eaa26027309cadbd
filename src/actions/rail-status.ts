import type { Instrument } from '../core/types.ts'
import type { Bursar } from '../ports.ts'

/** What the rail should think of an instrument that bursar holds to be in this status. */
const RAIL_STATUS = {
  active: 'active',
  frozen: 'frozen',
  limit_reached: 'closed',
  expired: 'closed',
  revoked: 'closed',
  returned: 'closed',
} as const

/**
 * Tells the rail what bursar's books say of an instrument: the second wall follows the first. bursar's own refusal
 * stands already, so a rail that is away is no reason to fail; recovery tells it again.
 *
 * @returns whether the rail heard it
 */
export async function tellRail(bursar: Bursar, instrumentId: string): Promise<boolean> {
  const instrument = bursar.store.read.one('instruments', { id: instrumentId }) as Instrument | null
  if (!instrument || instrument.railRef === null) return true
  try {
    await bursar.rails[instrument.type]?.setStatus(instrument.railRef, RAIL_STATUS[instrument.status])
    return true
  } catch {
    return false
  }
}
