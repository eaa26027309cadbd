import type { Notice } from '../ports/notice.ts'

/** A notice for people, without its title: a fact a line, then where to look. */
export function textOf({ facts, link, at, checkpoint }: Notice): string {
  const lines = [...facts, ['When', at] as const].map(([label, value]) => `${label}: ${value}`)
  return [...lines, ...(link === null ? [] : ['', link]), '', ...checkpoint.trim().split('\n')].join('\n')
}
