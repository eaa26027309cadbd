-- What the surfaces remember between calls, so that nothing is done twice, whichever node is asked. It is no ledger: nothing else
-- refers to it, no journal rebuilds it, and its rows change and go. Times are milliseconds since the epoch.

-- Calls by who asked and the Idempotency-Key that they gave. `asked`: digest of what is asked for. `holder`: the one claim of the
-- key. `answer`: null until the call was done; empty where what was answered is not kept here.
CREATE TABLE bursar.kept_calls (
  caller text COLLATE "C" NOT NULL CONSTRAINT kept_calls_caller_check CHECK (length(caller) BETWEEN 1 AND 300),
  key text COLLATE "C" NOT NULL CONSTRAINT kept_calls_key_check CHECK (length(key) BETWEEN 1 AND 128),
  asked text COLLATE "C" NOT NULL CONSTRAINT kept_calls_asked_check CHECK (length(asked) = 64),
  holder text COLLATE "C" NOT NULL CONSTRAINT kept_calls_holder_check CHECK (length(holder) = 36),
  busy_until bigint NOT NULL CONSTRAINT kept_calls_busy_until_check CHECK (busy_until BETWEEN 0 AND expires_at),
  expires_at bigint NOT NULL,
  bytes bigint NOT NULL CONSTRAINT kept_calls_bytes_check CHECK (bytes BETWEEN 0 AND 500000),
  answer text COLLATE "C" CONSTRAINT kept_calls_answer_check CHECK (coalesce(octet_length(answer), 0) = bytes),
  CONSTRAINT kept_calls_pkey PRIMARY KEY (caller, key)
);
--> statement-breakpoint
CREATE INDEX kept_calls_by_caller ON bursar.kept_calls (caller, expires_at, key, bytes);
--> statement-breakpoint
CREATE INDEX kept_calls_by_end ON bursar.kept_calls (expires_at);
--> statement-breakpoint
CREATE INDEX kept_calls_answered ON bursar.kept_calls (expires_at, bytes) WHERE bytes > 0;
--> statement-breakpoint
-- The bytes of all answers, in shares so that those who write at once do not wait for each other: their sum is what counts.
CREATE TABLE bursar.kept_room (
  share bigint CONSTRAINT kept_room_pkey PRIMARY KEY CONSTRAINT kept_room_share_check CHECK (share BETWEEN 0 AND 15),
  bytes bigint NOT NULL
) WITH (fillfactor = 50);
--> statement-breakpoint
-- What may be shown once, by its digest: proofs of possession.
CREATE TABLE bursar.kept_names (
  name text COLLATE "C" CONSTRAINT kept_names_pkey PRIMARY KEY CONSTRAINT kept_names_name_check CHECK (length(name) = 64),
  holder text COLLATE "C" NOT NULL CONSTRAINT kept_names_holder_check CHECK (length(holder) = 36),
  expires_at bigint NOT NULL CONSTRAINT kept_names_expires_at_check CHECK (expires_at >= 0)
);
--> statement-breakpoint
CREATE INDEX kept_names_by_end ON bursar.kept_names (expires_at);
--> statement-breakpoint
-- Remembers a name until a time: false where it is there already, by another holder, and not over. What is over goes along the
-- way: a few more than come.
CREATE FUNCTION bursar.keep_name(given jsonb) RETURNS boolean LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
  now constant bigint := given ->> 'now';
BEGIN
  DELETE FROM bursar.kept_names n USING (
    SELECT o.name FROM bursar.kept_names o WHERE o.expires_at <= now
    ORDER BY o.expires_at LIMIT (given ->> 'swept')::bigint FOR UPDATE SKIP LOCKED) o
  WHERE n.name = o.name;
  INSERT INTO bursar.kept_names AS n (name, holder, expires_at)
  VALUES (given ->> 'name', given ->> 'holder', (given ->> 'expires_at')::bigint)
  ON CONFLICT ON CONSTRAINT kept_names_pkey DO UPDATE SET holder = EXCLUDED.holder, expires_at = EXCLUDED.expires_at
  WHERE n.expires_at <= now OR n.holder = EXCLUDED.holder;
  RETURN FOUND;
END $$;
--> statement-breakpoint
-- Counts bytes of answers that came or went. A transaction has one share, and takes it last.
CREATE FUNCTION bursar.count_kept(more bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF more <> 0 THEN
    INSERT INTO bursar.kept_room AS r (share, bytes) VALUES (pg_backend_pid() % 16, more)
    ON CONFLICT ON CONSTRAINT kept_room_pkey DO UPDATE SET bytes = r.bytes + EXCLUDED.bytes;
  END IF;
END $$;
--> statement-breakpoint
-- Claims the key of a call, or tells what there is. Who claims a key that another is just claiming waits for that one to end. A
-- claim is written again for its own holder, who did not hear that it was. Of more keys than a caller may have, the oldest that
-- were done go; where none was, this one is not taken.
CREATE FUNCTION bursar.claim_call(given jsonb) RETURNS jsonb LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
  now constant bigint := given ->> 'now';
  room constant bigint := given ->> 'keys';
  c constant bursar.kept_calls := jsonb_populate_record(NULL::bursar.kept_calls, given);
  there bursar.kept_calls;
  over bigint;
  went bigint;
  gone bigint := 0;
BEGIN
  LOOP
    DELETE FROM bursar.kept_calls k WHERE k.caller = c.caller AND k.key = c.key AND k.expires_at <= now
    RETURNING k.bytes INTO went;
    gone := gone + coalesce(went, 0);
    INSERT INTO bursar.kept_calls AS k (caller, key, asked, holder, busy_until, expires_at, bytes)
    VALUES (c.caller, c.key, c.asked, c.holder, c.busy_until, c.expires_at, 0)
    ON CONFLICT ON CONSTRAINT kept_calls_pkey DO UPDATE SET busy_until = EXCLUDED.busy_until
    WHERE k.holder = EXCLUDED.holder AND k.answer IS NULL;
    EXIT WHEN FOUND;
    SELECT * INTO there FROM bursar.kept_calls k WHERE k.caller = c.caller AND k.key = c.key AND k.expires_at > now;
    IF FOUND THEN
      PERFORM bursar.count_kept(-gone);
      RETURN to_jsonb(there) || '{"state": "taken"}';
    END IF;
  END LOOP;
  WITH ended AS (
    DELETE FROM bursar.kept_calls k USING (
      SELECT o.caller, o.key FROM bursar.kept_calls o WHERE o.expires_at <= now
      ORDER BY o.expires_at LIMIT (given ->> 'swept')::bigint FOR UPDATE SKIP LOCKED) o
    WHERE k.caller = o.caller AND k.key = o.key RETURNING k.bytes)
  SELECT gone + coalesce(sum(bytes), 0) INTO gone FROM ended;
  SELECT count(*) - room INTO over FROM (
    SELECT FROM bursar.kept_calls k WHERE k.caller = c.caller LIMIT room + (given ->> 'swept')::bigint) held;
  IF over > 0 THEN
    WITH old AS (
      DELETE FROM bursar.kept_calls k USING (
        SELECT o.key FROM bursar.kept_calls o WHERE o.caller = c.caller AND o.answer IS NOT NULL
        ORDER BY o.expires_at, o.key LIMIT over FOR UPDATE SKIP LOCKED) o
      WHERE k.caller = c.caller AND k.key = o.key RETURNING k.bytes)
    SELECT gone + coalesce(sum(bytes), 0), over - count(*) INTO gone, over FROM old;
  END IF;
  IF over > 0 THEN
    DELETE FROM bursar.kept_calls k WHERE k.caller = c.caller AND k.key = c.key;
  END IF;
  PERFORM bursar.count_kept(-gone);
  RETURN jsonb_build_object('state', CASE WHEN over > 0 THEN 'full' ELSE 'mine' END);
END $$;
--> statement-breakpoint
-- Keeps the answer of a call; an empty one: that it was done. Where the answers of a caller, or of all, take more than there is
-- room for, the oldest of them go; that those calls were done stays.
CREATE FUNCTION bursar.keep_call(given jsonb) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
  who constant text := given ->> 'caller';
  said constant text := given ->> 'answer';
  more bigint;
  over bigint;
  oldest record;
BEGIN
  UPDATE bursar.kept_calls k SET answer = said, bytes = octet_length(said)
  WHERE k.caller = who AND k.key = given ->> 'key' AND k.holder = given ->> 'holder' AND k.answer IS NULL;
  IF NOT FOUND OR said = '' THEN RETURN; END IF;
  WITH old AS (
    SELECT k.key, k.bytes FROM bursar.kept_calls k JOIN (
      SELECT o.key, sum(o.bytes) OVER (ORDER BY o.expires_at DESC, o.key DESC) AS taken
      FROM bursar.kept_calls o WHERE o.caller = who) o ON o.key = k.key
    WHERE k.caller = who AND k.bytes > 0 AND o.taken > (given ->> 'bytes')::bigint FOR UPDATE OF k SKIP LOCKED),
  emptied AS (
    UPDATE bursar.kept_calls k SET answer = '', bytes = 0 FROM old WHERE k.caller = who AND k.key = old.key RETURNING old.bytes)
  SELECT octet_length(said) - coalesce(sum(bytes), 0) INTO more FROM emptied;
  SELECT coalesce(sum(bytes), 0) + more - (given ->> 'all_bytes')::bigint INTO over FROM bursar.kept_room;
  WHILE over > 0 LOOP
    SELECT o.caller, o.key, o.bytes INTO oldest FROM bursar.kept_calls o WHERE o.bytes > 0
    ORDER BY o.expires_at, o.bytes LIMIT 1 FOR UPDATE SKIP LOCKED;
    EXIT WHEN NOT FOUND;
    UPDATE bursar.kept_calls k SET answer = '', bytes = 0 WHERE k.caller = oldest.caller AND k.key = oldest.key;
    over := over - oldest.bytes;
    more := more - oldest.bytes;
  END LOOP;
  PERFORM bursar.count_kept(more);
END $$;
--> statement-breakpoint
-- Gives back a key whose call was not done.
CREATE FUNCTION bursar.drop_call(given jsonb) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
BEGIN
  DELETE FROM bursar.kept_calls k
  WHERE k.caller = given ->> 'caller' AND k.key = given ->> 'key' AND k.holder = given ->> 'holder' AND k.answer IS NULL;
END $$;
--> statement-breakpoint
ALTER FUNCTION bursar.grant_to(name) RENAME TO grant_books_to;
--> statement-breakpoint
-- What a node of bursar may do, for a role that does not own the tables: all that it could, and to let go of what is only
-- remembered. To be called by the owner after the last migration.
CREATE FUNCTION bursar.grant_to(role name) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM bursar.grant_books_to(role);
  EXECUTE format('GRANT INSERT, UPDATE, DELETE ON bursar.kept_calls, bursar.kept_names TO %I', role);
  EXECUTE format('GRANT INSERT, UPDATE ON bursar.kept_room TO %I', role);
END $$;
--> statement-breakpoint
REVOKE ALL ON ALL ROUTINES IN SCHEMA bursar FROM PUBLIC;
