import type { Route } from './route.ts'
import { AGENTS, JOURNALS } from './routes-records.ts'
import { INSTRUMENTS, PAYMENTS, REQUESTS } from './routes-spending.ts'
import { WALLETS } from './routes-wallets.ts'

/** Every route but those of the documents themselves, by `operationId`. */
export const ROUTES = {
  ...WALLETS,
  ...REQUESTS,
  ...INSTRUMENTS,
  ...PAYMENTS,
  ...JOURNALS,
  ...AGENTS,
} as const satisfies Readonly<Record<string, Route>>

export type Routes = typeof ROUTES
export type RouteName = keyof Routes

/** The names of the routes that are for this role. */
export type NamesFor<Role extends 'agent' | 'human'> = {
  [N in RouteName]: Routes[N][Role] extends null ? never : N
}[RouteName]
