import { z } from '@hono/zod-openapi'
import { AMOUNT_BODY, APPROVALS_BODY, LIMIT_BODY, REASON_BODY, WALLET_BODY } from './bodies.ts'
import { PAGE, whole } from './fields.ts'
import { route } from './route.ts'
import { page } from './schemas.ts'
import { FROZEN } from './schemas-records.ts'
import { LIMIT, SPENDING, WALLET } from './schemas-wallets.ts'

const READ = { scope: 'bursar:read' } as const
const POWER = { power: true } as const
const HUMAN = { power: false } as const

const DAYS_MAX = 366

export const WALLETS = {
  listWallets: route({
    ...{ method: 'get', path: '/wallets', tag: 'wallets', agent: READ, human: HUMAN },
    summary: 'Wallets, newest first. An agent sees those that it may use.',
    query: z.strictObject(PAGE),
    answers: { 200: page('wallets', WALLET) },
  }),
  createWallet: route({
    ...{ method: 'post', path: '/wallets', tag: 'wallets', agent: null, human: POWER },
    summary: 'Make a wallet, empty and with the default limits.',
    body: WALLET_BODY,
    answers: { 201: WALLET },
  }),
  getWallet: route({
    ...{ method: 'get', path: '/wallets/{wallet_id}', tag: 'wallets', agent: READ, human: HUMAN, tagged: true },
    summary: 'One wallet: its balance, and what is left under its limits.',
    answers: { 200: WALLET },
  }),
  fundWallet: route({
    ...{ method: 'post', path: '/wallets/{wallet_id}/fund', tag: 'wallets', agent: null, human: POWER },
    summary: 'Put money in.',
    body: AMOUNT_BODY,
    answers: { 200: WALLET },
  }),
  freezeWallet: route({
    ...{ method: 'post', path: '/wallets/{wallet_id}/freeze', tag: 'wallets', agent: null, human: HUMAN },
    summary: 'Stop all spending out of it.',
    body: REASON_BODY,
    answers: { 200: WALLET },
  }),
  unfreezeWallet: route({
    ...{ method: 'post', path: '/wallets/{wallet_id}/unfreeze', tag: 'wallets', agent: null, human: POWER },
    summary: 'Let it be spent out of again.',
    answers: { 200: WALLET },
  }),
  setApprovals: route({
    ...{ method: 'put', path: '/wallets/{wallet_id}/approvals', tag: 'wallets', agent: null, human: POWER },
    summary: 'Which assurance an approval needs, by amount.',
    body: APPROVALS_BODY,
    answers: { 200: WALLET },
  }),
  listLimits: route({
    ...{ method: 'get', path: '/wallets/{wallet_id}/limits', tag: 'wallets', agent: READ, human: HUMAN },
    summary: 'Its limits, and what is left under each.',
    answers: { 200: z.strictObject({ limits: z.array(LIMIT) }) },
  }),
  setLimit: route({
    ...{ method: 'post', path: '/wallets/{wallet_id}/limits', tag: 'wallets', agent: null, human: POWER },
    summary: 'Set a limit, in place of the one with the same scope, value, window and way.',
    body: LIMIT_BODY,
    answers: { 201: LIMIT },
  }),
  removeLimit: route({
    ...{ method: 'delete', path: '/limits/{limit_id}', tag: 'wallets', agent: null, human: POWER },
    summary: 'Remove a limit.',
    answers: { 200: LIMIT },
  }),
  getSpending: route({
    ...{ method: 'get', path: '/wallets/{wallet_id}/spending', tag: 'wallets', agent: null, human: HUMAN },
    summary: 'What was spent, by day, agent, payee and protocol.',
    query: z.strictObject({ days: whole(1, DAYS_MAX).optional().describe('Up to and with today; 30 unless given.') }),
    answers: { 200: SPENDING },
  }),
  getFrozen: route({
    ...{ method: 'get', path: '/freeze', tag: 'instance', agent: READ, human: HUMAN },
    summary: 'Whether all spending is stopped.',
    answers: { 200: FROZEN },
  }),
  freezeAll: route({
    ...{ method: 'post', path: '/freeze', tag: 'instance', agent: null, human: HUMAN },
    summary: 'Stop all spending of all agents.',
    body: REASON_BODY,
    answers: { 200: FROZEN },
  }),
  unfreezeAll: route({
    ...{ method: 'post', path: '/unfreeze', tag: 'instance', agent: null, human: POWER },
    summary: 'Let agents spend again.',
    answers: { 200: FROZEN },
  }),
} as const
