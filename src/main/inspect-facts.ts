import type { PrimaryReport } from '../cli/database.ts'

/** What the catalogs and settings of a server say, to any role: nothing here needs a right. */
export interface Facts extends Pick<PrimaryReport, 'version' | 'settings' | 'service' | 'standbys' | 'connections'> {
  readonly schema: {
    readonly exists: boolean
    readonly owner: boolean
    readonly version: 'readable' | 'forbidden' | 'missing'
    /** Whether the wallets can be read. */
    readonly wallets: boolean
  }
  readonly role: Pick<PrimaryReport['role'], 'name' | 'superuser' | 'powers' | 'lacks'>
}

/** What a role of nodes has no use for. Whoever has it can make the books say what did not happen. What is only remembered goes. */
const POWERS = `
  SELECT coalesce(json_agg(power ORDER BY power), '[]') FROM (
    SELECT p.privilege || ' on ' || t.label AS power
    FROM tables t CROSS JOIN (VALUES ('DELETE'), ('TRUNCATE'), ('TRIGGER')) AS p (privilege)
    WHERE has_table_privilege(t.oid, p.privilege)
      AND NOT (p.privilege = 'DELETE' AND t.label IN ('kept_calls', 'kept_names'))
    UNION ALL
    SELECT 'UPDATE on ' || t.label FROM tables t
    WHERE t.label IN ('events', 'entries', 'deposits', 'owners', 'answers') AND has_table_privilege(t.oid, 'UPDATE')
    UNION ALL
    SELECT 'CREATE on the schema ' || s.nspname FROM schemas s WHERE has_schema_privilege(s.oid, 'CREATE')
  ) AS powers`

const LACKS = `
  SELECT coalesce(json_agg(lack ORDER BY lack), '[]') FROM (
    SELECT p.privilege || ' on ' || t.label AS lack
    FROM tables t CROSS JOIN (VALUES ('SELECT'), ('INSERT')) AS p (privilege)
    WHERE NOT has_table_privilege(t.oid, p.privilege) AND (p.privilege = 'SELECT' OR t.label <> 'schema_version')
    UNION ALL
    SELECT 'USAGE on the schema ' || s.nspname FROM schemas s WHERE NOT has_schema_privilege(s.oid, 'USAGE')
    UNION ALL
    SELECT 'EXECUTE on ' || r.proname FROM pg_proc r JOIN schemas s ON s.oid = r.pronamespace
    WHERE r.prorettype <> 'trigger'::regtype AND r.proname !~ '^grant_' AND NOT has_function_privilege(r.oid, 'EXECUTE')
  ) AS lacks`

/** Settings that only servers of a service have, as each documents them. */
const SERVICE = `
  CASE WHEN current_setting('rds.extensions', true) IS NOT NULL THEN 'Amazon'
    WHEN current_setting('cloudsql.supported_extensions', true) IS NOT NULL THEN 'Google Cloud SQL'
    WHEN current_setting('azure.extensions', true) IS NOT NULL THEN 'Azure'
  END`

/** Rows of standbys are there for everybody; what they say is for those who may read the statistics. */
const STANDBYS = `
  SELECT json_build_object('connected', count(*), 'synchronous',
    CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE')
      THEN count(*) FILTER (WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')) END)
  FROM pg_stat_replication`

/** What the server has, less what it keeps for others; and what role and database are held to, where they are. */
const CONNECTIONS = `
  SELECT json_build_object(
    'most', least(
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0),
      CASE WHEN r.rolconnlimit >= 0 THEN r.rolconnlimit END,
      CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END),
    'used', (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database))
  FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()`

const SCHEMA = `
  json_build_object(
    'exists', EXISTS (SELECT FROM schemas WHERE nspname = 'bursar'),
    'owner', coalesce((SELECT bool_or(pg_has_role(relowner, 'MEMBER')) FROM tables), false),
    'wallets', EXISTS (SELECT FROM tables t JOIN schemas s ON s.oid = t.relnamespace WHERE t.label = 'wallets'
      AND has_schema_privilege(s.oid, 'USAGE') AND has_table_privilege(t.oid, 'SELECT')),
    'version', coalesce(
      (SELECT CASE WHEN has_schema_privilege(s.oid, 'USAGE') AND has_table_privilege(t.oid, 'SELECT')
          THEN 'readable' ELSE 'forbidden' END
        FROM tables t JOIN schemas s ON s.oid = t.relnamespace WHERE t.label = 'schema_version'),
      'missing'))`

/** One statement, one row, one JSON. `search_path` is pg_catalog alone. */
export const FACTS = `
WITH schemas AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('bursar', 'sandbox_cards')),
tables AS (
  SELECT c.oid, CASE WHEN nspname = 'bursar' THEN '' ELSE nspname || '.' END || c.relname AS label, c.relowner, c.relnamespace
  FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')
)
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'settings', json_build_object(
    'synchronous_commit', current_setting('synchronous_commit'),
    'synchronous_standby_names', current_setting('synchronous_standby_names'),
    'fsync', current_setting('fsync'),
    'full_page_writes', current_setting('full_page_writes')),
  'service', ${SERVICE},
  'standbys', (${STANDBYS}),
  'connections', (${CONNECTIONS}),
  'schema', ${SCHEMA},
  'role', json_build_object(
    'name', current_user,
    'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
    'powers', (${POWERS}),
    'lacks', (${LACKS}))
) AS facts`
