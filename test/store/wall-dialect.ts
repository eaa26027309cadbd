/** What PostgreSQL's catalog says of the tables that cases name. */
export interface Shapes {
  /** Columns in order, with their types. */
  readonly columns: ReadonlyMap<string, readonly (readonly [name: string, type: string])[]>
  readonly keys: ReadonlyMap<string, readonly string[]>
}

/** SQLite's functions that cases use, by the names that they have there. */
export const FUNCTIONS = `
CREATE SCHEMA sqlite;
CREATE FUNCTION sqlite.zeroblob(n int) RETURNS bytea LANGUAGE sql RETURN decode(repeat('00', n), 'hex');
CREATE FUNCTION sqlite.hex(b bytea) RETURNS text LANGUAGE sql RETURN upper(encode(b, 'hex'));
CREATE FUNCTION sqlite.printf(f text, n bigint) RETURNS text LANGUAGE sql RETURN lpad(n::text, 64, '0');
CREATE FUNCTION sqlite.substr(t text, i int) RETURNS text LANGUAGE sql
  RETURN CASE WHEN i < 0 THEN right(t, -i) ELSE pg_catalog.substr(t, i) END;
CREATE FUNCTION sqlite.substr(t text, i int, n int) RETURNS text LANGUAGE sql
  RETURN CASE WHEN i < 0 THEN left(right(t, -i), n) ELSE pg_catalog.substr(t, i, n) END;
CREATE FUNCTION sqlite.json_set(j jsonb, path text, v text) RETURNS jsonb LANGUAGE sql
  RETURN jsonb_set(j, ARRAY[pg_catalog.substr(path, 3)], to_jsonb(v));
CREATE FUNCTION sqlite.json_remove(j jsonb, path text) RETURNS jsonb LANGUAGE sql RETURN j - pg_catalog.substr(path, 3);
CREATE FUNCTION sqlite.json_extract(j jsonb, path text) RETURNS jsonb LANGUAGE sql
  RETURN j -> substring(path FROM '[0-9]+')::int;
CREATE FUNCTION sqlite.json_insert(j jsonb, path text, v jsonb) RETURNS jsonb LANGUAGE sql RETURN j || jsonb_build_array(v);
CREATE FUNCTION sqlite.json_each(j jsonb) RETURNS TABLE (key bigint, value jsonb) LANGUAGE sql
  BEGIN ATOMIC SELECT n - 1, v FROM jsonb_array_elements(j) WITH ORDINALITY e (v, n); END;
CREATE FUNCTION sqlite.json_each(t text) RETURNS TABLE (key bigint, value jsonb) LANGUAGE sql
  BEGIN ATOMIC SELECT n - 1, v FROM jsonb_array_elements(t::jsonb) WITH ORDINALITY e (v, n); END;
`

/** What is said otherwise in PostgreSQL, outside of strings. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/(?<!")\bwindow\b/g, '"window"'],
  [/\bjson_array\(/g, 'jsonb_build_array('],
  [/\bjson_object\(/g, 'jsonb_build_object('],
  [/\bjson_group_array\(json\(value\)\)/g, 'coalesce(jsonb_agg(value), jsonb_build_array())'],
  [/\bchar\(13, 10\)/g, 'chr(13) || chr(10)'],
  [/\bUPDATE OR REPLACE\b/g, 'UPDATE'],
]

/** Whether a statement takes the place of a row that is there, which is SQLite's own; here it becomes an upsert. */
export function replaces(sql: string): boolean {
  return /\bREPLACE\b/.test(sql) || /ON CONFLICT/.test(sql)
}

/** The same statement without what takes the place of a row: an INSERT, which meets the row that is there. */
export function inserting(sql: string): string {
  return sql
    .replace(/\bOR REPLACE\b/, '')
    .replace(/^REPLACE INTO/, 'INSERT INTO')
    .replace(/ON CONFLICT .*$/s, '')
}

/** A case's statement in the words of PostgreSQL, with the values of what it names as `:name`. */
export function inPostgres(sql: string, ids: Readonly<Record<string, string | number>>, shapes: Shapes): string {
  const text = expanded(sql.trim(), shapes)
  const replaced = /^(INSERT\s+OR REPLACE|REPLACE) INTO/.exec(text)
  const table = /^(?:INSERT(?:\s+OR REPLACE)?|REPLACE)\s+INTO (\w+)/.exec(text)?.[1] ?? ''
  const key = `(${shapes.keys.get(table)?.join(', ')})`
  const all = shapes.columns.get(table)?.map(([name]) => `"${name}" = excluded."${name}"`)
  const upsert = replaced ? ` ON CONFLICT ${key} DO UPDATE SET ${all?.join(', ')}` : ''
  const plain = replaced ? text.replace(replaced[1] as string, 'INSERT') : text
  return plain.replace(/'(?:[^']|'')*'|[^']+/g, (part) => (part.startsWith("'") ? part : code(part, ids, key))) + upsert
}

function code(part: string, ids: Readonly<Record<string, string | number>>, key: string): string {
  const said = WORDS.reduce((text, [word, otherwise]) => text.replace(word, otherwise), part)
  return said
    .replace('ON CONFLICT DO UPDATE', `ON CONFLICT ${key} DO UPDATE`)
    .replace(/(?<!:):(\w+)/g, (_, name: string) => {
      const value = ids[name]
      if (value === undefined) throw new Error(`No case knows what :${name} is.`)
      return typeof value === 'number' ? `${value}` : `'${value}'`
    })
}

/** `COPY` and `TOUCH` as statements. */
function expanded(sql: string, shapes: Shapes): string {
  if (sql.startsWith('COPY ')) {
    const [or = '', table = '', where = '', changes = '{}'] = sql.slice(5).trimStart().split('|')
    const changed = JSON.parse(changes) as Record<string, string>
    const columns = shapes.columns.get(table) ?? []
    const values = columns.map(([name]) => changed[name] ?? name)
    return `INSERT ${or.trim()} INTO ${table} SELECT ${values.join(', ')} FROM ${table} WHERE ${where}`
  }
  if (!sql.startsWith('TOUCH ')) return sql
  const [table = '', column = '', where] = sql.slice(6).split('|')
  const type = shapes.columns.get(table)?.find(([name]) => name === column)?.[1] ?? ''
  return `UPDATE ${table} SET ${column} = ${OTHER[type]?.(column)} WHERE ${where}`
}

/** Another value than a column has. */
const OTHER: Readonly<Record<string, (column: string) => string>> = {
  text: (column) => `'~' || coalesce(${column}, '')`,
  bigint: (column) => `coalesce(${column}, 0) + 1`,
  boolean: (column) => `NOT ${column}`,
  jsonb: (column) => `jsonb_build_array(${column})`,
}
