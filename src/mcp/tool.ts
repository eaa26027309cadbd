import type {
  CallToolResult,
  InputRequiredResult,
  ServerContext,
  StandardSchemaWithJSON,
  ToolAnnotations,
} from '@modelcontextprotocol/server'
import { requireScopes } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { assertMay } from '../actions/agent/access.ts'
import { BursarError, CODES } from '../core/errors.ts'
import { plain } from '../core/text.ts'
import type { AgentScope } from '../core/types.ts'
import type { Call, Host } from './deps.ts'

/** What a tool does to the world; each is all four MCP annotations. */
export type Effect = 'read' | 'ask' | 'pay' | 'reduce'

const ANNOTATIONS: { readonly [E in Effect]: Required<Omit<ToolAnnotations, 'title'>> } = {
  read: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  ask: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  pay: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  reduce: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
}

/** What a credential must be good for. */
const SCOPES: { readonly [E in Effect]: AgentScope } = {
  read: 'bursar:read',
  ask: 'bursar:request',
  pay: 'bursar:pay',
  reduce: 'bursar:request',
}

export type JsonObject = Readonly<Record<string, unknown>>
export type ToolAnswer = CallToolResult | InputRequiredResult

/** One tool: what a model reads of it, and what it does. */
export interface Tool<Input extends z.ZodObject = z.ZodObject> {
  readonly name: string
  readonly effect: Effect
  readonly description: string
  /** Strict: an argument that is not named here is refused. */
  readonly input: Input
  /** JSON Schema of `structuredContent`; its root is an object, as 2025-era clients need it. */
  readonly output: JsonObject
  handle(call: Call, args: z.output<Input>): Promise<ToolAnswer> | ToolAnswer
}

/** Infers the arguments of `handle` from `input`. */
export function tool<Input extends z.ZodObject>(definition: Tool<Input>): Tool<Input> {
  return definition
}

/** Puts a tool on a server. Its arguments are checked here and not by the SDK, so that every error reads the same. */
export function register(host: Host, definition: Tool): void {
  const { name, description, effect } = definition
  const { inputSchema, outputSchema } = schemasOf(definition)
  host.mcp.registerTool(
    name,
    {
      ...{ description, inputSchema, outputSchema, annotations: ANNOTATIONS[effect] },
      // Over HTTP a token that lacks it is answered with 403, which says what to ask its issuer for.
      scopeChallenge: requireScopes(SCOPES[effect]),
    },
    (args: unknown, ctx: ServerContext) => tracked(host, run({ ...host, name, ctx }, definition, args)),
  )
}

/** Over HTTP there is a server for each request: what its tools look like is made once. */
const schemas = new WeakMap<Tool, ReturnType<typeof makeSchemas>>()

function schemasOf(definition: Tool): ReturnType<typeof makeSchemas> {
  const made = schemas.get(definition) ?? makeSchemas(definition)
  schemas.set(definition, made)
  return made
}

function makeSchemas({ input, output }: Tool) {
  return { inputSchema: advertised(jsonOf(input)), outputSchema: advertised(output) }
}

/** Counts the call as being worked on until it is done, so that the process does not end under a payment. */
export function tracked<T>(host: Host, work: Promise<T>): Promise<T> {
  host.working.add(work)
  const done = (): boolean => host.working.delete(work)
  work.then(done, done)
  return work
}

async function run(call: Call, definition: Tool, args: unknown): Promise<ToolAnswer> {
  try {
    await assertMay(call.deps.bursar, call.deps.caller, SCOPES[definition.effect])
    return await definition.handle(call, parsed(definition.input, args))
  } catch (error) {
    return failed(call, error, 'refusal' in (definition.output.properties as object))
  }
}

/** An error as a tool result. What is not a {@link BursarError} is a bug: it is logged, and nothing of it is shown. */
function failed(call: Call, error: unknown, structured: boolean): CallToolResult {
  if (!(error instanceof BursarError)) {
    call.deps.log('error', 'A tool failed.', { tool: call.name, error: stackOf(error) })
    const line = 'Something went wrong inside bursar. Do not repeat a purchase: look it up with list_payments first.'
    return { isError: true, content: [{ type: 'text', text: line }] }
  }
  const { code, message, hint } = error
  const later = CODES[code].retry === 'later'
  const refusal = { code, rule: later ? 'system' : 'arguments', message, hint }
  return {
    isError: true,
    content: [{ type: 'text', text: `${code}: ${message} ${hint}` }],
    ...(structured && { structuredContent: { status: later ? 'error' : 'refused', refusal } }),
  }
}

/** For the log on stderr only. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

const ISSUES_MAX = 3

/** @throws `argument_invalid`, naming the arguments that are wrong and none of their values */
function parsed<Input extends z.ZodObject>(schema: Input, args: unknown): z.output<Input> {
  const result = schema.safeParse(args ?? {})
  if (result.success) return result.data
  const issues = result.error.issues.slice(0, ISSUES_MAX).map(issueText)
  throw new BursarError('argument_invalid', `${issues.join('; ')}.`)
}

function issueText(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.')
  if (issue.code !== 'unrecognized_keys') return `${path || 'arguments'}: ${issue.message}`
  const names = issue.keys.slice(0, ISSUES_MAX).map((key) => JSON.stringify(plain(key, 40)))
  return `${path ? `${path}: ` : ''}unknown argument ${names.join(', ')}`
}

/**
 * JSON Schema without what a model has no use for, since every byte of it is in its context in every turn: bounds of
 * texts and lists are far above what tasks need, and are named by the error of a call that passes them. Names of
 * properties are texts anyway.
 */
function jsonOf(schema: z.ZodObject): JsonObject {
  const unread = new Set(['$schema', 'maxLength', 'maxItems', 'propertyNames'])
  const json = JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), (key, value) =>
    unread.has(key) ? undefined : value,
  )
  return JSON.parse(json) as JsonObject
}

/** A schema as the SDK lists it, letting everything through: what it says is enforced by {@link parsed} and by tests. */
function advertised(json: JsonObject): StandardSchemaWithJSON<unknown, unknown> {
  const schema = (): Record<string, unknown> => ({ ...json })
  return {
    '~standard': {
      version: 1,
      vendor: 'bursar',
      validate: (value) => ({ value }),
      jsonSchema: { input: schema, output: schema },
    },
  }
}
