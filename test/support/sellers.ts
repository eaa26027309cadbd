import type { Sellers } from '../../src/ports/web.ts'

/** For a purse that buys nothing on the web. */
export const noSellers = (): Promise<Sellers> => Promise.reject(new Error('This purse buys nothing on the web.'))
