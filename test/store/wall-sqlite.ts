import Database from 'better-sqlite3'
import type { Case, Seed } from './wall.ts'

export class Attacker {
  readonly db: Database.Database
  private readonly ids: Seed['ids']

  /** A plain connection, as whoever gets at the file or injects SQL has it. */
  constructor({ path, ids }: Seed, recursiveTriggers: boolean) {
    this.db = new Database(path)
    this.db.pragma(`recursive_triggers = ${recursiveTriggers ? 1 : 0}`)
    this.ids = ids
  }

  /** What the database says to it, or null when it lets it pass. Nothing stays. */
  try(one: Pick<Case, 'bad' | 'before' | 'without'>, alsoWithout: readonly string[] = []): string | null {
    this.db.exec('BEGIN IMMEDIATE')
    try {
      for (const trigger of [...(one.without ?? []), ...alsoWithout]) this.db.exec(`DROP TRIGGER ${trigger}`)
      for (const sql of (one.before ?? '').split(';')) if (sql.trim()) this.run(sql)
      return this.refusal(one.bad)
    } finally {
      this.db.exec('ROLLBACK')
    }
  }

  private refusal(sql: string): string | null {
    try {
      this.run(sql)
      return null
    } catch (error) {
      return (error as Error).message.replace(/\s+/g, ' ')
    }
  }

  private run(sql: string): void {
    const text = this.expand(sql.trim())
    const named = Object.fromEntries(Object.entries(this.ids).filter(([name]) => text.includes(`:${name}`)))
    this.db.prepare(text).run(named)
  }

  private expand(sql: string): string {
    if (sql.startsWith('COPY ')) return this.copy(sql.slice(5))
    if (!sql.startsWith('TOUCH ')) return sql
    const [table, column, where] = sql.slice(6).split('|')
    return `UPDATE ${table} SET ${column} = ${column} WHERE ${where}`
  }

  private copy(spec: string): string {
    const [or = '', table = '', where = '', changes = '{}'] = spec.split('|')
    const changed = JSON.parse(changes) as Record<string, string>
    const columns = this.db.pragma(`table_info(${table})`) as { name: string }[]
    const values = columns.map(({ name }) => changed[name] ?? name)
    return `INSERT ${or} INTO ${table} SELECT ${values.join(', ')} FROM ${table} WHERE ${where}`
  }
}

/** Every wall that stands in a database: triggers with what they say, and the CHECKs of each table. */
export function wallsOf(db: Database.Database): { triggers: Map<string, string>; checks: string[] } {
  const rows = db.prepare('SELECT type, name, sql FROM sqlite_master').all() as Record<string, string>[]
  const triggers = new Map<string, string>()
  const checks: string[] = []
  for (const { type, name = '', sql } of rows) {
    if (type === 'trigger') triggers.set(name, /RAISE\(ABORT, '([^']+)'\)/.exec(sql ?? '')?.[1] ?? '')
    if (type === 'table') checks.push(...checksOf(sql ?? '').map((check) => `${name}: ${check}`))
  }
  return { triggers, checks }
}

/** The CHECKs of a CREATE TABLE. */
export function checksOf(sql: string): string[] {
  const text = sql.replace(/--.*$/gm, '')
  return [...text.matchAll(/CHECK \(/g)].map(({ index }) => {
    let depth = 0
    const start = index + 'CHECK '.length
    for (let i = start; ; i++) {
      if (text[i] === '(') depth += 1
      if (text[i] === ')') depth -= 1
      if (depth === 0)
        return text
          .slice(start + 1, i)
          .replace(/\s+/g, ' ')
          .trim()
    }
  })
}
