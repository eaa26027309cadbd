import type { z } from '@hono/zod-openapi'
import { BursarError, type Code } from '../../core/errors.ts'
import type { AgentScope } from '../../core/types.ts'

/**
 * One route of the REST surface, as data: the routes that answer, what is checked, the OpenAPI document, the reader page and the
 * table of who may do what are all made from it.
 */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** Below {@link BASE}, as OpenAPI writes it: `/wallets/{wallet_id}`. */
  readonly path: string
  readonly tag: Tag
  /** One line, for people. */
  readonly summary: string
  readonly description?: string
  /** Strict, as the body is: what is not named is refused. */
  readonly query?: z.ZodObject
  readonly body?: z.ZodObject
  /** By status, what a good answer is; everything else is a problem (RFC 9457). Null: not JSON, of the type that `media` says. */
  readonly answers: Readonly<Partial<Record<Good, z.ZodType | null>>>
  readonly media?: string
  /** The scope that an agent needs; `any`: reducing its own power needs none. Null: no agent may. */
  readonly agent: { readonly scope: AgentScope | 'any' } | null
  /** `power`: it gives power, which takes the owner's authority. Null: it is an agent's to do. */
  readonly human: { readonly power: boolean } | null
  /** What a repeated `Idempotency-Key` does: the payment that has it is the answer, or the answer that was kept. */
  readonly repeats?: 'payment'
  /** The answer holds a key that is shown once. */
  readonly secret?: true
  /** Who asks again may be told that nothing changed: the answer is of one thing and has an ETag. */
  readonly tagged?: true
}

/** 202: begun, and not at its end yet. */
export type Good = 200 | 201 | 202

export const TAGS = ['wallets', 'requests', 'instruments', 'payments', 'journal', 'agents', 'instance'] as const
export type Tag = (typeof TAGS)[number]

/** Under which everything is. */
export const BASE = '/api/v1/agent-payments'

/** Infers the parts of a definition, so that its handlers are checked against it. */
export function route<const R extends Route>(definition: R): R {
  return definition
}

type Names<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never

/** A call as its handler gets it: everything in it was checked against the route. */
export interface Input<R extends Route> {
  readonly params: Readonly<Record<Names<R['path']>, string>>
  readonly query: R extends { readonly query: infer Q extends z.ZodObject } ? z.output<Q> : object
  readonly body: R extends { readonly body: infer B extends z.ZodObject } ? z.output<B> : object
  /** `Idempotency-Key`, where one was sent. */
  readonly key: string | null
  /** Fires when nobody waits for the answer any more. */
  readonly gone: AbortSignal
}

export interface Answer {
  readonly status: Good
  readonly body: object | AsyncIterable<string>
  /** Where the thing that was made is, below {@link BASE}. */
  readonly location?: string
  /** It is the answer to an earlier call of the same key or of the same purchase. */
  readonly replayed?: boolean
}

export function ok(body: object): Answer {
  return { status: 200, body }
}

export function made(body: object, location: string): Answer {
  return { status: 201, body, location }
}

/** The names in braces of a path, in their order. */
export function namesIn(path: string): readonly string[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name)
}

/** A no that is recorded: a problem with its code, and the attempt beside it. */
export class Declined extends BursarError {
  /** Members of the problem beside those of every problem. */
  readonly more: object
  constructor(code: Code, message: string, more: object) {
    super(code, message)
    this.more = more
  }
}
