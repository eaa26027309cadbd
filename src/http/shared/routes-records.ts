import { z } from '@hono/zod-openapi'
import { AGENT_BODY, CREDENTIAL_BODY, GRANT_BODY, ROTATE_BODY } from './bodies.ts'
import { PAGE, PAGE_MAX, sentId, whole } from './fields.ts'
import { route } from './route.ts'
import { page } from './schemas.ts'
import { AGENT, CHECKPOINT, CREDENTIAL, EVENTS, NEW_AGENT, NEW_CREDENTIAL, PROOF } from './schemas-records.ts'

const POWER = { power: true } as const
const HUMAN = { power: false } as const
const ANY = { scope: 'any' } as const

const JOURNAL = sentId().optional().describe('`instance`, which it is unless given, or a wallet_id.')

export const JOURNALS = {
  listEvents: route({
    ...{ method: 'get', path: '/journal/events', tag: 'journal', agent: null, human: HUMAN },
    summary: 'Events of one journal, in their order.',
    query: z.strictObject({
      journal: JOURNAL,
      from: whole(0, Number.MAX_SAFE_INTEGER).optional().describe('The first `seq`; 0 unless given.'),
      limit: whole(1, PAGE_MAX).optional().describe('At most this many; 50 unless given.'),
    }),
    answers: { 200: EVENTS },
  }),
  getCheckpoint: route({
    ...{ method: 'get', path: '/journal/checkpoint', tag: 'journal', agent: null, human: HUMAN },
    summary: 'The signed checkpoint of one journal. Keep it elsewhere, and a rewrite shows.',
    query: z.strictObject({ journal: JOURNAL }),
    answers: { 200: CHECKPOINT },
  }),
  getProof: route({
    ...{ method: 'get', path: '/journal/proof', tag: 'journal', agent: null, human: HUMAN },
    summary: 'What proves that the journal holds a payment.',
    query: z.strictObject({ payment_id: sentId() }),
    answers: { 200: PROOF },
  }),
  exportJournal: route({
    ...{ method: 'get', path: '/journal/export', tag: 'journal', agent: null, human: HUMAN },
    summary: 'All journals as lines of JSON, for `bursar journal verify --file`.',
    media: 'application/jsonl',
    answers: { 200: null },
  }),
} as const

export const AGENTS = {
  listAgents: route({
    ...{ method: 'get', path: '/agents', tag: 'agents', agent: null, human: HUMAN },
    summary: 'Agents, newest first.',
    query: z.strictObject(PAGE),
    answers: { 200: page('agents', AGENT) },
  }),
  addAgent: route({
    ...{ method: 'post', path: '/agents', tag: 'agents', agent: null, human: POWER, secret: true },
    summary: 'Add an agent. Its key is shown once.',
    body: AGENT_BODY,
    answers: { 201: NEW_AGENT },
  }),
  rotateAgent: route({
    ...{ method: 'post', path: '/agents/{agent_id}/rotate', tag: 'agents', agent: null, human: POWER, secret: true },
    summary: 'A new key. What the agent had before ends, at once or after an overlap.',
    body: ROTATE_BODY,
    answers: { 200: NEW_AGENT },
  }),
  revokeAgent: route({
    ...{ method: 'post', path: '/agents/{agent_id}/revoke', tag: 'agents', agent: null, human: HUMAN },
    summary: 'End an agent for good, with all that it has and asks for.',
    answers: { 200: AGENT },
  }),
  listCredentials: route({
    ...{ method: 'get', path: '/agents/{agent_id}/credentials', tag: 'agents', agent: null, human: HUMAN },
    summary: 'By what an agent is known, what it minted too; newest first.',
    query: z.strictObject(PAGE),
    answers: { 200: page('credentials', CREDENTIAL) },
  }),
  addCredential: route({
    ...{ method: 'post', path: '/agents/{agent_id}/credentials', tag: 'agents', agent: null, human: POWER },
    ...{ secret: true },
    summary: 'Another key, or trust in the tokens of an issuer.',
    body: GRANT_BODY,
    answers: { 201: NEW_CREDENTIAL },
  }),
  mintCredential: route({
    ...{ method: 'post', path: '/credentials', tag: 'agents', agent: ANY, human: null, secret: true },
    summary: 'Mint a narrower, shorter-lived credential for a task. What it spends counts against yours.',
    body: CREDENTIAL_BODY,
    answers: { 201: NEW_CREDENTIAL },
  }),
  revokeCredential: route({
    ...{ method: 'post', path: '/credentials/{credential_id}/revoke', tag: 'agents', agent: ANY, human: HUMAN },
    summary: 'End a credential and all that it minted. An agent may end what it minted.',
    answers: { 200: CREDENTIAL },
  }),
} as const
