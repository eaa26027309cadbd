-- The row of a refused payment may leave the database, once all events of it have left: it held nothing and moved nothing, and no
-- later call is decided by it. All other payments stay for good: replays, refunds and foreign keys need them.

-- The events that name a payment and are here still. By what their text says last of it: fields come in the order of their names, so
-- that what an event is about comes after its details; and within a value a quote has a backslash before it. Taking all of the text
-- apart as JSON would cost every event that is written three times as much.
CREATE INDEX events_of_payment ON bursar.events (split_part(split_part(body, '"payment_id":"', -1), '"', 1))
WHERE strpos(body, '"payment_id":"') > 0;
--> statement-breakpoint
-- Whether the row of a payment may leave. It was refused, and never more than that. Not in this calendar month or the next one
-- after it was made (UTC, by the clock of the server). The two events that made it, which one step wrote one after the other,
-- are at their places and have left. And no event that is here names it. By keys and indexes alone.
CREATE FUNCTION bursar.leavable(payment bursar.payments) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  book constant text := coalesce(payment.wallet_id, 'instance');
BEGIN
  RETURN (payment.status = 'refused'
    AND payment.held = 0 AND payment.captured = 0 AND payment.refunded = 0 AND payment.forced = 0
    AND payment.authorized_at IS NULL AND payment.rail_ref IS NULL
    AND payment.created_at < 1000 * extract(epoch FROM date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month')
    AND EXISTS (SELECT 1 FROM bursar.events e WHERE e.journal = book AND e.seq = payment.seq
      AND e.type = 'payment.refused' AND e.body IS NULL)
    AND EXISTS (SELECT 1 FROM bursar.events e WHERE e.journal = book AND e.seq = payment.seq - 1
      AND e.type = 'payment.attempted' AND e.body IS NULL)
    AND NOT EXISTS (SELECT 1 FROM bursar.events e WHERE strpos(e.body, '"payment_id":"') > 0
      AND split_part(split_part(e.body, '"payment_id":"', -1), '"', 1) = payment.id)
    -- Nobody was asked about it.
    AND NOT EXISTS (SELECT 1 FROM bursar.approvals a WHERE a.subject_id = payment.id)
  ) IS TRUE;
END $$;
--> statement-breakpoint
DROP TRIGGER payments_remain ON bursar.payments;
--> statement-breakpoint
DROP TRIGGER purchases_remain ON bursar.purchases;
--> statement-breakpoint
CREATE FUNCTION bursar.payments_remain() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'bursar.payments'::regclass), 'USAGE')
    AND bursar.leavable(OLD)) IS NOT TRUE
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN OLD;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_remain BEFORE DELETE ON bursar.payments
FOR EACH ROW
EXECUTE FUNCTION bursar.payments_remain('bursar: a payment is never deleted');
--> statement-breakpoint
CREATE TRIGGER payments_are_not_emptied BEFORE TRUNCATE ON bursar.payments
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a payment is never deleted');
--> statement-breakpoint
-- What a payment was to buy leaves after it, in the same transaction: the foreign key lets neither go alone.
CREATE FUNCTION bursar.purchases_remain() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'bursar.purchases'::regclass), 'USAGE')
    AND OLD.header IS NULL AND OLD.value IS NULL
    AND NOT EXISTS (SELECT 1 FROM bursar.payments p WHERE p.id = OLD.payment_id)) IS NOT TRUE
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN OLD;
END $$;
--> statement-breakpoint
CREATE TRIGGER purchases_remain BEFORE DELETE ON bursar.purchases
FOR EACH ROW
EXECUTE FUNCTION bursar.purchases_remain('bursar: a purchase is never deleted');
--> statement-breakpoint
CREATE TRIGGER purchases_are_not_emptied BEFORE TRUNCATE ON bursar.purchases
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a purchase is never deleted');
--> statement-breakpoint
ALTER TABLE bursar.payments ENABLE ALWAYS TRIGGER payments_remain, ENABLE ALWAYS TRIGGER payments_are_not_emptied;
--> statement-breakpoint
ALTER TABLE bursar.purchases ENABLE ALWAYS TRIGGER purchases_remain, ENABLE ALWAYS TRIGGER purchases_are_not_emptied;
--> statement-breakpoint
REVOKE ALL ON ALL ROUTINES IN SCHEMA bursar FROM PUBLIC;
