-- The sandbox card network's own books, apart from bursar's: what SQLite has in a file of its own
-- (src/rails/card/sandbox/schema.ts), with the same columns, so that it is one network for all nodes. No money is in it.
-- Amounts are integers in smallest units; times are milliseconds since the epoch. Nothing is ever deleted.

CREATE SCHEMA sandbox_cards;
--> statement-breakpoint
REVOKE ALL ON SCHEMA sandbox_cards FROM PUBLIC;
--> statement-breakpoint
-- The network's name, made by the first node that opens it, so that a copy of an empty database is another network.
CREATE TABLE sandbox_cards.network (
  only_row bigint CONSTRAINT network_pkey PRIMARY KEY CONSTRAINT network_only_row_check CHECK (only_row = 1),
  id text COLLATE "C" NOT NULL
);
--> statement-breakpoint
CREATE TABLE sandbox_cards.cards (
  id text COLLATE "C" CONSTRAINT cards_pkey PRIMARY KEY,
  instrument_id text COLLATE "C" NOT NULL CONSTRAINT cards_instrument_id_key UNIQUE,
  pan text COLLATE "C" NOT NULL CONSTRAINT cards_pan_key UNIQUE CONSTRAINT cards_pan_check CHECK (length(pan) = 16),
  terms text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL CONSTRAINT cards_status_check CHECK (status IN ('active', 'frozen', 'closed')),
  currency text COLLATE "C" NOT NULL,
  all_time bigint NOT NULL CONSTRAINT cards_all_time_check CHECK (all_time > 0),
  per_authorization bigint CONSTRAINT cards_per_authorization_check CHECK (per_authorization > 0),
  payment_count bigint CONSTRAINT cards_payment_count_check CHECK (payment_count > 0),
  expires_at bigint NOT NULL,
  allowed_categories text COLLATE "C",
  allowed_countries text COLLATE "C",
  allowed_merchants text COLLATE "C",
  spent bigint NOT NULL DEFAULT 0 CONSTRAINT cards_spent_check CHECK (spent >= 0),
  payments bigint NOT NULL DEFAULT 0 CONSTRAINT cards_payments_check CHECK (payments >= 0)
) WITH (fillfactor = 70);
--> statement-breakpoint
CREATE TABLE sandbox_cards.authorizations (
  payment_id text COLLATE "C" CONSTRAINT authorizations_pkey PRIMARY KEY,
  id text COLLATE "C" NOT NULL CONSTRAINT authorizations_id_key UNIQUE,
  card_id text COLLATE "C" CONSTRAINT authorizations_card_id_fkey REFERENCES sandbox_cards.cards (id),
  terms text COLLATE "C" NOT NULL,
  currency text COLLATE "C" NOT NULL,
  merchant_name text COLLATE "C" NOT NULL,
  category text COLLATE "C" NOT NULL,
  country text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL
    CONSTRAINT authorizations_status_check CHECK (status IN ('pending', 'closed', 'reversed', 'expired', 'declined')),
  decline_code text COLLATE "C"
    CONSTRAINT authorizations_decline_code_check CHECK (decline_code IN (
      'invalid_card', 'card_canceled', 'card_expired', 'card_inactive', 'authorization_expired', 'invalid_currency',
      'merchant_category_blocked', 'merchant_country_blocked', 'merchant_blocked', 'spending_controls',
      'payment_count_exceeded', 'insufficient_funds', 'suspected_fraud', 'do_not_honor', 'issuer_unavailable'
    )),
  authorized bigint NOT NULL
    CONSTRAINT authorizations_authorized_check CHECK (authorized BETWEEN 0 AND 1000000000000000),
  captured bigint NOT NULL CONSTRAINT authorizations_captured_check CHECK (captured >= 0),
  forced bigint NOT NULL CONSTRAINT authorizations_forced_check CHECK (forced >= 0),
  released bigint NOT NULL CONSTRAINT authorizations_released_check CHECK (released >= 0),
  refunded bigint NOT NULL
    CONSTRAINT authorizations_refunded_check CHECK (refunded BETWEEN 0 AND captured + forced),
  seq bigint NOT NULL CONSTRAINT authorizations_seq_key UNIQUE,
  CONSTRAINT authorizations_hold_check CHECK (captured + released <= authorized),
  CONSTRAINT authorizations_ended_check CHECK (status = 'pending' OR captured + released = authorized),
  CONSTRAINT authorizations_code_check CHECK ((status = 'declined') = (decline_code IS NOT NULL)),
  CONSTRAINT authorizations_nothing_check CHECK (status <> 'declined' OR (authorized = 0 AND forced = 0)),
  CONSTRAINT authorizations_card_check CHECK (status = 'declined' OR card_id IS NOT NULL)
);
--> statement-breakpoint
-- Each message of a merchant once, however often the network brings it.
CREATE TABLE sandbox_cards.messages (
  payment_id text COLLATE "C" NOT NULL
    CONSTRAINT messages_payment_id_fkey REFERENCES sandbox_cards.authorizations (payment_id),
  message_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL
    CONSTRAINT messages_kind_check CHECK (kind IN ('capture', 'reverse', 'refund', 'force_post', 'expire')),
  amount bigint NOT NULL CONSTRAINT messages_amount_check CHECK (amount >= 0),
  closes bigint NOT NULL CONSTRAINT messages_closes_check CHECK (closes IN (0, 1)),
  CONSTRAINT messages_pkey PRIMARY KEY (payment_id, message_id)
);
--> statement-breakpoint
-- Messages under way, taken in order when their time has come.
CREATE TABLE sandbox_cards.schedule (
  n bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT schedule_pkey PRIMARY KEY,
  payment_id text COLLATE "C" NOT NULL
    CONSTRAINT schedule_payment_id_fkey REFERENCES sandbox_cards.authorizations (payment_id),
  message_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  amount bigint NOT NULL,
  closes bigint NOT NULL,
  due_at bigint NOT NULL,
  taken boolean NOT NULL DEFAULT false
);
--> statement-breakpoint
CREATE INDEX schedule_by_time ON sandbox_cards.schedule (due_at, n) WHERE NOT taken;
--> statement-breakpoint
-- Payments whose first request the network lost.
CREATE TABLE sandbox_cards.lost_requests (
  payment_id text COLLATE "C" CONSTRAINT lost_requests_pkey PRIMARY KEY
);
--> statement-breakpoint
CREATE SEQUENCE sandbox_cards.changes AS bigint NO CYCLE;
--> statement-breakpoint
-- The next place in the order of changes. Writers go side by side, so a later place may be seen before an earlier one: the
-- lock, which each of them keeps until its transaction has ended, is what a reader waits for.
CREATE FUNCTION sandbox_cards.next_seq() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_catalog.pg_advisory_xact_lock_shared(pg_catalog.hashtextextended('sandbox_cards:changes', 0));
  RETURN pg_catalog.nextval('sandbox_cards.changes'::pg_catalog.regclass);
END $$;
--> statement-breakpoint
-- When it returns, whoever has been given a place has ended: what the next statement of a READ COMMITTED transaction does not
-- see has a place after all that it sees.
CREATE FUNCTION sandbox_cards.settle_seq() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('sandbox_cards:changes', 0));
END $$;
--> statement-breakpoint
ALTER FUNCTION bursar.grant_to(name) RENAME TO grant_bursar_to;
--> statement-breakpoint
-- What a node of bursar may do, for a role that does not own the tables: in bursar's own books, and in those of the sandbox
-- card network. To be called by the owner after the last migration.
CREATE FUNCTION bursar.grant_to(role name) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM bursar.grant_bursar_to(role);
  REVOKE ALL ON ALL ROUTINES IN SCHEMA sandbox_cards FROM PUBLIC;
  EXECUTE format('REVOKE ALL ON SCHEMA sandbox_cards FROM %I', role);
  EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA sandbox_cards FROM %I', role);
  EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA sandbox_cards FROM %I', role);
  EXECUTE format('GRANT USAGE ON SCHEMA sandbox_cards TO %I', role);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA sandbox_cards TO %I', role);
  EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA sandbox_cards TO %I', role);
  EXECUTE format('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA sandbox_cards TO %I', role);
END $$;
--> statement-breakpoint
REVOKE ALL ON ALL ROUTINES IN SCHEMA bursar, sandbox_cards FROM PUBLIC;
