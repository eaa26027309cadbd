-- The bodies of old events may leave the database, once they are kept in a file (`bursar journal archive`). The rest of an event
-- stays: its place, type and leaf, so that roots, checkpoints and proofs are what they were.

ALTER TABLE bursar.events ALTER COLUMN body DROP NOT NULL;
--> statement-breakpoint
ALTER TABLE bursar.events DROP CONSTRAINT events_body_check,
  ADD CONSTRAINT events_body_check CHECK (body IS NULL OR body::json IS NOT NULL);
--> statement-breakpoint
-- Whether the body of an event may leave. Not in this calendar month or the next one after it was written (UTC, by the clock of
-- the server). Not while what it is about is open: the payment that it names, until its transfer is final; or else the request
-- and the instrument. Each is looked up by its key. And never what says which journals and which files there are.
CREATE FUNCTION bursar.archivable(type text, body text) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  event constant jsonb := body;
  written constant text := event ->> 'ts';
BEGIN
  IF type IN ('journal.opened', 'journal.archived') OR written IS NULL
    OR written COLLATE "C" >= to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month', 'YYYY-MM')
  THEN RETURN false;
  END IF;
  IF event ? 'payment_id' THEN
    RETURN NOT EXISTS (SELECT 1 FROM bursar.payments p
        WHERE p.id = event ->> 'payment_id' AND p.status IN ('awaiting_approval', 'authorized', 'in_doubt'))
      AND NOT EXISTS (SELECT 1 FROM bursar.transfers t WHERE t.payment_id = event ->> 'payment_id' AND t.status = 'open');
  END IF;
  RETURN NOT EXISTS (SELECT 1 FROM bursar.requests r WHERE r.id = event ->> 'request_id' AND r.status = 'pending')
    AND NOT EXISTS (SELECT 1 FROM bursar.instruments i
      WHERE i.id = event ->> 'instrument_id' AND i.status IN ('active', 'frozen'));
END $$;
--> statement-breakpoint
DROP TRIGGER events_stay ON bursar.events;
--> statement-breakpoint
-- One change alone: the body goes, by whoever owns the table, where it may and where it is what was hashed.
CREATE FUNCTION bursar.events_stay() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (NEW.body IS NULL AND OLD.body IS NOT NULL
    AND (NEW.journal, NEW.seq, NEW.type, NEW.leaf) IS NOT DISTINCT FROM (OLD.journal, OLD.seq, OLD.type, OLD.leaf)
    AND pg_has_role(current_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = 'bursar.events'::regclass), 'USAGE')
    AND bursar.archivable(OLD.type, OLD.body)
    AND sha256('\x00'::bytea || convert_to(OLD.body, 'UTF8')) = OLD.leaf) IS NOT TRUE
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER events_stay BEFORE UPDATE ON bursar.events
FOR EACH ROW
EXECUTE FUNCTION bursar.events_stay('bursar: an event is never changed');
--> statement-breakpoint
CREATE TRIGGER events_are_whole BEFORE INSERT ON bursar.events
FOR EACH ROW WHEN (NEW.body IS NULL)
EXECUTE FUNCTION bursar.refuse('bursar: an event is written with its body');
--> statement-breakpoint
ALTER TABLE bursar.events ENABLE ALWAYS TRIGGER events_stay, ENABLE ALWAYS TRIGGER events_are_whole;
--> statement-breakpoint
REVOKE ALL ON ALL ROUTINES IN SCHEMA bursar FROM PUBLIC;
