import { OpenAPIHono, z } from '@hono/zod-openapi'
import { CODES } from '../../core/errors.ts'
import { BASE, namesIn, type Route, TAGS } from './route.ts'
import { ROUTES, type RouteName } from './routes.ts'
import { PROBLEM } from './schemas-records.ts'

const PREFIX: Readonly<Record<string, string>> = {
  ...{ wallet_id: 'wal_…', limit_id: 'lim_…', request_id: 'req_…', instrument_id: 'inst_…' },
  ...{ payment_id: 'pay_…', agent_id: 'agt_…', credential_id: 'crd_…' },
}

const MEANS = { 200: 'Done.', 201: 'Made.', 202: 'Begun, and not at its end yet.' } as const

/** OpenAPI 3.1, made from the routes and the schemas that check them; at the first call, and once. */
export function openApiText(version: string): () => string {
  let text: string | undefined
  return () => {
    text ??= JSON.stringify(openApi(version))
    return text
  }
}

function openApi(version: string): object {
  const { openAPIRegistry: registry, getOpenAPI31Document } = new OpenAPIHono()
  registry.registerComponent('securitySchemes', 'agent', {
    ...{ type: 'http', scheme: 'bearer' },
    description: "An agent's key (`bak_…`), or an access token of an identity provider that the owner trusts.",
  })
  registry.registerComponent('securitySchemes', 'owner', {
    ...{ type: 'http', scheme: 'basic' },
    description: "The owner's name and passphrase. Over TLS, or on the same machine.",
  })
  for (const name of Object.keys(ROUTES) as RouteName[]) registry.registerPath(operationOf(name, ROUTES[name]))
  return getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'bursar',
      version,
      description: `Amounts are decimal strings beside their currency, times RFC 3339 in UTC. Errors are problems (RFC 9457), whose \`code\` is one of: ${Object.keys(CODES).join(', ')}.`,
    },
    servers: [{ url: BASE }],
    tags: TAGS.map((name) => ({ name })),
  })
}

type Operation = Parameters<OpenAPIHono['openAPIRegistry']['registerPath']>[0]

function operationOf(operationId: string, route: Route): Operation {
  const { method, path, tag, summary, description, query, body, agent, human } = route
  return {
    ...{ method, path, operationId, tags: [tag], summary },
    description: [description, whoOf(route)].filter((line) => line !== undefined).join('\n\n'),
    security: [
      ...(agent ? [{ agent: agent.scope === 'any' ? [] : [agent.scope] }] : []),
      ...(human ? [{ owner: [] }] : []),
    ],
    request: {
      params: paramsOf(path),
      ...(query && { query }),
      ...(method === 'post' && { headers: z.object({ 'Idempotency-Key': KEY }) }),
      ...(body && {
        body: { required: !body.safeParse({}).success, content: { 'application/json': { schema: body } } },
      }),
    },
    responses: responsesOf(route),
  }
}

const KEY = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .describe('The same key with the same arguments is the same call, and gets the same answer.')

function paramsOf(path: string) {
  const fields = namesIn(path).map((name) => [
    name,
    z
      .string()
      .max(64)
      .describe(PREFIX[name] ?? ''),
  ])
  return z.object(Object.fromEntries(fields))
}

function responsesOf({ answers, media, tagged }: Route): Operation['responses'] {
  const good = Object.entries(answers).map(([status, schema]) => [
    status,
    {
      description: MEANS[Number(status) as keyof typeof MEANS],
      content: schema
        ? { 'application/json': { schema } }
        : { [media as string]: { schema: { type: 'string' as const } } },
    },
  ])
  return {
    ...Object.fromEntries(good),
    ...(tagged && { 304: { description: 'Nothing changed since the ETag in If-None-Match.' } }),
    default: { description: 'A problem.', content: { 'application/problem+json': { schema: PROBLEM } } },
  }
}

/** In words, for people. */
function whoOf({ agent, human }: Route): string {
  const scope = agent && (agent.scope === 'any' ? 'an agent' : `an agent with \`${agent.scope}\``)
  const owner = human && (human.power ? 'an owner with the passphrase' : 'an owner')
  return `For ${[scope, owner].filter((who) => who !== null).join(', or ')}.`
}
