import { sha256 } from '../../core/canonical.ts'
import { MARK, MOVED } from '../shared/moved.ts'
import type { Source } from './source.ts'

/**
 * Everything in the schema that says what may be written, as the server itself puts it: tables with their columns, checks,
 * keys, triggers and whether they fire, functions with their text, views, indexes, rules and policies.
 */
const DEFINITIONS = `
WITH tables AS (
  SELECT c.oid, c.relname, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'bursar' AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
SELECT pg_catalog.json_build_array(name, definition)::text FROM (
  SELECT 'table ' || t.relname AS name, concat_ws(' ', t.relkind, t.relpersistence, t.relrowsecurity, t.relforcerowsecurity,
    (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, l.collname,
       a.attgenerated, a.attidentity, pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum)
     FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
     WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped),
    -- The triggers of foreign keys: whether all of them fire.
    (SELECT string_agg(DISTINCT g.tgenabled::text, '') FROM pg_catalog.pg_trigger g WHERE g.tgrelid = t.oid AND g.tgisinternal)
  ) AS definition FROM tables t
  UNION ALL SELECT 'constraint ' || k.conname || ' of ' || t.relname, concat_ws(' ', k.convalidated, pg_get_constraintdef(k.oid))
    FROM pg_catalog.pg_constraint k JOIN tables t ON t.oid = k.conrelid WHERE k.contype <> 'n'
  UNION ALL SELECT 'trigger ' || g.tgname || ' of ' || t.relname, concat_ws(' ', g.tgenabled, pg_get_triggerdef(g.oid))
    FROM pg_catalog.pg_trigger g JOIN tables t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal
    -- The mark of a purse that was moved, which lets nothing through.
    AND NOT (g.tgenabled = 'A' AND pg_get_triggerdef(g.oid) ~ '^CREATE TRIGGER ${MARK} BEFORE INSERT ON bursar[.]events FOR EACH ROW EXECUTE FUNCTION bursar[.]refuse[(]''${MOVED} [(][0-9a-f]{16}[)]''[)]$')
  UNION ALL SELECT 'index ' || i.relname || ' of ' || t.relname, concat_ws(' ', x.indisvalid, x.indisready, pg_get_indexdef(i.oid))
    FROM pg_catalog.pg_index x JOIN tables t ON t.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
  UNION ALL SELECT 'view ' || t.relname, pg_get_viewdef(t.oid) FROM tables t WHERE t.relkind IN ('v', 'm')
  UNION ALL SELECT 'rule ' || r.rulename || ' of ' || t.relname, concat_ws(' ', r.ev_enabled, pg_get_ruledef(r.oid))
    FROM pg_catalog.pg_rewrite r JOIN tables t ON t.oid = r.ev_class WHERE r.rulename <> '_RETURN'
  UNION ALL SELECT 'policy ' || p.polname || ' of ' || t.relname, 'policy' FROM pg_catalog.pg_policy p JOIN tables t ON t.oid = p.polrelid
  UNION ALL SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', concat_ws(' ',
    pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, p.prokind, p.provolatile, p.prosecdef,
    p.proisstrict, p.proconfig::text, p.prosrc, p.probin)
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE n.nspname = 'bursar'
) found ORDER BY name COLLATE "C"`

/** How many hexadecimal digits of a definition's SHA-256 are kept. */
const DIGITS = 32

/**
 * What there is in the schema, by name, each with the digest of its definition.
 *
 * @param source within one transaction, whose `search_path` this sets: names are written with their schema then
 */
export async function definitionsOf(source: Source): Promise<ReadonlyMap<string, string>> {
  await source.texts("SELECT set_config('search_path', 'pg_catalog', true)")
  const rows = (await source.texts(DEFINITIONS)).map((row) => JSON.parse(row) as [string, string])
  return new Map(rows.map(([name, definition]) => [name, sha256(definition).toString('hex').slice(0, DIGITS)]))
}
