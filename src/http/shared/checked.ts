import type { z } from '@hono/zod-openapi'
import { BursarError } from '../../core/errors.ts'
import { plain } from '../../core/text.ts'

const ISSUES_MAX = 3

/** @throws `argument_invalid`, naming what is wrong and none of its values */
export function checked<Schema extends z.ZodObject>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.slice(0, ISSUES_MAX).map((issue) => issueText(issue, what))
  throw new BursarError('argument_invalid', `${issues.join('; ')}.`)
}

function issueText(issue: z.core.$ZodIssue, what: string): string {
  const path = issue.path.map((part) => plain(String(part), 40)).join('.')
  if (issue.code !== 'unrecognized_keys') return `${path || what}: ${issue.message}`
  const names = issue.keys.slice(0, ISSUES_MAX).map((key) => JSON.stringify(plain(key, 40)))
  return `${path ? `${path}: ` : ''}unknown argument ${names.join(', ')}`
}
