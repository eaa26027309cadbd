/** The resources of an agent. */
export const WALLETS = 'bursar://wallets'
export const JOURNAL = 'bursar://journal'
export const instrumentUri = (id: string): string => `bursar://instruments/${id}`
export const paymentUri = (id: string): string => `bursar://payments/${id}`
