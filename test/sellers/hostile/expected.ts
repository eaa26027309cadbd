import type { Expected } from '../stall.ts'

/** What a careful buyer does not sign for. */
export const NOTHING = { signs: false } as const satisfies Expected
/** It paid, and has it. */
export const PAID = { signs: true, ends: 'captured', delivers: true } as const satisfies Expected
/** It paid, and has nothing. */
export const ROBBED = { signs: true, ends: 'captured', delivers: false } as const satisfies Expected
/** It will have paid. */
export const ROBBED_LATER = { signs: true, ends: 'captured_late', delivers: false } as const satisfies Expected
/** It did not pay, and has nothing. */
export const SPARED = { signs: true, ends: 'voided', delivers: false } as const satisfies Expected
/** It did not pay, and has it. */
export const GIVEN = { signs: true, ends: 'voided', delivers: true } as const satisfies Expected
