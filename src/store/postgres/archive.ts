import { BursarError } from '../../core/errors.ts'
import type { Archive } from '../../ports.ts'
import type { Source } from './source.ts'

const OWNS = `
  SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE')::text FROM pg_catalog.pg_class c
  WHERE c.oid = 'bursar.events'::pg_catalog.regclass`

/** The trigger of the table says the same once more, and what does not pass it is not tried. */
const CLEAR = `
  WITH cleared AS (
    UPDATE bursar.events e SET body = NULL
    FROM ROWS FROM (pg_catalog.unnest($2::bigint[]), pg_catalog.unnest($3::text[])) wanted (seq, leaf)
    WHERE e.journal = $1 AND e.seq = wanted.seq AND e.leaf = pg_catalog.decode(wanted.leaf, 'hex')
      AND e.body IS NOT NULL AND bursar.archivable(e.type, e.body)
    RETURNING 1)
  SELECT count(*)::text FROM cleared`

/** The same holds of these. Both rows leave in one transaction: what was to be bought belongs to its payment. */
const FORGET = `
  WITH gone AS (
    DELETE FROM bursar.payments p
    USING ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::bigint[])) refused (id, seq)
    WHERE p.id = refused.id AND p.seq = refused.seq AND coalesce(p.wallet_id, 'instance') = $1 AND bursar.leavable(p)
    RETURNING p.id),
  unbought AS (DELETE FROM bursar.purchases u USING gone WHERE u.payment_id = gone.id)
  SELECT count(*)::text FROM gone`

/**
 * @param source whose statements each are a transaction; what it asks a second time, when an answer was lost, does nothing more
 * @throws `config_invalid` where this role does not own the tables
 */
export async function archiveOn(source: Source): Promise<Archive> {
  const [owns] = await source.texts(OWNS)
  if (owns !== 'true')
    throw new BursarError(
      'config_invalid',
      'This role may not archive. Run it with BURSAR_DATABASE_URL of the role that owns the tables.',
    )
  return {
    async clear(journal, events) {
      const leaves = events.map(({ leaf }) => leaf.toString('hex'))
      const [cleared = '0'] = await source.texts(CLEAR, [journal, events.map(({ seq }) => seq), leaves])
      return Number(cleared)
    },
    async forget(journal, refused) {
      const ids = refused.map(({ paymentId }) => paymentId)
      const [gone = '0'] = await source.texts(FORGET, [journal, ids, refused.map(({ seq }) => seq)])
      return Number(gone)
    },
  }
}
