import type { Code } from './errors.ts'
import type { Refusal } from './types.ts'

export function refusal(code: Code, rule: string, message: string): Refusal {
  return { code, rule, message }
}
