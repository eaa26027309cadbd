import type { Tool } from '../tool.ts'
import cancel from './cancel.ts'
import checkBudget from './check-budget.ts'
import fetchWithPayment from './fetch-with-payment.ts'
import getPayment from './get-payment.ts'
import getRequest from './get-request.ts'
import listPayments from './list-payments.ts'
import payWithInstrument from './pay-with-instrument.ts'
import requestInstrument from './request-instrument.ts'

/** The tools of an agent, in the order in which they are listed. None of them can give power. */
export const TOOLS: readonly Tool[] = [
  checkBudget,
  requestInstrument,
  getRequest,
  payWithInstrument,
  fetchWithPayment,
  getPayment,
  listPayments,
  cancel,
]
