import type { EventOf } from '../event.ts'
import type { Op } from '../tables.ts'
import { millis } from '../time.ts'

/** What an attempt wants to buy. */
export function wanted(event: EventOf<'payment.attempted'>): readonly Op[] {
  const { resource_ref: resourceRef, facilitator = null } = event.details
  if (resourceRef === undefined) return []
  const nothing = { value: null, version: null, flow: null, header: null, httpStatus: null, deliveredAt: null }
  return [
    { table: 'purchases', insert: { paymentId: event.payment_id as string, resourceRef, facilitator, ...nothing } },
  ]
}

export function projectPurchase(
  event: EventOf<'purchase.quoted' | 'purchase.prepared' | 'purchase.answered'>,
): readonly Op[] {
  const paymentId = event.payment_id as string
  const key = { paymentId }
  switch (event.type) {
    case 'purchase.quoted': {
      const { value, valid_until, facilitator = null } = event.details
      return [
        { table: 'purchases', key, set: { value: BigInt(value), facilitator } },
        {
          table: 'payments',
          key: { id: paymentId },
          set: { validUntil: millis(valid_until), updatedAt: millis(event.ts) },
        },
      ]
    }
    case 'purchase.prepared': {
      const { version, flow, header } = event.details
      return [{ table: 'purchases', key, set: { version, flow, header } }]
    }
    case 'purchase.answered': {
      const { http_status: httpStatus, delivered } = event.details
      return [{ table: 'purchases', key, set: { httpStatus, ...(delivered && { deliveredAt: millis(event.ts) }) } }]
    }
  }
}
