-- The purse in PostgreSQL. The tables are those of `drizzle/sqlite`, with the same names of columns in the same order. Every
-- rule that the program decides by stands here a second time, so that a bug or injected SQL cannot commit what was not
-- allowed. Amounts are integers in smallest units; times are milliseconds since the epoch. Text is compared byte by byte
-- (COLLATE "C"), and every name is qualified, so that neither the locale nor a search_path nor a temporary table matters.
-- What is read by events alone is jsonb; what is hashed or compared byte by byte stays text.

CREATE SCHEMA IF NOT EXISTS bursar;
--> statement-breakpoint
REVOKE ALL ON SCHEMA bursar FROM PUBLIC;
--> statement-breakpoint
-- How many migrations have been applied: one row, kept by the program.
CREATE TABLE bursar.schema_version (
  version integer NOT NULL CONSTRAINT schema_version_version_check CHECK (version > 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX schema_version_is_one ON bursar.schema_version ((true));
--> statement-breakpoint
CREATE TABLE bursar.instance (
  id text COLLATE "C" CONSTRAINT instance_pkey PRIMARY KEY,
  created_at bigint NOT NULL,
  frozen boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE bursar.owners (
  id text COLLATE "C" CONSTRAINT owners_pkey PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  public_key text COLLATE "C" NOT NULL CONSTRAINT owners_public_key_key UNIQUE,
  created_at bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE bursar.agents (
  id text COLLATE "C" CONSTRAINT agents_pkey PRIMARY KEY,
  name text COLLATE "C" NOT NULL CONSTRAINT agents_name_key UNIQUE,
  key_hash text COLLATE "C"
    CONSTRAINT agents_key_hash_key UNIQUE
    CONSTRAINT agents_key_hash_check CHECK (key_hash IS NULL OR length(key_hash) = 64),
  status text COLLATE "C" NOT NULL CONSTRAINT agents_status_check CHECK (status IN ('active', 'revoked')),
  created_at bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE bursar.wallets (
  id text COLLATE "C" CONSTRAINT wallets_pkey PRIMARY KEY,
  name text COLLATE "C" NOT NULL CONSTRAINT wallets_name_key UNIQUE,
  owner_id text COLLATE "C" NOT NULL CONSTRAINT wallets_owner_id_fkey REFERENCES bursar.owners (id),
  agent_id text COLLATE "C" CONSTRAINT wallets_agent_id_fkey REFERENCES bursar.agents (id),
  mode text COLLATE "C" NOT NULL CONSTRAINT wallets_mode_check CHECK (mode IN ('sandbox', 'live')),
  currency text COLLATE "C" NOT NULL,
  decimals bigint NOT NULL CONSTRAINT wallets_decimals_check CHECK (decimals BETWEEN 0 AND 9),
  time_zone text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL CONSTRAINT wallets_status_check CHECK (status IN ('active', 'frozen')),
  approvals jsonb NOT NULL,
  created_at bigint NOT NULL,
  asset text COLLATE "C",
  account text COLLATE "C",
  relayer text COLLATE "C",
  confirmations jsonb NOT NULL,
  allows jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE bursar.accounts (
  wallet_id text COLLATE "C"
    CONSTRAINT accounts_pkey PRIMARY KEY CONSTRAINT accounts_wallet_id_fkey REFERENCES bursar.wallets (id),
  available bigint NOT NULL CONSTRAINT accounts_available_check CHECK (available >= 0),
  held bigint NOT NULL CONSTRAINT accounts_held_check CHECK (held >= 0),
  external bigint NOT NULL,
  overdrawn bigint NOT NULL CONSTRAINT accounts_overdrawn_check CHECK (overdrawn <= 0),
  CONSTRAINT accounts_balance_check CHECK (available + held + external + overdrawn = 0)
) WITH (fillfactor = 70);
--> statement-breakpoint
CREATE TABLE bursar.entries (
  journal text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  n bigint NOT NULL,
  wallet_id text COLLATE "C" NOT NULL CONSTRAINT entries_wallet_id_fkey REFERENCES bursar.wallets (id),
  payment_id text COLLATE "C",
  kind text COLLATE "C" NOT NULL
    CONSTRAINT entries_kind_check CHECK (kind IN ('fund', 'hold', 'capture', 'void', 'refund', 'forced')),
  debit text COLLATE "C" NOT NULL
    CONSTRAINT entries_debit_check CHECK (debit IN ('available', 'held', 'external', 'overdrawn')),
  credit text COLLATE "C" NOT NULL
    CONSTRAINT entries_credit_check CHECK (
      credit IN ('available', 'held', 'external', 'overdrawn') AND credit <> debit
    ),
  amount bigint NOT NULL CONSTRAINT entries_amount_check CHECK (amount > 0),
  CONSTRAINT entries_pkey PRIMARY KEY (journal, seq, n)
);
--> statement-breakpoint
CREATE TABLE bursar.limits (
  id text COLLATE "C" CONSTRAINT limits_pkey PRIMARY KEY,
  wallet_id text COLLATE "C" NOT NULL CONSTRAINT limits_wallet_id_fkey REFERENCES bursar.wallets (id),
  scope text COLLATE "C" NOT NULL
    CONSTRAINT limits_scope_check CHECK (
      scope IN ('wallet', 'agent', 'instrument', 'session', 'payee', 'category', 'protocol')
    ),
  scope_value text COLLATE "C",
  "window" text COLLATE "C" NOT NULL
    CONSTRAINT limits_window_check CHECK ("window" IN ('payment', 'session', 'hour', 'day', 'week', 'month', 'total')),
  max_amount bigint CONSTRAINT limits_max_amount_check CHECK (max_amount >= 0),
  max_count bigint CONSTRAINT limits_max_count_check CHECK (max_count >= 0),
  over text COLLATE "C" NOT NULL CONSTRAINT limits_over_check CHECK (over IN ('deny', 'ask')),
  created_at bigint NOT NULL,
  removed_at bigint,
  CONSTRAINT limits_max_check CHECK (max_amount IS NOT NULL OR max_count IS NOT NULL)
);
--> statement-breakpoint
CREATE TABLE bursar.counters (
  limit_id text COLLATE "C" NOT NULL CONSTRAINT counters_limit_id_fkey REFERENCES bursar.limits (id),
  scope_value text COLLATE "C" NOT NULL,
  window_key text COLLATE "C" NOT NULL,
  amount bigint NOT NULL CONSTRAINT counters_amount_check CHECK (amount >= 0),
  count bigint NOT NULL CONSTRAINT counters_count_check CHECK (count >= 0),
  forced bigint NOT NULL CONSTRAINT counters_forced_check CHECK (forced >= 0),
  CONSTRAINT counters_pkey PRIMARY KEY (limit_id, scope_value, window_key)
) WITH (fillfactor = 70);
--> statement-breakpoint
CREATE TABLE bursar.approvals (
  id text COLLATE "C" CONSTRAINT approvals_pkey PRIMARY KEY,
  subject_id text COLLATE "C" NOT NULL CONSTRAINT approvals_subject_id_key UNIQUE,
  wallet_id text COLLATE "C" NOT NULL CONSTRAINT approvals_wallet_id_fkey REFERENCES bursar.wallets (id),
  digest text COLLATE "C" NOT NULL CONSTRAINT approvals_digest_check CHECK (length(digest) = 64),
  needs text COLLATE "C" NOT NULL
    CONSTRAINT approvals_needs_check CHECK (needs IN ('none', 'host', 'operator', 'passkey')),
  status text COLLATE "C" NOT NULL
    CONSTRAINT approvals_status_check CHECK (status IN ('waiting', 'approved', 'denied', 'expired', 'canceled')),
  asked text COLLATE "C",
  assurance text COLLATE "C"
    CONSTRAINT approvals_assurance_check CHECK (assurance IN ('none', 'host', 'operator', 'passkey')),
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  answered_at bigint,
  reason_ref text COLLATE "C",
  owners bigint NOT NULL CONSTRAINT approvals_owners_check CHECK (owners IN (1, 2)),
  -- A yes is at least as sure as the amount deserves, and came in time.
  CONSTRAINT approvals_yes_check CHECK (status <> 'approved' OR (
    assurance IS NOT NULL AND answered_at IS NOT NULL AND answered_at < expires_at
    AND strpos('none host operator passkey', assurance) >= strpos('none host operator passkey', needs)
  ))
);
--> statement-breakpoint
CREATE TABLE bursar.requests (
  id text COLLATE "C" CONSTRAINT requests_pkey PRIMARY KEY,
  wallet_id text COLLATE "C" NOT NULL CONSTRAINT requests_wallet_id_fkey REFERENCES bursar.wallets (id),
  agent_id text COLLATE "C" NOT NULL CONSTRAINT requests_agent_id_fkey REFERENCES bursar.agents (id),
  session_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C",
  currency text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL CONSTRAINT requests_type_check CHECK (type IN ('virtual_card', 'usdc')),
  amount bigint NOT NULL CONSTRAINT requests_amount_check CHECK (amount > 0),
  usage_limit bigint CONSTRAINT requests_usage_limit_check CHECK (usage_limit > 0),
  per_payment_max bigint CONSTRAINT requests_per_payment_max_check CHECK (per_payment_max > 0),
  expires_in_ms bigint NOT NULL CONSTRAINT requests_expires_in_ms_check CHECK (expires_in_ms > 0),
  constraints jsonb NOT NULL,
  purpose_ref text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL
    CONSTRAINT requests_status_check CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'canceled')),
  refusal jsonb,
  instrument_id text COLLATE "C",
  created_at bigint NOT NULL,
  fingerprint text COLLATE "C" NOT NULL
);
--> statement-breakpoint
CREATE TABLE bursar.instruments (
  id text COLLATE "C" CONSTRAINT instruments_pkey PRIMARY KEY,
  request_id text COLLATE "C" NOT NULL
    CONSTRAINT instruments_request_id_key UNIQUE CONSTRAINT instruments_request_id_fkey REFERENCES bursar.requests (id),
  wallet_id text COLLATE "C" NOT NULL CONSTRAINT instruments_wallet_id_fkey REFERENCES bursar.wallets (id),
  agent_id text COLLATE "C" NOT NULL CONSTRAINT instruments_agent_id_fkey REFERENCES bursar.agents (id),
  type text COLLATE "C" NOT NULL,
  amount bigint NOT NULL CONSTRAINT instruments_amount_check CHECK (amount > 0),
  remaining bigint NOT NULL CONSTRAINT instruments_remaining_check CHECK (remaining BETWEEN 0 AND amount),
  usage_limit bigint CONSTRAINT instruments_usage_limit_check CHECK (usage_limit > 0),
  usage_consumed bigint NOT NULL
    CONSTRAINT instruments_usage_consumed_check CHECK (
      usage_consumed >= 0 AND (usage_limit IS NULL OR usage_consumed <= usage_limit)
    ),
  per_payment_max bigint CONSTRAINT instruments_per_payment_max_check CHECK (per_payment_max > 0),
  constraints jsonb NOT NULL,
  expires_at bigint NOT NULL,
  status text COLLATE "C" NOT NULL
    CONSTRAINT instruments_status_check CHECK (
      status IN ('active', 'frozen', 'limit_reached', 'expired', 'revoked', 'returned')
    ),
  rail_ref text COLLATE "C",
  display text COLLATE "C",
  rail_status text COLLATE "C"
    CONSTRAINT instruments_rail_status_check CHECK (rail_status IN ('active', 'frozen', 'closed')),
  created_at bigint NOT NULL
) WITH (fillfactor = 70);
--> statement-breakpoint
CREATE TABLE bursar.payments (
  id text COLLATE "C" CONSTRAINT payments_pkey PRIMARY KEY,
  wallet_id text COLLATE "C" CONSTRAINT payments_wallet_id_fkey REFERENCES bursar.wallets (id),
  instrument_id text COLLATE "C" CONSTRAINT payments_instrument_id_fkey REFERENCES bursar.instruments (id),
  agent_id text COLLATE "C" NOT NULL CONSTRAINT payments_agent_id_fkey REFERENCES bursar.agents (id),
  session_id text COLLATE "C" NOT NULL,
  task_id text COLLATE "C",
  protocol text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL
    CONSTRAINT payments_status_check CHECK (status IN ('refused', 'awaiting_approval', 'authorized', 'in_doubt',
      'captured', 'voided', 'denied', 'expired', 'canceled', 'partially_refunded', 'refunded')),
  amount bigint CONSTRAINT payments_amount_check CHECK (amount > 0),
  held bigint NOT NULL CONSTRAINT payments_held_check CHECK (held >= 0 AND held <= amount),
  captured bigint NOT NULL CONSTRAINT payments_captured_check CHECK (captured >= 0 AND captured - forced <= amount),
  refunded bigint NOT NULL CONSTRAINT payments_refunded_check CHECK (refunded BETWEEN 0 AND captured),
  forced bigint NOT NULL CONSTRAINT payments_forced_check CHECK (forced BETWEEN 0 AND captured),
  payee jsonb NOT NULL,
  payee_key text COLLATE "C" NOT NULL,
  purpose_ref text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C",
  refusal jsonb,
  counted jsonb NOT NULL,
  valid_until bigint NOT NULL,
  rail_ref text COLLATE "C",
  refund_asked jsonb,
  created_at bigint NOT NULL,
  authorized_at bigint,
  updated_at bigint NOT NULL,
  seq bigint NOT NULL,
  credentials jsonb NOT NULL,
  -- Only a refused attempt may name no instrument of the agent's, or no amount.
  CONSTRAINT payments_terms_check CHECK (
    status = 'refused' OR (wallet_id IS NOT NULL AND instrument_id IS NOT NULL AND amount IS NOT NULL)
  ),
  CONSTRAINT payments_refusal_check CHECK ((status = 'refused') <= (refusal IS NOT NULL)),
  CONSTRAINT payments_open_check CHECK (status IN ('authorized', 'in_doubt') OR held = 0),
  CONSTRAINT payments_moved_check CHECK (status NOT IN ('captured', 'partially_refunded', 'refunded') OR captured > 0)
);
--> statement-breakpoint
CREATE TABLE bursar.rails (
  id text COLLATE "C"
    CONSTRAINT rails_pkey PRIMARY KEY CONSTRAINT rails_id_check CHECK (id IN ('virtual_card', 'usdc')),
  cursor text COLLATE "C" NOT NULL
);
--> statement-breakpoint
CREATE TABLE bursar.events (
  journal text COLLATE "C" NOT NULL,
  seq bigint NOT NULL CONSTRAINT events_seq_check CHECK (seq >= 0),
  type text COLLATE "C" NOT NULL,
  body text COLLATE "C" NOT NULL CONSTRAINT events_body_check CHECK (body::json IS NOT NULL),
  leaf bytea NOT NULL CONSTRAINT events_leaf_check CHECK (length(leaf) = 32),
  CONSTRAINT events_pkey PRIMARY KEY (journal, seq)
);
--> statement-breakpoint
CREATE TABLE bursar.heads (
  journal text COLLATE "C" CONSTRAINT heads_pkey PRIMARY KEY,
  size bigint NOT NULL CONSTRAINT heads_size_check CHECK (size > 0),
  frontier bytea NOT NULL CONSTRAINT heads_frontier_check CHECK (length(frontier) % 32 = 0),
  checkpoint text COLLATE "C" NOT NULL,
  -- Made with a secret of the journal's key: history that was written without it is never continued.
  mac bytea NOT NULL CONSTRAINT heads_mac_check CHECK (length(mac) = 32)
) WITH (fillfactor = 70);
--> statement-breakpoint
CREATE TABLE bursar.texts (
  digest text COLLATE "C" CONSTRAINT texts_pkey PRIMARY KEY CONSTRAINT texts_digest_check CHECK (length(digest) = 64),
  salt text COLLATE "C" NOT NULL,
  text text COLLATE "C"
);
--> statement-breakpoint
CREATE TABLE bursar.transfers (
  payment_id text COLLATE "C"
    CONSTRAINT transfers_pkey PRIMARY KEY CONSTRAINT transfers_payment_id_fkey REFERENCES bursar.payments (id),
  wallet_id text COLLATE "C" NOT NULL CONSTRAINT transfers_wallet_id_fkey REFERENCES bursar.wallets (id),
  asset text COLLATE "C" NOT NULL,
  from_address text COLLATE "C" NOT NULL CONSTRAINT transfers_from_address_check CHECK (length(from_address) = 42),
  to_address text COLLATE "C" NOT NULL CONSTRAINT transfers_to_address_check CHECK (length(to_address) = 42),
  value bigint NOT NULL CONSTRAINT transfers_value_check CHECK (value > 0),
  valid_before bigint NOT NULL,
  nonce text COLLATE "C" NOT NULL
    CONSTRAINT transfers_nonce_key UNIQUE CONSTRAINT transfers_nonce_check CHECK (length(nonce) = 66),
  signature text COLLATE "C" NOT NULL CONSTRAINT transfers_signature_check CHECK (length(signature) = 132),
  from_block bigint NOT NULL CONSTRAINT transfers_from_block_check CHECK (from_block >= 0),
  status text COLLATE "C" NOT NULL CONSTRAINT transfers_status_check CHECK (status IN ('open', 'final')),
  tx_hash text COLLATE "C",
  block bigint,
  void_proof bigint,
  signed_at bigint NOT NULL,
  kind text COLLATE "C" NOT NULL CONSTRAINT transfers_kind_check CHECK (kind IN ('eip3009', 'permit2')),
  facilitator text COLLATE "C"
    CONSTRAINT transfers_facilitator_check CHECK (
      (facilitator IS NULL) = (kind = 'eip3009') AND (facilitator IS NULL OR length(facilitator) = 42)
    ),
  moved bigint
    CONSTRAINT transfers_moved_check CHECK (
      (moved IS NULL) = (kind = 'eip3009' OR tx_hash IS NULL) AND (moved IS NULL OR moved BETWEEN 1 AND value)
    ),
  CONSTRAINT transfers_seen_check CHECK ((tx_hash IS NULL) = (block IS NULL)),
  -- It never moves once a finalized block is as late as its end; that is final.
  CONSTRAINT transfers_proof_check CHECK (void_proof IS NULL OR (void_proof >= valid_before AND status = 'final')),
  CONSTRAINT transfers_final_check CHECK (status = 'open' OR tx_hash IS NOT NULL OR void_proof IS NOT NULL)
);
--> statement-breakpoint
CREATE TABLE bursar.relayers (
  id text COLLATE "C" CONSTRAINT relayers_pkey PRIMARY KEY,
  daily_max bigint NOT NULL CONSTRAINT relayers_daily_max_check CHECK (daily_max >= 0)
);
--> statement-breakpoint
CREATE TABLE bursar.broadcasts (
  tx_hash text COLLATE "C"
    CONSTRAINT broadcasts_pkey PRIMARY KEY CONSTRAINT broadcasts_tx_hash_check CHECK (length(tx_hash) = 66),
  relayer text COLLATE "C" NOT NULL CONSTRAINT broadcasts_relayer_fkey REFERENCES bursar.relayers (id),
  relayer_nonce bigint NOT NULL CONSTRAINT broadcasts_relayer_nonce_check CHECK (relayer_nonce >= 0),
  payment_id text COLLATE "C" CONSTRAINT broadcasts_payment_id_fkey REFERENCES bursar.transfers (payment_id),
  raw text COLLATE "C" NOT NULL,
  max_fee bigint NOT NULL CONSTRAINT broadcasts_max_fee_check CHECK (max_fee >= 0),
  fee bigint CONSTRAINT broadcasts_fee_check CHECK (fee >= 0),
  -- Under another day it would be free of the limit of its own.
  day text COLLATE "C" NOT NULL CONSTRAINT broadcasts_day_check CHECK (
    day = to_char((make_date(1970, 1, 1) + (created_at / 86400000)::integer)::timestamp, 'YYYY-MM-DD')
  ),
  created_at bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE bursar.fee_days (
  relayer text COLLATE "C" NOT NULL CONSTRAINT fee_days_relayer_fkey REFERENCES bursar.relayers (id),
  day text COLLATE "C" NOT NULL CONSTRAINT fee_days_day_check CHECK (length(day) = 10),
  held bigint NOT NULL CONSTRAINT fee_days_held_check CHECK (held >= 0),
  spent bigint NOT NULL CONSTRAINT fee_days_spent_check CHECK (spent >= 0),
  CONSTRAINT fee_days_pkey PRIMARY KEY (relayer, day)
);
--> statement-breakpoint
CREATE TABLE bursar.deposits (
  wallet_id text COLLATE "C" NOT NULL CONSTRAINT deposits_wallet_id_fkey REFERENCES bursar.wallets (id),
  tx_hash text COLLATE "C" NOT NULL
    CONSTRAINT deposits_tx_hash_check CHECK (length(tx_hash) = 66 AND tx_hash = lower(tx_hash)),
  position bigint NOT NULL CONSTRAINT deposits_position_check CHECK (position >= 0),
  amount bigint NOT NULL CONSTRAINT deposits_amount_check CHECK (amount > 0),
  from_address text COLLATE "C" NOT NULL CONSTRAINT deposits_from_address_check CHECK (length(from_address) = 42),
  block bigint NOT NULL CONSTRAINT deposits_block_check CHECK (block >= 0),
  -- The place in the wallet's journal at which it was credited.
  seq bigint NOT NULL,
  CONSTRAINT deposits_pkey PRIMARY KEY (wallet_id, tx_hash, position)
);
--> statement-breakpoint
CREATE TABLE bursar.scans (
  wallet_id text COLLATE "C"
    CONSTRAINT scans_pkey PRIMARY KEY CONSTRAINT scans_wallet_id_fkey REFERENCES bursar.wallets (id),
  block bigint NOT NULL CONSTRAINT scans_block_check CHECK (block >= 0)
);
--> statement-breakpoint
CREATE TABLE bursar.known_payees (
  wallet_id text COLLATE "C" NOT NULL CONSTRAINT known_payees_wallet_id_fkey REFERENCES bursar.wallets (id),
  account text COLLATE "C" NOT NULL,
  -- What is seen of an address at a glance: its first and last four digits.
  shape text COLLATE "C" NOT NULL CONSTRAINT known_payees_shape_check CHECK (
    shape = lower(left(right(account, 40), 4)) || '…' || lower(right(account, 4))
  ),
  payments bigint NOT NULL CONSTRAINT known_payees_payments_check CHECK (payments > 0),
  CONSTRAINT known_payees_pkey PRIMARY KEY (wallet_id, account)
);
--> statement-breakpoint
CREATE TABLE bursar.purchases (
  payment_id text COLLATE "C"
    CONSTRAINT purchases_pkey PRIMARY KEY
    CONSTRAINT purchases_payment_id_fkey REFERENCES bursar.payments (id) DEFERRABLE INITIALLY DEFERRED,
  resource_ref text COLLATE "C" NOT NULL,
  value bigint CONSTRAINT purchases_value_check CHECK (value > 0),
  version bigint CONSTRAINT purchases_version_check CHECK (version IN (1, 2)),
  flow text COLLATE "C" CONSTRAINT purchases_flow_check CHECK (flow IN ('authorization', 'upfront')),
  header text COLLATE "C" CONSTRAINT purchases_header_check CHECK (length(header) <= 16384),
  http_status bigint,
  delivered_at bigint,
  -- Who alone may settle what is signed for a maximum; null: what is signed is exactly the price.
  facilitator text COLLATE "C" CONSTRAINT purchases_facilitator_check CHECK (length(facilitator) = 42),
  CONSTRAINT purchases_whole_check CHECK ((header IS NULL) = (version IS NULL) AND (header IS NULL) = (flow IS NULL)),
  CONSTRAINT purchases_answer_check CHECK (header IS NOT NULL OR (http_status IS NULL AND delivered_at IS NULL)),
  CONSTRAINT purchases_delivery_check CHECK (delivered_at IS NULL OR coalesce(http_status, 0) BETWEEN 200 AND 299)
);
--> statement-breakpoint
CREATE TABLE bursar.credentials (
  id text COLLATE "C" CONSTRAINT credentials_pkey PRIMARY KEY,
  agent_id text COLLATE "C" NOT NULL CONSTRAINT credentials_agent_id_fkey REFERENCES bursar.agents (id),
  parent_id text COLLATE "C" CONSTRAINT credentials_parent_id_fkey REFERENCES bursar.credentials (id),
  key_hash text COLLATE "C"
    CONSTRAINT credentials_key_hash_key UNIQUE CONSTRAINT credentials_key_hash_check CHECK (length(key_hash) = 64),
  issuer text COLLATE "C",
  subject text COLLATE "C",
  audience text COLLATE "C",
  jwks_uri text COLLATE "C",
  scopes jsonb NOT NULL,
  instruments jsonb,
  max_amount bigint CONSTRAINT credentials_max_amount_check CHECK (max_amount > 0),
  currency text COLLATE "C",
  spent bigint NOT NULL CONSTRAINT credentials_spent_check CHECK (spent >= 0),
  label text COLLATE "C",
  created_at bigint NOT NULL,
  expires_at bigint,
  revoked_at bigint,
  CONSTRAINT credentials_budget_check CHECK (max_amount IS NULL OR spent <= max_amount),
  CONSTRAINT credentials_budget_currency_check CHECK ((max_amount IS NULL) = (currency IS NULL)),
  CONSTRAINT credentials_key_or_token_check CHECK ((key_hash IS NULL) = (issuer IS NOT NULL)),
  CONSTRAINT credentials_token_check CHECK (
    (issuer IS NULL) = (subject IS NULL) AND (issuer IS NULL) = (audience IS NULL) AND (issuer IS NULL) = (jwks_uri IS NULL)
  ),
  -- What an agent mints is a key, and ends by itself.
  CONSTRAINT credentials_minted_check CHECK (parent_id IS NULL OR (key_hash IS NOT NULL AND expires_at IS NOT NULL))
) WITH (fillfactor = 70);
--> statement-breakpoint
CREATE TABLE bursar.passkeys (
  id text COLLATE "C" CONSTRAINT passkeys_pkey PRIMARY KEY,
  owner_id text COLLATE "C" NOT NULL CONSTRAINT passkeys_owner_id_fkey REFERENCES bursar.owners (id),
  public_key text COLLATE "C" NOT NULL CONSTRAINT passkeys_public_key_key UNIQUE,
  rp_id text COLLATE "C" NOT NULL,
  origin text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  synced boolean NOT NULL,
  transports jsonb NOT NULL,
  created_at bigint NOT NULL,
  revoked_at bigint
);
--> statement-breakpoint
CREATE TABLE bursar.invitations (
  code_hash text COLLATE "C"
    CONSTRAINT invitations_pkey PRIMARY KEY CONSTRAINT invitations_code_hash_check CHECK (length(code_hash) = 64),
  owner_id text COLLATE "C" NOT NULL CONSTRAINT invitations_owner_id_fkey REFERENCES bursar.owners (id),
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  used_at bigint CONSTRAINT invitations_used_at_check CHECK (used_at < expires_at)
);
--> statement-breakpoint
CREATE TABLE bursar.answers (
  approval_id text COLLATE "C" NOT NULL CONSTRAINT answers_approval_id_fkey REFERENCES bursar.approvals (id),
  owner_id text COLLATE "C" NOT NULL CONSTRAINT answers_owner_id_fkey REFERENCES bursar.owners (id),
  narrowed text COLLATE "C" NOT NULL CONSTRAINT answers_narrowed_check CHECK (narrowed::json IS NOT NULL),
  created_at bigint NOT NULL,
  CONSTRAINT answers_pkey PRIMARY KEY (approval_id, owner_id)
);
--> statement-breakpoint
CREATE TABLE bursar.notice_cursors (
  channel text COLLATE "C" NOT NULL,
  journal text COLLATE "C" NOT NULL,
  seq bigint NOT NULL CONSTRAINT notice_cursors_seq_check CHECK (seq >= 0),
  CONSTRAINT notice_cursors_pkey PRIMARY KEY (channel, journal)
);
--> statement-breakpoint
CREATE INDEX limits_of_wallet ON bursar.limits (wallet_id) WHERE removed_at IS NULL;
--> statement-breakpoint
CREATE INDEX approvals_waiting ON bursar.approvals (id) WHERE status = 'waiting';
--> statement-breakpoint
CREATE INDEX requests_of_agent ON bursar.requests (agent_id, id);
--> statement-breakpoint
CREATE INDEX instruments_of_agent ON bursar.instruments (agent_id, id);
--> statement-breakpoint
CREATE INDEX instruments_active ON bursar.instruments (id) WHERE status = 'active';
--> statement-breakpoint
CREATE INDEX payments_of_agent ON bursar.payments (agent_id, id);
--> statement-breakpoint
CREATE INDEX payments_same ON bursar.payments (agent_id, fingerprint, created_at)
WHERE status NOT IN ('refused', 'voided', 'expired', 'canceled');
--> statement-breakpoint
CREATE INDEX payments_same_undecided ON bursar.payments (agent_id, fingerprint, created_at)
WHERE status IN ('awaiting_approval', 'authorized', 'in_doubt');
--> statement-breakpoint
CREATE INDEX payments_by_key ON bursar.payments (agent_id, idempotency_key, id)
WHERE idempotency_key IS NOT NULL AND status NOT IN ('refused', 'voided', 'expired', 'canceled');
--> statement-breakpoint
CREATE INDEX payments_unsettled ON bursar.payments (id) WHERE status IN ('authorized', 'in_doubt');
--> statement-breakpoint
CREATE INDEX payments_unsettled_of ON bursar.payments (instrument_id) WHERE status IN ('authorized', 'in_doubt');
--> statement-breakpoint
CREATE UNIQUE INDEX wallets_by_account ON bursar.wallets (lower(account), lower(asset)) WHERE asset IS NOT NULL;
--> statement-breakpoint
CREATE INDEX transfers_open ON bursar.transfers (wallet_id) WHERE status = 'open';
--> statement-breakpoint
CREATE INDEX transfers_by_block ON bursar.transfers (wallet_id, block);
--> statement-breakpoint
CREATE INDEX transfers_by_payee ON bursar.transfers (wallet_id, to_address);
--> statement-breakpoint
CREATE INDEX broadcasts_of_payment ON bursar.broadcasts (payment_id);
--> statement-breakpoint
CREATE INDEX broadcasts_of_relayer ON bursar.broadcasts (relayer, relayer_nonce);
--> statement-breakpoint
CREATE INDEX broadcasts_open ON bursar.broadcasts (relayer, relayer_nonce) WHERE fee IS NULL;
--> statement-breakpoint
CREATE INDEX deposits_by_block ON bursar.deposits (wallet_id, block);
--> statement-breakpoint
CREATE UNIQUE INDEX deposits_by_seq ON bursar.deposits (wallet_id, seq);
--> statement-breakpoint
CREATE INDEX known_payees_by_shape ON bursar.known_payees (wallet_id, shape);
--> statement-breakpoint
CREATE INDEX credentials_of_agent ON bursar.credentials (agent_id, id);
--> statement-breakpoint
CREATE INDEX credentials_by_subject ON bursar.credentials (issuer, subject) WHERE issuer IS NOT NULL;
--> statement-breakpoint
CREATE INDEX credentials_minted ON bursar.credentials (parent_id, expires_at)
WHERE parent_id IS NOT NULL AND revoked_at IS NULL;
--> statement-breakpoint
CREATE INDEX payments_charged ON bursar.payments (agent_id)
WHERE status IN ('authorized', 'in_doubt') AND credentials <> '[]'::jsonb;
--> statement-breakpoint
CREATE INDEX passkeys_of_owner ON bursar.passkeys (owner_id) WHERE revoked_at IS NULL;
--> statement-breakpoint
CREATE INDEX invitations_used ON bursar.invitations (owner_id, used_at) WHERE used_at IS NOT NULL;
--> statement-breakpoint
CREATE INDEX payments_spent ON bursar.payments (wallet_id, authorized_at) WHERE captured > 0;
--> statement-breakpoint
CREATE INDEX requests_pending ON bursar.requests (agent_id, fingerprint, id) WHERE status = 'pending';
--> statement-breakpoint
CREATE INDEX requests_denied ON bursar.requests (agent_id, fingerprint, id) WHERE status = 'denied';
--> statement-breakpoint
CREATE INDEX payments_waiting ON bursar.payments (agent_id) WHERE status = 'awaiting_approval';
--> statement-breakpoint
CREATE INDEX requests_canceled ON bursar.requests (agent_id, created_at) WHERE status = 'canceled';
--> statement-breakpoint
CREATE INDEX payments_canceled ON bursar.payments (agent_id, created_at) WHERE status = 'canceled';
--> statement-breakpoint
CREATE INDEX payments_denied ON bursar.payments (agent_id, wallet_id, payee_key, amount, updated_at)
WHERE status = 'denied';
--> statement-breakpoint
-- Where SQLite has one writer at a time, two could each see that there is none yet.
CREATE UNIQUE INDEX instance_one ON bursar.instance ((true));
--> statement-breakpoint
CREATE UNIQUE INDEX credentials_live_subject ON bursar.credentials (issuer, subject)
WHERE issuer IS NOT NULL AND revoked_at IS NULL;
--> statement-breakpoint
-- The walls. They stand as in `drizzle/sqlite`, by the same names and with the same words, but for those that stop INSERT OR
-- REPLACE alone: here a key is a key, and ON CONFLICT DO UPDATE meets what stands before an UPDATE. An UPDATE may name every
-- column: values are compared, column by column, as a comparison of rows prints otherwise once it was dumped and restored. Rows
-- are neither deleted nor truncated.
-- What a wall reads of other rows is current for whoever holds the locks of a step; where two could write at once without
-- them, money is kept by checks of one row and by unique keys, which need no lock.
CREATE FUNCTION bursar.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END $$;
--> statement-breakpoint
-- A list of JSON, and an empty one for whatever is none.
CREATE FUNCTION bursar.items(list jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE pg_catalog.jsonb_typeof(list) WHEN 'array' THEN list ELSE '[]'::jsonb END;
--> statement-breakpoint
-- An object of JSON, and an empty one for whatever is none.
CREATE FUNCTION bursar.fields(object jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE pg_catalog.jsonb_typeof(object) WHEN 'object' THEN object ELSE '{}'::jsonb END;
--> statement-breakpoint
-- The chain that an asset is on, as `eip155:1` of `eip155:1/erc20:0x…`.
CREATE FUNCTION bursar.network_of(asset text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substr(asset, 1, greatest(strpos(asset, '/') - 1, 0));
--> statement-breakpoint
-- What is seen of an address at a glance: its first and last four digits.
CREATE FUNCTION bursar.shape_of(account text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(left(right(account, 40), 4) COLLATE "C") || '…' || lower(right(account, 4) COLLATE "C");
--> statement-breakpoint
-- The URL of a resource. What else its text says may have been cut in the middle of a character, or have U+0000 in it, which
-- PostgreSQL takes for no JSON: such escapes become a question mark, which is in no origin.
CREATE FUNCTION bursar.url_of(resource text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(resource, '(\\\\)|\\u(0000|[Dd][89A-Fa-f][0-9A-Fa-f]{2})', '\1?', 'g')::json ->> 'url';
--> statement-breakpoint
CREATE TRIGGER schema_version_remains BEFORE DELETE OR TRUNCATE ON bursar.schema_version
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: the version of the schema is never deleted');
--> statement-breakpoint
CREATE TRIGGER schema_version_advances BEFORE UPDATE ON bursar.schema_version
FOR EACH ROW WHEN (NEW.version < OLD.version)
EXECUTE FUNCTION bursar.refuse('bursar: a schema never goes back');
--> statement-breakpoint
CREATE FUNCTION bursar.instance_is_one() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bursar.instance)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER instance_is_one BEFORE INSERT ON bursar.instance
FOR EACH ROW
EXECUTE FUNCTION bursar.instance_is_one('bursar: there is one instance');
--> statement-breakpoint
CREATE TRIGGER instance_stays BEFORE UPDATE ON bursar.instance
FOR EACH ROW WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.created_at IS DISTINCT FROM OLD.created_at)
EXECUTE FUNCTION bursar.refuse('bursar: the instance stays the same');
--> statement-breakpoint
CREATE TRIGGER instance_remains BEFORE DELETE OR TRUNCATE ON bursar.instance
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: the instance is never deleted');
--> statement-breakpoint
CREATE TRIGGER owners_stay BEFORE UPDATE ON bursar.owners
FOR EACH ROW
EXECUTE FUNCTION bursar.refuse('bursar: an owner keeps name and key');
--> statement-breakpoint
CREATE TRIGGER owners_remain BEFORE DELETE OR TRUNCATE ON bursar.owners
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: an owner is never deleted');
--> statement-breakpoint
CREATE TRIGGER agents_keep_their_name BEFORE UPDATE ON bursar.agents
FOR EACH ROW WHEN (
  NEW.id IS DISTINCT FROM OLD.id OR NEW.name IS DISTINCT FROM OLD.name
  OR NEW.created_at IS DISTINCT FROM OLD.created_at
)
EXECUTE FUNCTION bursar.refuse('bursar: an agent keeps its name');
--> statement-breakpoint
CREATE TRIGGER agents_stay_revoked BEFORE UPDATE ON bursar.agents
FOR EACH ROW WHEN (
  OLD.status = 'revoked'
  AND (NEW.key_hash IS DISTINCT FROM OLD.key_hash OR NEW.status IS DISTINCT FROM OLD.status)
)
EXECUTE FUNCTION bursar.refuse('bursar: a revoked agent stays revoked');
--> statement-breakpoint
-- An agent that has a key never becomes one that needs none.
CREATE TRIGGER agents_keep_needing_a_key BEFORE UPDATE ON bursar.agents
FOR EACH ROW WHEN (OLD.key_hash IS NOT NULL AND NEW.key_hash IS NULL)
EXECUTE FUNCTION bursar.refuse('bursar: an agent that needs a key goes on needing one');
--> statement-breakpoint
CREATE TRIGGER agents_remain BEFORE DELETE OR TRUNCATE ON bursar.agents
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: an agent is revoked, never deleted');
--> statement-breakpoint
CREATE TRIGGER wallets_are_on_a_chain_or_not BEFORE INSERT ON bursar.wallets
FOR EACH ROW WHEN ((NEW.asset IS NULL) <> (NEW.account IS NULL) OR (NEW.asset IS NULL) <> (NEW.relayer IS NULL)
  OR (NEW.asset IS NULL) <> (jsonb_array_length(bursar.items(NEW.confirmations)) = 0))
EXECUTE FUNCTION bursar.refuse('bursar: a wallet on a chain has asset, account, relayer and confirmations');
--> statement-breakpoint
CREATE TRIGGER wallets_begin_strict BEFORE INSERT ON bursar.wallets
FOR EACH ROW WHEN (NEW.allows <> '[]'::jsonb)
EXECUTE FUNCTION bursar.refuse('bursar: a wallet begins with nothing allowed beyond the rules');
--> statement-breakpoint
-- The time zone too: another one begins the windows of its limits anew.
CREATE TRIGGER wallets_keep_their_terms BEFORE UPDATE ON bursar.wallets
FOR EACH ROW WHEN (
  NEW.id IS DISTINCT FROM OLD.id OR NEW.name IS DISTINCT FROM OLD.name
  OR NEW.owner_id IS DISTINCT FROM OLD.owner_id OR NEW.agent_id IS DISTINCT FROM OLD.agent_id
  OR NEW.mode IS DISTINCT FROM OLD.mode OR NEW.currency IS DISTINCT FROM OLD.currency
  OR NEW.decimals IS DISTINCT FROM OLD.decimals OR NEW.time_zone IS DISTINCT FROM OLD.time_zone
  OR NEW.created_at IS DISTINCT FROM OLD.created_at
)
EXECUTE FUNCTION bursar.refuse('bursar: a wallet keeps its owner, agent, mode, asset and time zone');
--> statement-breakpoint
CREATE TRIGGER wallets_keep_their_account BEFORE UPDATE ON bursar.wallets
FOR EACH ROW WHEN (
  NEW.asset IS DISTINCT FROM OLD.asset OR NEW.account IS DISTINCT FROM OLD.account
  OR NEW.relayer IS DISTINCT FROM OLD.relayer
)
EXECUTE FUNCTION bursar.refuse('bursar: a wallet keeps its account');
--> statement-breakpoint
CREATE TRIGGER wallets_allow_what_there_is BEFORE UPDATE ON bursar.wallets
FOR EACH ROW WHEN (jsonb_typeof(NEW.allows) <> 'array' OR NOT NEW.allows <@ '["loopback", "upfront", "upto", "v1"]'::jsonb)
EXECUTE FUNCTION bursar.refuse('bursar: there is no such allowance');
--> statement-breakpoint
CREATE TRIGGER wallets_remain BEFORE DELETE OR TRUNCATE ON bursar.wallets
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a wallet is never deleted');
--> statement-breakpoint
CREATE TRIGGER accounts_keep_their_wallet BEFORE UPDATE ON bursar.accounts
FOR EACH ROW WHEN (NEW.wallet_id IS DISTINCT FROM OLD.wallet_id)
EXECUTE FUNCTION bursar.refuse('bursar: balances keep their wallet');
--> statement-breakpoint
CREATE TRIGGER accounts_remain BEFORE DELETE OR TRUNCATE ON bursar.accounts
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: balances are never deleted');
--> statement-breakpoint
-- Money of a wallet on a chain comes from a deposit that was seen, in the same step, and once; or it is a transfer that the
-- chain took back. Nobody types it.
CREATE FUNCTION bursar.entries_come_from_deposits() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bursar.wallets w WHERE w.id = NEW.wallet_id AND w.asset IS NOT NULL)
    AND NOT (NEW.kind = 'fund' AND NEW.journal = NEW.wallet_id AND EXISTS (SELECT 1 FROM bursar.deposits d
      WHERE d.wallet_id = NEW.wallet_id AND d.seq = NEW.seq
        AND d.amount >= NEW.amount + coalesce((SELECT sum(e.amount) FROM bursar.entries e
          WHERE e.journal = NEW.journal AND e.seq = NEW.seq AND e.debit = 'external'), 0)))
    AND NOT (NEW.kind = 'refund' AND EXISTS (SELECT 1 FROM bursar.transfers t
      WHERE t.payment_id = NEW.payment_id AND t.wallet_id = NEW.wallet_id AND t.tx_hash IS NOT NULL
        AND t.value >= NEW.amount))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER entries_come_from_deposits BEFORE INSERT ON bursar.entries
FOR EACH ROW WHEN (NEW.debit = 'external')
EXECUTE FUNCTION bursar.entries_come_from_deposits('bursar: money on a chain comes from a deposit');
--> statement-breakpoint
CREATE TRIGGER entries_stay BEFORE UPDATE ON bursar.entries
FOR EACH ROW
EXECUTE FUNCTION bursar.refuse('bursar: an entry is never changed');
--> statement-breakpoint
CREATE TRIGGER entries_remain BEFORE DELETE OR TRUNCATE ON bursar.entries
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: an entry is never deleted');
--> statement-breakpoint
CREATE TRIGGER limits_keep_their_rule BEFORE UPDATE ON bursar.limits
FOR EACH ROW WHEN (
  NEW.id IS DISTINCT FROM OLD.id OR NEW.wallet_id IS DISTINCT FROM OLD.wallet_id
  OR NEW.scope IS DISTINCT FROM OLD.scope OR NEW.scope_value IS DISTINCT FROM OLD.scope_value
  OR NEW."window" IS DISTINCT FROM OLD."window" OR NEW.max_amount IS DISTINCT FROM OLD.max_amount
  OR NEW.max_count IS DISTINCT FROM OLD.max_count OR NEW.over IS DISTINCT FROM OLD.over
  OR NEW.created_at IS DISTINCT FROM OLD.created_at
)
EXECUTE FUNCTION bursar.refuse('bursar: a limit is replaced, never changed');
--> statement-breakpoint
CREATE TRIGGER limits_stay_removed BEFORE UPDATE ON bursar.limits
FOR EACH ROW WHEN (OLD.removed_at IS NOT NULL AND NEW.removed_at IS DISTINCT FROM OLD.removed_at)
EXECUTE FUNCTION bursar.refuse('bursar: a removed limit stays removed');
--> statement-breakpoint
CREATE TRIGGER limits_remain BEFORE DELETE OR TRUNCATE ON bursar.limits
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a limit is removed, never deleted');
--> statement-breakpoint
CREATE TRIGGER counters_keep_their_key BEFORE UPDATE ON bursar.counters
FOR EACH ROW WHEN (
  NEW.limit_id IS DISTINCT FROM OLD.limit_id OR NEW.scope_value IS DISTINCT FROM OLD.scope_value
  OR NEW.window_key IS DISTINCT FROM OLD.window_key
)
EXECUTE FUNCTION bursar.refuse('bursar: a counter keeps its window');
--> statement-breakpoint
CREATE FUNCTION bursar.counters_begin_within_cap() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM bursar.limits l WHERE l.id = NEW.limit_id AND l.over = 'deny' AND l.removed_at IS NULL
      AND (NEW.amount + NEW.forced > l.max_amount OR NEW.count > l.max_count)
  )
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER counters_begin_within_cap BEFORE INSERT ON bursar.counters
FOR EACH ROW WHEN (NEW.amount > 0)
EXECUTE FUNCTION bursar.counters_begin_within_cap('bursar: over a limit');
--> statement-breakpoint
CREATE FUNCTION bursar.counters_grow_within_cap() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM bursar.limits l WHERE l.id = NEW.limit_id AND l.over = 'deny' AND l.removed_at IS NULL
      AND (NEW.amount + NEW.forced > l.max_amount OR NEW.count > l.max_count)
  )
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER counters_grow_within_cap BEFORE UPDATE ON bursar.counters
FOR EACH ROW WHEN (NEW.amount > OLD.amount OR NEW.count > OLD.count)
EXECUTE FUNCTION bursar.counters_grow_within_cap('bursar: over a limit');
--> statement-breakpoint
CREATE TRIGGER counters_remain BEFORE DELETE OR TRUNCATE ON bursar.counters
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a counter is never deleted');
--> statement-breakpoint
CREATE TRIGGER approvals_keep_their_terms BEFORE UPDATE ON bursar.approvals
FOR EACH ROW WHEN (
  NEW.id IS DISTINCT FROM OLD.id OR NEW.subject_id IS DISTINCT FROM OLD.subject_id
  OR NEW.wallet_id IS DISTINCT FROM OLD.wallet_id OR NEW.digest IS DISTINCT FROM OLD.digest
  OR NEW.needs IS DISTINCT FROM OLD.needs OR NEW.owners IS DISTINCT FROM OLD.owners
  OR NEW.created_at IS DISTINCT FROM OLD.created_at OR NEW.expires_at IS DISTINCT FROM OLD.expires_at
)
EXECUTE FUNCTION bursar.refuse('bursar: what is asked never changes');
--> statement-breakpoint
CREATE TRIGGER approvals_are_answered_once BEFORE UPDATE ON bursar.approvals
FOR EACH ROW WHEN (
  OLD.status <> 'waiting'
  AND (NEW.status IS DISTINCT FROM OLD.status OR NEW.assurance IS DISTINCT FROM OLD.assurance
    OR NEW.answered_at IS DISTINCT FROM OLD.answered_at OR NEW.reason_ref IS DISTINCT FROM OLD.reason_ref)
)
EXECUTE FUNCTION bursar.refuse('bursar: a question is answered once');
--> statement-breakpoint
CREATE FUNCTION bursar.approvals_have_both_owners() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT (
    (SELECT count(DISTINCT s.owner_id) FROM bursar.answers s WHERE s.approval_id = NEW.id) >= NEW.owners
    AND EXISTS (SELECT 1 FROM bursar.answers s JOIN bursar.wallets w ON w.owner_id = s.owner_id
      WHERE s.approval_id = NEW.id AND w.id = NEW.wallet_id))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER approvals_have_both_owners BEFORE UPDATE ON bursar.approvals
FOR EACH ROW WHEN (NEW.status = 'approved' AND NEW.owners > 1)
EXECUTE FUNCTION bursar.approvals_have_both_owners('bursar: two owners have to agree, one of them the own of the wallet');
--> statement-breakpoint
CREATE TRIGGER approvals_of_two_begin_open BEFORE INSERT ON bursar.approvals
FOR EACH ROW WHEN (NEW.owners > 1 AND NEW.status <> 'waiting')
EXECUTE FUNCTION bursar.refuse('bursar: two owners have to agree');
--> statement-breakpoint
CREATE TRIGGER approvals_remain BEFORE DELETE OR TRUNCATE ON bursar.approvals
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: an approval is never deleted');
--> statement-breakpoint
CREATE FUNCTION bursar.answers_are_new() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bursar.answers s
      WHERE s.approval_id = NEW.approval_id AND (s.owner_id = NEW.owner_id OR s.narrowed <> NEW.narrowed))
    OR NOT EXISTS (SELECT 1 FROM bursar.approvals a
      WHERE a.id = NEW.approval_id AND a.status = 'waiting' AND a.owners = 2 AND NEW.created_at < a.expires_at)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER answers_are_new BEFORE INSERT ON bursar.answers
FOR EACH ROW
EXECUTE FUNCTION bursar.answers_are_new('bursar: each owner answers once, to what the other agreed to, while it is asked');
--> statement-breakpoint
CREATE TRIGGER answers_stay BEFORE UPDATE ON bursar.answers
FOR EACH ROW
EXECUTE FUNCTION bursar.refuse('bursar: an answer never changes');
--> statement-breakpoint
CREATE TRIGGER answers_remain BEFORE DELETE OR TRUNCATE ON bursar.answers
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: an answer is never deleted');
--> statement-breakpoint
-- Too many questions make people stop reading them.
CREATE FUNCTION bursar.requests_ask_little() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF 3 <= (SELECT count(*) FROM bursar.requests r WHERE r.agent_id = NEW.agent_id AND r.status = 'pending')
    + (SELECT count(*) FROM bursar.payments p WHERE p.agent_id = NEW.agent_id AND p.status = 'awaiting_approval')
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER requests_ask_little BEFORE INSERT ON bursar.requests
FOR EACH ROW WHEN (NEW.status = 'pending')
EXECUTE FUNCTION bursar.requests_ask_little('bursar: an agent asks three things at a time');
--> statement-breakpoint
CREATE TRIGGER requests_keep_their_terms BEFORE UPDATE ON bursar.requests
FOR EACH ROW WHEN (
  NEW.id IS DISTINCT FROM OLD.id OR NEW.wallet_id IS DISTINCT FROM OLD.wallet_id
  OR NEW.agent_id IS DISTINCT FROM OLD.agent_id OR NEW.session_id IS DISTINCT FROM OLD.session_id
  OR NEW.task_id IS DISTINCT FROM OLD.task_id OR NEW.currency IS DISTINCT FROM OLD.currency
  OR NEW.type IS DISTINCT FROM OLD.type OR NEW.amount IS DISTINCT FROM OLD.amount
  OR NEW.usage_limit IS DISTINCT FROM OLD.usage_limit
  OR NEW.per_payment_max IS DISTINCT FROM OLD.per_payment_max
  OR NEW.expires_in_ms IS DISTINCT FROM OLD.expires_in_ms OR NEW.constraints IS DISTINCT FROM OLD.constraints
  OR NEW.purpose_ref IS DISTINCT FROM OLD.purpose_ref OR NEW.fingerprint IS DISTINCT FROM OLD.fingerprint
  OR NEW.created_at IS DISTINCT FROM OLD.created_at
)
EXECUTE FUNCTION bursar.refuse('bursar: the terms of a request never change');
--> statement-breakpoint
CREATE TRIGGER requests_are_decided_once BEFORE UPDATE ON bursar.requests
FOR EACH ROW WHEN (
  OLD.status <> 'pending'
  AND (NEW.status IS DISTINCT FROM OLD.status OR NEW.refusal IS DISTINCT FROM OLD.refusal
    OR NEW.instrument_id IS DISTINCT FROM OLD.instrument_id)
)
EXECUTE FUNCTION bursar.refuse('bursar: a request is decided once');
--> statement-breakpoint
CREATE TRIGGER requests_remain BEFORE DELETE OR TRUNCATE ON bursar.requests
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a request is never deleted');
--> statement-breakpoint
-- An instrument is what a human approved, or less.
CREATE FUNCTION bursar.instruments_are_approved() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM bursar.requests r JOIN bursar.approvals a ON a.subject_id = r.id
    WHERE r.id = NEW.request_id AND r.wallet_id = NEW.wallet_id AND r.agent_id = NEW.agent_id AND r.type = NEW.type
      AND a.status = 'approved' AND r.status = 'approved' AND r.instrument_id = NEW.id
      AND NEW.amount <= r.amount AND NEW.remaining = NEW.amount AND NEW.usage_consumed = 0
      AND (r.usage_limit IS NULL OR NEW.usage_limit <= r.usage_limit)
      AND (r.per_payment_max IS NULL OR NEW.per_payment_max <= r.per_payment_max)
      AND NEW.created_at = a.answered_at AND NEW.expires_at <= a.answered_at + r.expires_in_ms
      AND NEW.constraints = r.constraints
  )
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER instruments_are_approved BEFORE INSERT ON bursar.instruments
FOR EACH ROW
EXECUTE FUNCTION bursar.instruments_are_approved('bursar: an instrument is never more than a human approved');
--> statement-breakpoint
CREATE TRIGGER instruments_keep_their_terms BEFORE UPDATE ON bursar.instruments
FOR EACH ROW WHEN (
  NEW.id IS DISTINCT FROM OLD.id OR NEW.request_id IS DISTINCT FROM OLD.request_id
  OR NEW.wallet_id IS DISTINCT FROM OLD.wallet_id OR NEW.agent_id IS DISTINCT FROM OLD.agent_id
  OR NEW.type IS DISTINCT FROM OLD.type OR NEW.amount IS DISTINCT FROM OLD.amount
  OR NEW.usage_limit IS DISTINCT FROM OLD.usage_limit
  OR NEW.per_payment_max IS DISTINCT FROM OLD.per_payment_max
  OR NEW.constraints IS DISTINCT FROM OLD.constraints OR NEW.expires_at IS DISTINCT FROM OLD.expires_at
  OR NEW.created_at IS DISTINCT FROM OLD.created_at
)
EXECUTE FUNCTION bursar.refuse('bursar: the terms of an instrument never change');
--> statement-breakpoint
CREATE TRIGGER instruments_end_for_good BEFORE UPDATE ON bursar.instruments
FOR EACH ROW WHEN (OLD.status IN ('limit_reached', 'expired', 'revoked', 'returned') AND NEW.status <> OLD.status)
EXECUTE FUNCTION bursar.refuse('bursar: an ended instrument stays ended');
--> statement-breakpoint
CREATE TRIGGER instruments_remain BEFORE DELETE OR TRUNCATE ON bursar.instruments
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: an instrument is never deleted');
--> statement-breakpoint
-- One key, one purchase; a key is free again when its payment ended without money moving. No unique index: a network may
-- yet force a capture on a payment that was voided, and that must be written whoever has the key by then.
CREATE FUNCTION bursar.payments_have_their_own_key() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM bursar.payments p WHERE p.agent_id = NEW.agent_id AND p.idempotency_key = NEW.idempotency_key
      AND p.status NOT IN ('refused', 'voided', 'expired', 'canceled'))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_have_their_own_key BEFORE INSERT ON bursar.payments
FOR EACH ROW WHEN (NEW.status <> 'refused' AND NEW.idempotency_key IS NOT NULL)
EXECUTE FUNCTION bursar.payments_have_their_own_key('bursar: one key, one purchase');
--> statement-breakpoint
CREATE TRIGGER payments_begin_unmoved BEFORE INSERT ON bursar.payments
FOR EACH ROW WHEN (NEW.captured <> 0 OR NEW.refunded <> 0 OR NEW.forced <> 0)
EXECUTE FUNCTION bursar.refuse('bursar: a payment begins with nothing moved');
--> statement-breakpoint
-- What limits and questions are told by is who gets the money.
CREATE TRIGGER payments_go_to_their_payee BEFORE INSERT ON bursar.payments
FOR EACH ROW WHEN (NEW.status <> 'refused' AND NEW.payee ->> 'address' IS NOT NULL
  AND NEW.payee_key IS DISTINCT FROM (NEW.payee ->> 'network') || ':' || (NEW.payee ->> 'address'))
EXECUTE FUNCTION bursar.refuse('bursar: a payment goes to the account that it is counted for');
--> statement-breakpoint
-- An address that looks like one that was paid before, and is another, is paid only with a human's yes.
CREATE FUNCTION bursar.payments_to_look_alikes_wait() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM bursar.known_payees k WHERE k.wallet_id = NEW.wallet_id AND k.account = NEW.payee_key)
    AND NOT EXISTS (SELECT 1 FROM bursar.instruments i
      WHERE i.id = NEW.instrument_id AND bursar.items(i.constraints -> 'addresses') ? NEW.payee_key)
    AND EXISTS (SELECT 1 FROM bursar.known_payees k
      WHERE k.wallet_id = NEW.wallet_id AND k.shape = bursar.shape_of(NEW.payee_key))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_to_look_alikes_wait BEFORE INSERT ON bursar.payments
FOR EACH ROW WHEN (NEW.status = 'authorized' AND NEW.payee ->> 'address' IS NOT NULL)
EXECUTE FUNCTION bursar.payments_to_look_alikes_wait('bursar: a look-alike address waits for a human');
--> statement-breakpoint
-- The origin that limits and humans decide by is where the resource is; and it is asked by https, unless it may be this
-- machine.
CREATE FUNCTION bursar.payments_buy_something() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  refused boolean;
BEGIN
  refused := (NEW.protocol = 'x402') <> EXISTS (SELECT 1 FROM bursar.purchases u WHERE u.payment_id = NEW.id);
  IF NEW.protocol = 'x402' AND NEW.status <> 'refused' THEN
    refused := refused OR (
      NEW.payee ->> 'origin' NOT LIKE '%//%/%'
      -- Of this text and no other, however it is found: most texts are no JSON.
      AND starts_with(bursar.url_of((SELECT t.text FROM bursar.purchases u JOIN bursar.texts t ON t.digest = u.resource_ref
        WHERE u.payment_id = NEW.id)), (NEW.payee ->> 'origin') || '/')
      AND (NEW.payee ->> 'origin' LIKE 'https://%' OR (NEW.payee ->> 'origin' LIKE 'http://%'
        AND (SELECT bursar.items(w.allows) ? 'loopback' FROM bursar.wallets w WHERE w.id = NEW.wallet_id)))
    ) IS NOT TRUE;
  END IF;
  IF refused
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_buy_something BEFORE INSERT ON bursar.payments
FOR EACH ROW
EXECUTE FUNCTION bursar.payments_buy_something('bursar: a payment by x402 buys something, of the origin that it names');
--> statement-breakpoint
CREATE FUNCTION bursar.payments_ask_little() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF 3 <= (SELECT count(*) FROM bursar.requests r WHERE r.agent_id = NEW.agent_id AND r.status = 'pending')
    + (SELECT count(*) FROM bursar.payments p WHERE p.agent_id = NEW.agent_id AND p.status = 'awaiting_approval')
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_ask_little BEFORE INSERT ON bursar.payments
FOR EACH ROW WHEN (NEW.status = 'awaiting_approval')
EXECUTE FUNCTION bursar.payments_ask_little('bursar: an agent asks three things at a time');
--> statement-breakpoint
-- A payment that holds money is within the rules at the moment of its authorization, whoever decided on it. Where a rule
-- does not apply its condition is false or unknown; what reads further tables is looked at only where it does.
CREATE FUNCTION bursar.payments_are_allowed() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g record;
  rules record;
  refused boolean;
BEGIN
  SELECT i.status, i.expires_at, i.per_payment_max, i.wallet_id, i.agent_id, i.amount - i.remaining AS taken, i.usage_consumed,
    i.type, i.constraints, w.status AS wallet_status, w.agent_id AS wallet_agent, a.status AS agent_status, x.frozen,
    -- What it takes was taken, in the same step and before it: the money, the allowance, the counters.
    (SELECT count(*) FROM bursar.entries e WHERE e.journal = NEW.wallet_id AND e.seq = NEW.seq AND e.payment_id = NEW.id
      AND e.kind = 'hold' AND e.amount = NEW.amount) AS holds
  INTO g FROM (VALUES (1)) one
  LEFT JOIN bursar.instruments i ON i.id = NEW.instrument_id
  LEFT JOIN bursar.wallets w ON w.id = NEW.wallet_id
  LEFT JOIN bursar.agents a ON a.id = NEW.agent_id
  LEFT JOIN bursar.instance x ON true;
  SELECT count(*) FILTER (WHERE l.window <> 'payment' AND l.scope_value IS NULL) AS counted,
    count(DISTINCT l.window) FILTER (WHERE l.over = 'deny' AND l.max_amount IS NOT NULL AND l.scope_value IS NULL
      AND l.scope IN ('wallet', 'agent', 'session') AND l.window IN ('payment', 'session', 'day')) AS bounds,
    -- What asks a human was asked for by the time that it is authorized.
    bool_or(l.window = 'payment' AND l.scope = 'wallet' AND NEW.amount > l.max_amount
      AND (l.over = 'deny' OR (l.over = 'ask' AND TG_OP = 'INSERT'))) AS over
  INTO rules FROM bursar.limits l WHERE l.wallet_id = NEW.wallet_id AND l.removed_at IS NULL;
  refused := NEW.status <> 'authorized' OR OLD.status <> 'awaiting_approval'
    OR NEW.held <> NEW.amount OR NEW.captured <> 0 OR NEW.authorized_at IS NULL
    OR g.status IS DISTINCT FROM 'active' OR g.expires_at <= NEW.authorized_at OR NEW.amount > g.per_payment_max
    OR g.wallet_id <> NEW.wallet_id OR g.agent_id <> NEW.agent_id
    OR g.wallet_status IS DISTINCT FROM 'active' OR g.agent_status IS DISTINCT FROM 'active'
    OR coalesce(g.wallet_agent, NEW.agent_id) <> NEW.agent_id
    OR g.frozen IS NOT FALSE OR g.holds = 0 OR g.taken < NEW.amount OR g.usage_consumed < 1
    OR jsonb_array_length(bursar.items(NEW.counted)) < rules.counted OR rules.bounds < 3 OR rules.over;
  IF TG_OP = 'UPDATE' THEN
    refused := refused
      OR NOT EXISTS (SELECT 1 FROM bursar.approvals a WHERE a.subject_id = NEW.id AND a.status = 'approved');
  END IF;
  -- With an origin, each limit by its name, and one per payee for the account and for the origin.
  IF NEW.payee ->> 'origin' IS NOT NULL THEN
    refused := refused OR EXISTS (
      SELECT 1 FROM bursar.limits l CROSS JOIN (VALUES (NEW.payee_key), (NEW.payee ->> 'origin')) paid (value)
      WHERE l.wallet_id = NEW.wallet_id AND l.removed_at IS NULL AND l.window <> 'payment'
        AND (l.scope_value IS NULL OR (l.scope = 'payee' AND l.scope_value = paid.value))
        AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(bursar.items(NEW.counted)) c (value)
          WHERE c.value ->> 'limitId' = l.id AND (l.scope <> 'payee' OR c.value ->> 'scopeValue' = paid.value)));
  END IF;
  -- What is bought on the web is in each list that the instrument is held to.
  IF NEW.protocol = 'x402' THEN
    refused := refused OR g.type <> 'usdc' OR jsonb_typeof(g.constraints) <> 'object' OR EXISTS (
      SELECT 1 FROM jsonb_each(bursar.fields(g.constraints)) c (name, list)
      WHERE (bursar.items(c.list) ? CASE c.name WHEN 'protocols' THEN NEW.protocol
        WHEN 'networks' THEN NEW.payee ->> 'network' WHEN 'origins' THEN NEW.payee ->> 'origin'
        WHEN 'addresses' THEN NEW.payee_key END) IS NOT TRUE);
  END IF;
  IF refused
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_begin_allowed AFTER INSERT ON bursar.payments
FOR EACH ROW WHEN (NEW.status NOT IN ('refused', 'awaiting_approval'))
EXECUTE FUNCTION bursar.payments_are_allowed('bursar: a payment begins refused, waiting, or allowed and held');
--> statement-breakpoint
CREATE TRIGGER payments_are_approved AFTER UPDATE ON bursar.payments
FOR EACH ROW WHEN (NEW.status = 'authorized' AND OLD.status <> 'authorized')
EXECUTE FUNCTION bursar.payments_are_allowed('bursar: a waiting payment is authorized by a human, within the rules');
--> statement-breakpoint
-- Nor does it hold money with a credential that may not, or without one where one is needed.
CREATE FUNCTION bursar.payments_have_a_credential() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  refused boolean := jsonb_typeof(NEW.credentials) <> 'array';
BEGIN
  IF jsonb_array_length(bursar.items(NEW.credentials)) = 0 THEN
    refused := refused OR EXISTS (SELECT 1 FROM bursar.agents a WHERE a.id = NEW.agent_id AND a.key_hash IS NOT NULL);
  ELSE
    refused := refused OR EXISTS (
      SELECT 1 FROM jsonb_array_elements_text(bursar.items(NEW.credentials)) WITH ORDINALITY e (id, place)
      LEFT JOIN bursar.credentials c ON c.id = e.id
      WHERE c.id IS NULL OR c.agent_id <> NEW.agent_id
        -- The place of the next one, as JSON counts them.
        OR c.parent_id IS DISTINCT FROM (NEW.credentials ->> e.place::integer)
        OR c.revoked_at IS NOT NULL
        OR (c.expires_at IS NOT NULL AND (c.expires_at > NEW.authorized_at) IS NOT TRUE)
        OR NOT c.scopes ? 'bursar:pay'
        OR (c.instruments IS NOT NULL AND (c.instruments ? NEW.instrument_id) IS NOT TRUE)
        OR (c.currency IS NOT NULL
          AND c.currency IS DISTINCT FROM (SELECT w.currency FROM bursar.wallets w WHERE w.id = NEW.wallet_id))
        -- It was charged in the same step, and before it.
        OR c.spent < NEW.amount);
  END IF;
  IF refused
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_begin_with_credential AFTER INSERT ON bursar.payments
FOR EACH ROW WHEN (NEW.status = 'authorized')
EXECUTE FUNCTION bursar.payments_have_a_credential('bursar: a payment is made with a credential that may');
--> statement-breakpoint
CREATE TRIGGER payments_go_on_with_credential AFTER UPDATE ON bursar.payments
FOR EACH ROW WHEN (NEW.status = 'authorized' AND OLD.status <> 'authorized')
EXECUTE FUNCTION bursar.payments_have_a_credential('bursar: a payment is made with a credential that may');
--> statement-breakpoint
CREATE TRIGGER payments_follow_their_course BEFORE UPDATE ON bursar.payments
FOR EACH ROW WHEN (NEW.status <> OLD.status AND NOT (
    (OLD.status = 'awaiting_approval' AND NEW.status IN ('authorized', 'denied', 'expired', 'canceled'))
    -- Capture and refund are written as one when a rail's books tell of both at once.
    OR (OLD.status = 'authorized' AND NEW.status IN ('captured', 'voided', 'in_doubt', 'partially_refunded', 'refunded'))
    OR (OLD.status = 'in_doubt' AND NEW.status IN ('captured', 'voided', 'partially_refunded', 'refunded'))
    OR (OLD.status IN ('captured', 'partially_refunded') AND NEW.status IN ('partially_refunded', 'refunded'))
    OR (OLD.status = 'voided' AND NEW.status IN ('captured', 'partially_refunded', 'refunded') AND NEW.forced > OLD.forced)
    OR (OLD.status = 'refunded' AND NEW.status = 'partially_refunded' AND NEW.forced > OLD.forced)
  ))
EXECUTE FUNCTION bursar.refuse('bursar: a payment does not go that way');
--> statement-breakpoint
CREATE TRIGGER payments_take_from_their_hold BEFORE UPDATE ON bursar.payments
FOR EACH ROW WHEN ((NEW.captured - NEW.forced) - (OLD.captured - OLD.forced) > greatest(OLD.held - NEW.held, 0)
  OR (NEW.held > OLD.held AND NOT (OLD.status = 'awaiting_approval' AND NEW.status = 'authorized'))
  OR NEW.captured < OLD.captured OR NEW.forced < OLD.forced OR NEW.refunded < OLD.refunded)
EXECUTE FUNCTION bursar.refuse('bursar: nothing is captured that was not held');
--> statement-breakpoint
CREATE TRIGGER payments_keep_their_terms BEFORE UPDATE ON bursar.payments
FOR EACH ROW WHEN (
  NEW.id IS DISTINCT FROM OLD.id OR NEW.wallet_id IS DISTINCT FROM OLD.wallet_id
  OR NEW.instrument_id IS DISTINCT FROM OLD.instrument_id OR NEW.agent_id IS DISTINCT FROM OLD.agent_id
  OR NEW.credentials IS DISTINCT FROM OLD.credentials OR NEW.session_id IS DISTINCT FROM OLD.session_id
  OR NEW.task_id IS DISTINCT FROM OLD.task_id OR NEW.protocol IS DISTINCT FROM OLD.protocol
  OR NEW.amount IS DISTINCT FROM OLD.amount OR NEW.payee IS DISTINCT FROM OLD.payee
  OR NEW.payee_key IS DISTINCT FROM OLD.payee_key OR NEW.purpose_ref IS DISTINCT FROM OLD.purpose_ref
  OR NEW.fingerprint IS DISTINCT FROM OLD.fingerprint
  OR NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key
  OR NEW.created_at IS DISTINCT FROM OLD.created_at
)
EXECUTE FUNCTION bursar.refuse('bursar: the terms of a payment never change');
--> statement-breakpoint
-- A payment that was signed for is given up only on proof; and what was not signed for, or was signed for and not taken,
-- only with what was.
CREATE FUNCTION bursar.payments_are_void_on_proof() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bursar.transfers t WHERE t.payment_id = NEW.id AND t.void_proof IS NULL
      AND NOT (t.tx_hash IS NOT NULL AND NEW.status = 'captured' AND coalesce(t.moved, t.value) = NEW.captured))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_are_void_on_proof BEFORE UPDATE ON bursar.payments
FOR EACH ROW WHEN ((NEW.status = 'voided' AND OLD.status <> 'voided') OR OLD.held - NEW.held > NEW.captured - OLD.captured)
EXECUTE FUNCTION bursar.payments_are_void_on_proof('bursar: a payment that was signed is void only on proof');
--> statement-breakpoint
CREATE FUNCTION bursar.payments_are_captured_on_the_chain() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bursar.wallets w WHERE w.id = NEW.wallet_id AND w.asset IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM bursar.transfers t
      WHERE t.payment_id = NEW.id AND t.tx_hash IS NOT NULL AND coalesce(t.moved, t.value) >= NEW.captured)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_are_captured_on_the_chain BEFORE UPDATE ON bursar.payments
FOR EACH ROW WHEN (NEW.captured > OLD.captured)
EXECUTE FUNCTION bursar.payments_are_captured_on_the_chain('bursar: a transfer is captured where the chain shows it');
--> statement-breakpoint
-- A reorganization may end with less of a permit taken than was seen at first: what is final tells.
CREATE FUNCTION bursar.payments_are_returned_on_proof() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bursar.wallets w WHERE w.id = NEW.wallet_id AND w.asset IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM bursar.transfers t WHERE t.payment_id = NEW.id
      AND (t.void_proof IS NOT NULL OR (t.status = 'final' AND t.moved = NEW.captured - NEW.refunded)))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_are_returned_on_proof BEFORE UPDATE ON bursar.payments
FOR EACH ROW WHEN (NEW.refunded > OLD.refunded)
EXECUTE FUNCTION bursar.payments_are_returned_on_proof('bursar: a transfer comes back only on proof');
--> statement-breakpoint
CREATE FUNCTION bursar.payments_keep_their_time() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bursar.transfers t WHERE t.payment_id = NEW.id)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER payments_keep_their_time BEFORE UPDATE ON bursar.payments
FOR EACH ROW WHEN (NEW.valid_until <> OLD.valid_until)
EXECUTE FUNCTION bursar.payments_keep_their_time('bursar: what was signed is good for as long as it says');
--> statement-breakpoint
-- It counts against the windows of when it was authorized.
CREATE TRIGGER payments_are_over_when_they_are BEFORE UPDATE ON bursar.payments
FOR EACH ROW WHEN (NEW.valid_until > OLD.valid_until AND NEW.updated_at >= OLD.valid_until)
EXECUTE FUNCTION bursar.refuse('bursar: what is over is not good for longer');
--> statement-breakpoint
CREATE TRIGGER payments_remain BEFORE DELETE OR TRUNCATE ON bursar.payments
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a payment is never deleted');
--> statement-breakpoint
CREATE TRIGGER rails_remain BEFORE DELETE OR TRUNCATE ON bursar.rails
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: how far a rail was read is never deleted');
--> statement-breakpoint
-- Contiguous from 0.
CREATE FUNCTION bursar.events_append() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.seq <> coalesce((SELECT max(e.seq) + 1 FROM bursar.events e WHERE e.journal = NEW.journal), 0)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER events_append BEFORE INSERT ON bursar.events
FOR EACH ROW
EXECUTE FUNCTION bursar.events_append('bursar: a journal only grows at its end');
--> statement-breakpoint
CREATE TRIGGER events_stay BEFORE UPDATE ON bursar.events
FOR EACH ROW
EXECUTE FUNCTION bursar.refuse('bursar: an event is never changed');
--> statement-breakpoint
CREATE TRIGGER events_remain BEFORE DELETE OR TRUNCATE ON bursar.events
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: an event is never deleted');
--> statement-breakpoint
CREATE TRIGGER heads_advance BEFORE UPDATE ON bursar.heads
FOR EACH ROW WHEN (NEW.journal <> OLD.journal OR NEW.size <= OLD.size)
EXECUTE FUNCTION bursar.refuse('bursar: a journal only grows');
--> statement-breakpoint
CREATE TRIGGER heads_remain BEFORE DELETE OR TRUNCATE ON bursar.heads
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a journal is never deleted');
--> statement-breakpoint
-- Large or personal text, apart from the journal under a salted hash, so that it can be erased (text becomes NULL).
CREATE TRIGGER texts_are_only_erased BEFORE UPDATE ON bursar.texts
FOR EACH ROW WHEN (NEW.digest <> OLD.digest OR NEW.salt <> OLD.salt OR NEW.text IS NOT NULL)
EXECUTE FUNCTION bursar.refuse('bursar: a text is only ever erased');
--> statement-breakpoint
CREATE TRIGGER texts_remain BEFORE DELETE OR TRUNCATE ON bursar.texts
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a text is only ever erased');
--> statement-breakpoint
CREATE TRIGGER transfers_are_new BEFORE INSERT ON bursar.transfers
FOR EACH ROW WHEN (NEW.status <> 'open' OR NEW.tx_hash IS NOT NULL OR NEW.void_proof IS NOT NULL)
EXECUTE FUNCTION bursar.refuse('bursar: a payment is signed once');
--> statement-breakpoint
-- Exactly what a payment that holds money says, or the seller's lower price, of the wallet's own asset and account, while
-- nobody has stopped it. What a seller may bring is good for ten minutes at most, however long its payment may wait.
CREATE FUNCTION bursar.transfers_are_authorized() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM bursar.payments p
    JOIN bursar.wallets w ON w.id = p.wallet_id
    JOIN bursar.instruments i ON i.id = p.instrument_id
    JOIN bursar.agents a ON a.id = p.agent_id
    LEFT JOIN bursar.purchases u ON u.payment_id = p.id
    WHERE p.id = NEW.payment_id AND p.wallet_id = NEW.wallet_id AND p.status IN ('authorized', 'in_doubt')
      AND p.held = p.amount AND NEW.value = coalesce(u.value, p.amount) AND NEW.value <= p.held
      AND p.protocol IN ('transfer', 'x402') AND p.valid_until / 1000 = NEW.valid_before
      AND NEW.signed_at < p.valid_until AND (p.protocol = 'transfer' OR NEW.valid_before <= NEW.signed_at / 1000 + 600)
      AND i.type = 'usdc' AND w.asset = NEW.asset
      AND w.account = bursar.network_of(w.asset) || ':' || NEW.from_address
      AND p.payee ->> 'address' = NEW.to_address
      AND p.payee ->> 'network' = bursar.network_of(w.asset)
      AND NEW.facilitator IS NOT DISTINCT FROM u.facilitator
      AND (NEW.kind = 'eip3009' OR bursar.items(w.allows) ? 'upto')
      AND w.status = 'active' AND i.status = 'active' AND a.status = 'active'
      AND (SELECT frozen FROM bursar.instance) = false
  )
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER transfers_are_authorized BEFORE INSERT ON bursar.transfers
FOR EACH ROW
EXECUTE FUNCTION bursar.transfers_are_authorized('bursar: what is signed is a payment that is authorized, as it stands');
--> statement-breakpoint
-- Neither is anything signed nor sent for a payment whose credential has ended meanwhile.
CREATE FUNCTION bursar.transfers_are_of_live_credentials() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM bursar.payments p JOIN bursar.agents a ON a.id = p.agent_id
    WHERE p.id = NEW.payment_id AND (
      (jsonb_array_length(bursar.items(p.credentials)) = 0 AND a.key_hash IS NOT NULL)
      OR EXISTS (SELECT 1 FROM jsonb_array_elements_text(bursar.items(p.credentials)) e (id)
        LEFT JOIN bursar.credentials c ON c.id = e.id
        WHERE c.id IS NULL OR c.revoked_at IS NOT NULL OR c.expires_at <= NEW.signed_at)))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER transfers_are_of_live_credentials BEFORE INSERT ON bursar.transfers
FOR EACH ROW
EXECUTE FUNCTION bursar.transfers_are_of_live_credentials('bursar: nothing is signed for a credential that has ended');
--> statement-breakpoint
CREATE TRIGGER transfers_keep_their_terms BEFORE UPDATE ON bursar.transfers
FOR EACH ROW WHEN (
  NEW.payment_id IS DISTINCT FROM OLD.payment_id OR NEW.wallet_id IS DISTINCT FROM OLD.wallet_id
  OR NEW.asset IS DISTINCT FROM OLD.asset OR NEW.from_address IS DISTINCT FROM OLD.from_address
  OR NEW.to_address IS DISTINCT FROM OLD.to_address OR NEW.value IS DISTINCT FROM OLD.value
  OR NEW.valid_before IS DISTINCT FROM OLD.valid_before OR NEW.nonce IS DISTINCT FROM OLD.nonce
  OR NEW.signature IS DISTINCT FROM OLD.signature OR NEW.from_block IS DISTINCT FROM OLD.from_block
  OR NEW.signed_at IS DISTINCT FROM OLD.signed_at OR NEW.kind IS DISTINCT FROM OLD.kind
  OR NEW.facilitator IS DISTINCT FROM OLD.facilitator
)
EXECUTE FUNCTION bursar.refuse('bursar: what was signed never changes');
--> statement-breakpoint
CREATE TRIGGER transfers_stay_where_they_were_seen BEFORE UPDATE ON bursar.transfers
FOR EACH ROW WHEN (OLD.tx_hash IS NOT NULL AND NEW.tx_hash IS NULL)
EXECUTE FUNCTION bursar.refuse('bursar: that a transfer was seen is never forgotten');
--> statement-breakpoint
CREATE TRIGGER transfers_stay_final BEFORE UPDATE ON bursar.transfers
FOR EACH ROW WHEN (OLD.status = 'final')
EXECUTE FUNCTION bursar.refuse('bursar: what is final stays as it is');
--> statement-breakpoint
CREATE TRIGGER transfers_remain BEFORE DELETE OR TRUNCATE ON bursar.transfers
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: what was signed is never deleted');
--> statement-breakpoint
CREATE TRIGGER relayers_keep_their_account BEFORE UPDATE ON bursar.relayers
FOR EACH ROW WHEN (NEW.id IS DISTINCT FROM OLD.id)
EXECUTE FUNCTION bursar.refuse('bursar: a relayer keeps its account');
--> statement-breakpoint
CREATE TRIGGER relayers_remain BEFORE DELETE OR TRUNCATE ON bursar.relayers
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a relayer keeps its limit');
--> statement-breakpoint
-- A nonce is one payment's. What takes its place carries nothing.
CREATE FUNCTION bursar.broadcasts_are_new() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.fee IS NOT NULL
    OR (NEW.payment_id IS NOT NULL AND EXISTS (SELECT 1 FROM bursar.broadcasts b
      WHERE b.relayer = NEW.relayer AND b.relayer_nonce = NEW.relayer_nonce
        AND b.payment_id IS DISTINCT FROM NEW.payment_id))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER broadcasts_are_new BEFORE INSERT ON bursar.broadcasts
FOR EACH ROW
EXECUTE FUNCTION bursar.broadcasts_are_new('bursar: a nonce is handed out once');
--> statement-breakpoint
-- By the wallet's own relayer, in time, while nobody has stopped it; what was captured may be sent again. What a seller
-- brings is the seller's to bring, and a permit is its facilitator's.
CREATE FUNCTION bursar.broadcasts_carry_what_may_leave() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM bursar.transfers t
    JOIN bursar.payments p ON p.id = t.payment_id
    JOIN bursar.wallets w ON w.id = p.wallet_id
    JOIN bursar.instruments i ON i.id = p.instrument_id
    JOIN bursar.agents a ON a.id = p.agent_id
    WHERE t.payment_id = NEW.payment_id AND p.protocol = 'transfer' AND t.kind = 'eip3009' AND w.relayer = NEW.relayer
      AND NEW.created_at < p.valid_until
      AND (p.captured > 0 OR (p.status IN ('authorized', 'in_doubt')
        AND w.status = 'active' AND i.status = 'active' AND a.status = 'active'
        AND (SELECT frozen FROM bursar.instance) = false))
  )
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER broadcasts_carry_what_may_leave BEFORE INSERT ON bursar.broadcasts
FOR EACH ROW WHEN (NEW.payment_id IS NOT NULL)
EXECUTE FUNCTION bursar.broadcasts_carry_what_may_leave('bursar: what is sent is a transfer that may leave');
--> statement-breakpoint
CREATE FUNCTION bursar.broadcasts_are_of_live_credentials() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM bursar.payments p JOIN bursar.agents a ON a.id = p.agent_id
    WHERE p.id = NEW.payment_id AND p.captured = 0 AND (
      (jsonb_array_length(bursar.items(p.credentials)) = 0 AND a.key_hash IS NOT NULL)
      OR EXISTS (SELECT 1 FROM jsonb_array_elements_text(bursar.items(p.credentials)) e (id)
        LEFT JOIN bursar.credentials c ON c.id = e.id
        WHERE c.id IS NULL OR c.revoked_at IS NOT NULL OR c.expires_at <= NEW.created_at)))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER broadcasts_are_of_live_credentials BEFORE INSERT ON bursar.broadcasts
FOR EACH ROW WHEN (NEW.payment_id IS NOT NULL)
EXECUTE FUNCTION bursar.broadcasts_are_of_live_credentials('bursar: nothing is sent for a credential that has ended');
--> statement-breakpoint
CREATE TRIGGER broadcasts_keep_their_terms BEFORE UPDATE ON bursar.broadcasts
FOR EACH ROW WHEN (
  NEW.tx_hash IS DISTINCT FROM OLD.tx_hash OR NEW.relayer IS DISTINCT FROM OLD.relayer
  OR NEW.relayer_nonce IS DISTINCT FROM OLD.relayer_nonce OR NEW.payment_id IS DISTINCT FROM OLD.payment_id
  OR NEW.raw IS DISTINCT FROM OLD.raw OR NEW.max_fee IS DISTINCT FROM OLD.max_fee
  OR NEW.day IS DISTINCT FROM OLD.day OR NEW.created_at IS DISTINCT FROM OLD.created_at
)
EXECUTE FUNCTION bursar.refuse('bursar: what was sent never changes');
--> statement-breakpoint
CREATE TRIGGER broadcasts_are_paid_once BEFORE UPDATE ON bursar.broadcasts
FOR EACH ROW WHEN (OLD.fee IS NOT NULL AND NEW.fee IS DISTINCT FROM OLD.fee)
EXECUTE FUNCTION bursar.refuse('bursar: a fee is paid once');
--> statement-breakpoint
CREATE TRIGGER broadcasts_remain BEFORE DELETE OR TRUNCATE ON bursar.broadcasts
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: what was sent is never deleted');
--> statement-breakpoint
CREATE TRIGGER fee_days_keep_their_day BEFORE UPDATE ON bursar.fee_days
FOR EACH ROW WHEN (NEW.relayer IS DISTINCT FROM OLD.relayer OR NEW.day IS DISTINCT FROM OLD.day)
EXECUTE FUNCTION bursar.refuse('bursar: the fees of a day keep their day');
--> statement-breakpoint
CREATE TRIGGER fee_days_spend_for_good BEFORE UPDATE ON bursar.fee_days
FOR EACH ROW WHEN (NEW.spent < OLD.spent)
EXECUTE FUNCTION bursar.refuse('bursar: a fee never comes back');
--> statement-breakpoint
CREATE FUNCTION bursar.fee_days_begin_within_cap() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.held + NEW.spent > coalesce((SELECT r.daily_max FROM bursar.relayers r WHERE r.id = NEW.relayer), 0)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER fee_days_begin_within_cap BEFORE INSERT ON bursar.fee_days
FOR EACH ROW
EXECUTE FUNCTION bursar.fee_days_begin_within_cap('bursar: over the fees of a day');
--> statement-breakpoint
CREATE FUNCTION bursar.fee_days_grow_within_cap() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.held + NEW.spent > coalesce((SELECT r.daily_max FROM bursar.relayers r WHERE r.id = NEW.relayer), 0)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER fee_days_grow_within_cap BEFORE UPDATE ON bursar.fee_days
FOR EACH ROW WHEN (NEW.held > OLD.held)
EXECUTE FUNCTION bursar.fee_days_grow_within_cap('bursar: over the fees of a day');
--> statement-breakpoint
CREATE TRIGGER fee_days_remain BEFORE DELETE OR TRUNCATE ON bursar.fee_days
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: the fees of a day are never deleted');
--> statement-breakpoint
CREATE TRIGGER deposits_stay BEFORE UPDATE ON bursar.deposits
FOR EACH ROW
EXECUTE FUNCTION bursar.refuse('bursar: a deposit is never changed');
--> statement-breakpoint
CREATE TRIGGER deposits_remain BEFORE DELETE OR TRUNCATE ON bursar.deposits
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a deposit is never deleted');
--> statement-breakpoint
CREATE TRIGGER scans_keep_their_wallet BEFORE UPDATE ON bursar.scans
FOR EACH ROW WHEN (NEW.wallet_id IS DISTINCT FROM OLD.wallet_id)
EXECUTE FUNCTION bursar.refuse('bursar: how far a chain was read is of one wallet');
--> statement-breakpoint
CREATE TRIGGER scans_remain BEFORE DELETE OR TRUNCATE ON bursar.scans
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: how far a chain was read is never deleted');
--> statement-breakpoint
-- Whom a transfer was seen to reach, and nobody else: who is known is paid without a question.
CREATE FUNCTION bursar.known_payees_were_paid() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM bursar.transfers t
    WHERE t.wallet_id = NEW.wallet_id AND t.to_address = right(NEW.account, 42) AND t.tx_hash IS NOT NULL
      AND bursar.network_of(t.asset) || ':' || t.to_address = NEW.account
  )
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER known_payees_were_paid BEFORE INSERT ON bursar.known_payees
FOR EACH ROW
EXECUTE FUNCTION bursar.known_payees_were_paid('bursar: only who was paid is known');
--> statement-breakpoint
CREATE TRIGGER known_payees_keep_their_account BEFORE UPDATE ON bursar.known_payees
FOR EACH ROW WHEN (
  NEW.wallet_id IS DISTINCT FROM OLD.wallet_id OR NEW.account IS DISTINCT FROM OLD.account
  OR NEW.shape IS DISTINCT FROM OLD.shape
)
EXECUTE FUNCTION bursar.refuse('bursar: whom a wallet paid never changes');
--> statement-breakpoint
CREATE TRIGGER known_payees_remain BEFORE DELETE OR TRUNCATE ON bursar.known_payees
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: whom a wallet paid is never deleted');
--> statement-breakpoint
-- Its payment is written after it, in the same step: what an earlier payment is for, nobody changes.
CREATE FUNCTION bursar.purchases_are_new() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.header IS NOT NULL OR NEW.value IS NOT NULL
    OR EXISTS (SELECT 1 FROM bursar.payments p WHERE p.id = NEW.payment_id)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER purchases_are_new BEFORE INSERT ON bursar.purchases
FOR EACH ROW
EXECUTE FUNCTION bursar.purchases_are_new('bursar: a purchase begins unsigned, with its payment, and is never replaced');
--> statement-breakpoint
CREATE TRIGGER purchases_keep_their_resource BEFORE UPDATE ON bursar.purchases
FOR EACH ROW WHEN (NEW.payment_id IS DISTINCT FROM OLD.payment_id OR NEW.resource_ref IS DISTINCT FROM OLD.resource_ref)
EXECUTE FUNCTION bursar.refuse('bursar: what is bought never changes');
--> statement-breakpoint
-- At most what was approved, and only while nothing is signed; who settles it is said along with what it costs.
CREATE FUNCTION bursar.purchases_cost_what_was_approved() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bursar.transfers t WHERE t.payment_id = NEW.payment_id)
    OR NOT EXISTS (SELECT 1 FROM bursar.payments p
      WHERE p.id = NEW.payment_id AND p.status = 'authorized' AND NEW.value <= p.held)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER purchases_cost_what_was_approved BEFORE UPDATE ON bursar.purchases
FOR EACH ROW WHEN (NEW.value IS DISTINCT FROM OLD.value OR NEW.facilitator IS DISTINCT FROM OLD.facilitator)
EXECUTE FUNCTION bursar.purchases_cost_what_was_approved('bursar: a purchase costs at most what was approved');
--> statement-breakpoint
-- One header of x402, for what was signed, as the owner allows it.
CREATE FUNCTION bursar.purchases_are_prepared_once() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF OLD.header IS NOT NULL
    OR NEW.header !~ (CASE NEW.version WHEN 1 THEN '^x-payment: [^ ]' ELSE '^payment-signature: [^ ]' END)
    OR substr(NEW.header, strpos(NEW.header, ' ') + 1) ~ '[^A-Za-z0-9+/=]'
    OR NOT EXISTS (SELECT 1 FROM bursar.transfers t JOIN bursar.wallets w ON w.id = t.wallet_id
      WHERE t.payment_id = NEW.payment_id AND (NEW.version = 2 OR bursar.items(w.allows) ? 'v1')
        AND (NEW.flow = 'authorization' OR bursar.items(w.allows) ? 'upfront'))
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER purchases_are_prepared_once BEFORE UPDATE ON bursar.purchases
FOR EACH ROW WHEN (NEW.header IS DISTINCT FROM OLD.header OR NEW.version IS DISTINCT FROM OLD.version
    OR NEW.flow IS DISTINCT FROM OLD.flow)
EXECUTE FUNCTION bursar.purchases_are_prepared_once('bursar: what pays is prepared once, for what was signed');
--> statement-breakpoint
CREATE TRIGGER purchases_stay_delivered BEFORE UPDATE ON bursar.purchases
FOR EACH ROW WHEN (OLD.delivered_at IS NOT NULL
  AND (NEW.http_status IS DISTINCT FROM OLD.http_status OR NEW.delivered_at IS DISTINCT FROM OLD.delivered_at))
EXECUTE FUNCTION bursar.refuse('bursar: what was delivered stays so');
--> statement-breakpoint
CREATE TRIGGER purchases_remain BEFORE DELETE OR TRUNCATE ON bursar.purchases
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a purchase is never deleted');
--> statement-breakpoint
-- Known scopes, once each; and instruments as a list.
CREATE TRIGGER credentials_have_known_scopes BEFORE INSERT ON bursar.credentials
FOR EACH ROW WHEN (jsonb_typeof(NEW.scopes) <> 'array' OR jsonb_array_length(bursar.items(NEW.scopes)) = 0
  -- Whatever is unknown, or there twice, makes the list longer than what is known of it.
  OR jsonb_array_length(bursar.items(NEW.scopes)) <> (NEW.scopes ? 'bursar:read')::integer
    + (NEW.scopes ? 'bursar:request')::integer + (NEW.scopes ? 'bursar:pay')::integer
  OR jsonb_typeof(NEW.instruments) <> 'array')
EXECUTE FUNCTION bursar.refuse('bursar: a credential has known scopes');
--> statement-breakpoint
CREATE FUNCTION bursar.credentials_are_new() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.spent <> 0 OR NEW.revoked_at IS NOT NULL OR NEW.expires_at <= NEW.created_at
    OR EXISTS (SELECT 1 FROM bursar.credentials c
      WHERE c.issuer = NEW.issuer AND c.subject = NEW.subject AND c.revoked_at IS NULL)
    OR NOT EXISTS (SELECT 1 FROM bursar.agents a WHERE a.id = NEW.agent_id AND a.status = 'active')
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER credentials_are_new BEFORE INSERT ON bursar.credentials
FOR EACH ROW
EXECUTE FUNCTION bursar.credentials_are_new('bursar: a credential begins unused, of an active agent, and is never replaced');
--> statement-breakpoint
-- Narrower and shorter-lived than what it was minted with, which is good itself with all above it; at most three deep.
CREATE FUNCTION bursar.credentials_only_narrow() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM bursar.credentials p
    LEFT JOIN bursar.credentials g ON g.id = p.parent_id
    LEFT JOIN bursar.credentials gg ON gg.id = g.parent_id
    WHERE p.id = NEW.parent_id AND p.agent_id = NEW.agent_id AND gg.parent_id IS NULL
      AND p.revoked_at IS NULL AND g.revoked_at IS NULL AND gg.revoked_at IS NULL
      -- An owner may have brought forward the end of one above it.
      AND (p.expires_at IS NULL OR NEW.expires_at <= p.expires_at)
      AND (g.expires_at IS NULL OR NEW.expires_at <= g.expires_at)
      AND (gg.expires_at IS NULL OR NEW.expires_at <= gg.expires_at)
      AND bursar.items(NEW.scopes) <@ bursar.items(p.scopes)
      AND (p.instruments IS NULL OR bursar.items(NEW.instruments) <@ bursar.items(p.instruments)
        AND NEW.instruments IS NOT NULL)
      AND (p.max_amount IS NULL OR (NEW.currency = p.currency AND NEW.max_amount <= p.max_amount))
  )
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER credentials_only_narrow BEFORE INSERT ON bursar.credentials
FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL)
EXECUTE FUNCTION bursar.credentials_only_narrow('bursar: what an agent mints is never wider than its own');
--> statement-breakpoint
CREATE FUNCTION bursar.credentials_are_few() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF 100 <= (SELECT count(*) FROM bursar.credentials c
    WHERE c.parent_id = NEW.parent_id AND c.revoked_at IS NULL AND c.expires_at > NEW.created_at)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER credentials_are_few BEFORE INSERT ON bursar.credentials
FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL)
EXECUTE FUNCTION bursar.credentials_are_few('bursar: a credential mints a hundred others at a time');
--> statement-breakpoint
CREATE TRIGGER credentials_keep_their_terms BEFORE UPDATE ON bursar.credentials
FOR EACH ROW WHEN (
  NEW.id IS DISTINCT FROM OLD.id OR NEW.agent_id IS DISTINCT FROM OLD.agent_id
  OR NEW.parent_id IS DISTINCT FROM OLD.parent_id OR NEW.issuer IS DISTINCT FROM OLD.issuer
  OR NEW.subject IS DISTINCT FROM OLD.subject OR NEW.audience IS DISTINCT FROM OLD.audience
  OR NEW.jwks_uri IS DISTINCT FROM OLD.jwks_uri OR NEW.scopes IS DISTINCT FROM OLD.scopes
  OR NEW.instruments IS DISTINCT FROM OLD.instruments OR NEW.max_amount IS DISTINCT FROM OLD.max_amount
  OR NEW.currency IS DISTINCT FROM OLD.currency OR NEW.label IS DISTINCT FROM OLD.label
  OR NEW.created_at IS DISTINCT FROM OLD.created_at
)
EXECUTE FUNCTION bursar.refuse('bursar: the terms of a credential never change');
--> statement-breakpoint
CREATE TRIGGER credentials_keep_their_key BEFORE UPDATE ON bursar.credentials
FOR EACH ROW WHEN (NEW.key_hash IS DISTINCT FROM OLD.key_hash)
EXECUTE FUNCTION bursar.refuse('bursar: a credential keeps its key');
--> statement-breakpoint
-- Its end may come sooner, never later.
CREATE TRIGGER credentials_end_for_good BEFORE UPDATE ON bursar.credentials
FOR EACH ROW WHEN ((OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
  OR (OLD.expires_at IS NOT NULL AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at)))
EXECUTE FUNCTION bursar.refuse('bursar: a credential that ends stays ended');
--> statement-breakpoint
-- What is given back was held: by a payment that is open still.
CREATE FUNCTION bursar.credentials_get_back_what_was_held() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM bursar.payments p
    WHERE p.agent_id = NEW.agent_id AND p.status IN ('authorized', 'in_doubt') AND p.credentials <> '[]'::jsonb
      AND bursar.items(p.credentials) ? NEW.id AND OLD.spent - NEW.spent <= p.held)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER credentials_get_back_what_was_held BEFORE UPDATE ON bursar.credentials
FOR EACH ROW WHEN (NEW.spent < OLD.spent)
EXECUTE FUNCTION bursar.credentials_get_back_what_was_held('bursar: what was spent stays spent');
--> statement-breakpoint
CREATE TRIGGER credentials_remain BEFORE DELETE OR TRUNCATE ON bursar.credentials
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a credential is revoked, never deleted');
--> statement-breakpoint
CREATE TRIGGER passkeys_are_new BEFORE INSERT ON bursar.passkeys
FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL)
EXECUTE FUNCTION bursar.refuse('bursar: a passkey is never replaced');
--> statement-breakpoint
-- The first is enrolled with an invitation, used in the same step and before it; further ones by who has one.
CREATE FUNCTION bursar.passkeys_are_invited() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM bursar.passkeys k WHERE k.owner_id = NEW.owner_id AND k.revoked_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM bursar.invitations i WHERE i.owner_id = NEW.owner_id AND i.used_at = NEW.created_at)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER passkeys_are_invited BEFORE INSERT ON bursar.passkeys
FOR EACH ROW
EXECUTE FUNCTION bursar.passkeys_are_invited('bursar: a first passkey is enrolled by invitation');
--> statement-breakpoint
CREATE TRIGGER passkeys_stay BEFORE UPDATE ON bursar.passkeys
FOR EACH ROW WHEN (
  NEW.id IS DISTINCT FROM OLD.id OR NEW.owner_id IS DISTINCT FROM OLD.owner_id
  OR NEW.public_key IS DISTINCT FROM OLD.public_key OR NEW.rp_id IS DISTINCT FROM OLD.rp_id
  OR NEW.origin IS DISTINCT FROM OLD.origin OR NEW.name IS DISTINCT FROM OLD.name
  OR NEW.synced IS DISTINCT FROM OLD.synced OR NEW.transports IS DISTINCT FROM OLD.transports
  OR NEW.created_at IS DISTINCT FROM OLD.created_at
)
EXECUTE FUNCTION bursar.refuse('bursar: a passkey never changes');
--> statement-breakpoint
CREATE TRIGGER passkeys_stay_revoked BEFORE UPDATE ON bursar.passkeys
FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
EXECUTE FUNCTION bursar.refuse('bursar: a revoked passkey stays revoked');
--> statement-breakpoint
CREATE TRIGGER passkeys_remain BEFORE DELETE OR TRUNCATE ON bursar.passkeys
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: a passkey is revoked, never deleted');
--> statement-breakpoint
CREATE FUNCTION bursar.invitations_are_new() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.used_at IS NOT NULL
    OR EXISTS (SELECT 1 FROM bursar.passkeys k WHERE k.owner_id = NEW.owner_id AND k.revoked_at IS NULL)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER invitations_are_new BEFORE INSERT ON bursar.invitations
FOR EACH ROW
EXECUTE FUNCTION bursar.invitations_are_new('bursar: only who has no passkey is invited');
--> statement-breakpoint
CREATE TRIGGER invitations_stay BEFORE UPDATE ON bursar.invitations
FOR EACH ROW WHEN (
  NEW.code_hash IS DISTINCT FROM OLD.code_hash OR NEW.owner_id IS DISTINCT FROM OLD.owner_id
  OR NEW.created_at IS DISTINCT FROM OLD.created_at OR NEW.expires_at IS DISTINCT FROM OLD.expires_at
)
EXECUTE FUNCTION bursar.refuse('bursar: an invitation never changes');
--> statement-breakpoint
CREATE TRIGGER invitations_are_used_once BEFORE UPDATE ON bursar.invitations
FOR EACH ROW WHEN (OLD.used_at IS NOT NULL AND NEW.used_at IS DISTINCT FROM OLD.used_at)
EXECUTE FUNCTION bursar.refuse('bursar: an invitation is used once');
--> statement-breakpoint
-- Of two codes that were given out for one owner, one is good.
CREATE FUNCTION bursar.invitations_are_for_a_first() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM bursar.passkeys k WHERE k.owner_id = NEW.owner_id AND k.revoked_at IS NULL)
  THEN RAISE check_violation USING MESSAGE = TG_ARGV[0], SCHEMA = 'bursar', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER invitations_are_for_a_first BEFORE UPDATE ON bursar.invitations
FOR EACH ROW WHEN (NEW.used_at IS DISTINCT FROM OLD.used_at)
EXECUTE FUNCTION bursar.invitations_are_for_a_first('bursar: only who has no passkey is invited');
--> statement-breakpoint
CREATE TRIGGER invitations_remain BEFORE DELETE OR TRUNCATE ON bursar.invitations
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: an invitation is never deleted');
--> statement-breakpoint
CREATE TRIGGER notice_cursors_advance BEFORE UPDATE ON bursar.notice_cursors
FOR EACH ROW WHEN (NEW.channel <> OLD.channel OR NEW.journal <> OLD.journal OR NEW.seq < OLD.seq)
EXECUTE FUNCTION bursar.refuse('bursar: what was told stays told');
--> statement-breakpoint
CREATE TRIGGER notice_cursors_remain BEFORE DELETE OR TRUNCATE ON bursar.notice_cursors
FOR EACH STATEMENT EXECUTE FUNCTION bursar.refuse('bursar: what was told stays told');
--> statement-breakpoint
-- They stand in every session: `session_replication_role = replica`, which only a superuser may set, does not pass them by
-- either. Foreign keys it would pass by: their triggers are PostgreSQL's own.
DO $$
DECLARE wall record;
BEGIN
  FOR wall IN
    SELECT t.tgname, c.relname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'bursar'::pg_catalog.regnamespace AND NOT t.tgisinternal
  LOOP
    EXECUTE format('ALTER TABLE bursar.%I ENABLE ALWAYS TRIGGER %I', wall.relname, wall.tgname);
  END LOOP;
END $$;
--> statement-breakpoint
-- What a node of bursar may do, for a role that does not own the tables: read, append, and change what changes at all. It
-- deletes nothing, makes nothing, and takes no wall away. Whatever more the role was granted here is taken back. The owner
-- calls it after the last migration.
CREATE FUNCTION bursar.grant_to(role name) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  readings constant text[] := '{instance,agents,wallets,accounts,limits,counters,approvals,requests,instruments,payments,
    rails,heads,texts,transfers,relayers,broadcasts,fee_days,scans,known_payees,purchases,credentials,passkeys,invitations,
    notice_cursors}';
  books constant text[] := '{owners,entries,events,deposits,answers}';
  owner constant oid := (SELECT relowner FROM pg_class WHERE oid = 'bursar.events'::regclass);
  book text;
BEGIN
  IF NOT pg_has_role(owner, 'USAGE') THEN
    RAISE insufficient_privilege USING MESSAGE = 'bursar: only the role that owns the tables grants their use';
  END IF;
  IF pg_has_role(role, owner, 'MEMBER') THEN
    RAISE invalid_parameter_value
      USING MESSAGE = 'bursar: a superuser, and a role that may act as the owner of the tables, is held back by nothing';
  END IF;
  REVOKE ALL ON ALL ROUTINES IN SCHEMA bursar FROM PUBLIC;
  EXECUTE format('REVOKE ALL ON SCHEMA bursar FROM %I', role);
  EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA bursar FROM %I', role);
  EXECUTE format('REVOKE ALL ON ALL ROUTINES IN SCHEMA bursar FROM %I', role);
  EXECUTE format('GRANT USAGE ON SCHEMA bursar TO %I', role);
  EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA bursar TO %I', role);
  EXECUTE format('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA bursar TO %I', role);
  FOREACH book IN ARRAY books LOOP
    EXECUTE format('GRANT INSERT ON bursar.%I TO %I', book, role);
  END LOOP;
  FOREACH book IN ARRAY readings LOOP
    EXECUTE format('GRANT INSERT, UPDATE ON bursar.%I TO %I', book, role);
  END LOOP;
END $$;
--> statement-breakpoint
REVOKE ALL ON ALL TABLES IN SCHEMA bursar FROM PUBLIC;
--> statement-breakpoint
REVOKE ALL ON ALL ROUTINES IN SCHEMA bursar FROM PUBLIC;
