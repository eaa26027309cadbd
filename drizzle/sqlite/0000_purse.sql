-- The purse. Every rule that the program decides by stands here a second time, so that a bug or injected SQL cannot
-- commit what was not allowed. Amounts are integers in smallest units; times are milliseconds since the epoch.
-- The triggers named `…_are_new` stop INSERT OR REPLACE, which fires no delete trigger on a connection that did not ask
-- for recursive triggers.

CREATE TABLE instance (
  id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  frozen INTEGER NOT NULL CHECK (frozen IN (0, 1))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER instance_is_one BEFORE INSERT ON instance
WHEN (SELECT count(*) FROM instance) > 0
BEGIN SELECT RAISE(ABORT, 'bursar: there is one instance'); END;
--> statement-breakpoint
CREATE TRIGGER instance_stays BEFORE UPDATE OF id, created_at ON instance
BEGIN SELECT RAISE(ABORT, 'bursar: the instance stays the same'); END;
--> statement-breakpoint
CREATE TRIGGER instance_remains BEFORE DELETE ON instance
BEGIN SELECT RAISE(ABORT, 'bursar: the instance is never deleted'); END;
--> statement-breakpoint
CREATE TABLE owners (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  public_key TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER owners_are_new BEFORE INSERT ON owners
WHEN EXISTS (SELECT 1 FROM owners WHERE id = NEW.id OR public_key = NEW.public_key)
BEGIN SELECT RAISE(ABORT, 'bursar: an owner is never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER owners_stay BEFORE UPDATE ON owners
BEGIN SELECT RAISE(ABORT, 'bursar: an owner keeps name and key'); END;
--> statement-breakpoint
CREATE TRIGGER owners_remain BEFORE DELETE ON owners
BEGIN SELECT RAISE(ABORT, 'bursar: an owner is never deleted'); END;
--> statement-breakpoint
CREATE TABLE agents (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  key_hash TEXT UNIQUE CHECK (key_hash IS NULL OR length(key_hash) = 64),
  status TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER agents_are_new BEFORE INSERT ON agents
WHEN EXISTS (SELECT 1 FROM agents WHERE id = NEW.id OR name = NEW.name OR key_hash = NEW.key_hash)
BEGIN SELECT RAISE(ABORT, 'bursar: an agent is never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER agents_keep_their_name BEFORE UPDATE OF id, name, created_at ON agents
BEGIN SELECT RAISE(ABORT, 'bursar: an agent keeps its name'); END;
--> statement-breakpoint
CREATE TRIGGER agents_stay_revoked BEFORE UPDATE OF key_hash, status ON agents WHEN OLD.status = 'revoked'
BEGIN SELECT RAISE(ABORT, 'bursar: a revoked agent stays revoked'); END;
--> statement-breakpoint
CREATE TRIGGER agents_remain BEFORE DELETE ON agents
BEGIN SELECT RAISE(ABORT, 'bursar: an agent is revoked, never deleted'); END;
--> statement-breakpoint
CREATE TABLE wallets (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  owner_id TEXT NOT NULL REFERENCES owners (id),
  agent_id TEXT REFERENCES agents (id),
  mode TEXT NOT NULL CHECK (mode IN ('sandbox', 'live')),
  currency TEXT NOT NULL,
  decimals INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 9),
  time_zone TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'frozen')),
  approvals TEXT NOT NULL CHECK (json_valid(approvals)),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER wallets_are_new BEFORE INSERT ON wallets
WHEN EXISTS (SELECT 1 FROM wallets WHERE id = NEW.id OR name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'bursar: a wallet is never replaced'); END;
--> statement-breakpoint
-- The time zone too: another one begins the windows of its limits anew.
CREATE TRIGGER wallets_keep_their_terms
BEFORE UPDATE OF id, name, owner_id, agent_id, mode, currency, decimals, time_zone, created_at ON wallets
BEGIN SELECT RAISE(ABORT, 'bursar: a wallet keeps its owner, agent, mode, asset and time zone'); END;
--> statement-breakpoint
CREATE TRIGGER wallets_remain BEFORE DELETE ON wallets
BEGIN SELECT RAISE(ABORT, 'bursar: a wallet is never deleted'); END;
--> statement-breakpoint
CREATE TABLE accounts (
  wallet_id TEXT PRIMARY KEY REFERENCES wallets (id),
  available INTEGER NOT NULL CHECK (available >= 0),
  held INTEGER NOT NULL CHECK (held >= 0),
  external INTEGER NOT NULL,
  overdrawn INTEGER NOT NULL CHECK (overdrawn <= 0),
  CHECK (available + held + external + overdrawn = 0)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER accounts_are_new BEFORE INSERT ON accounts
WHEN EXISTS (SELECT 1 FROM accounts WHERE wallet_id = NEW.wallet_id)
BEGIN SELECT RAISE(ABORT, 'bursar: balances are never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER accounts_keep_their_wallet BEFORE UPDATE OF wallet_id ON accounts
BEGIN SELECT RAISE(ABORT, 'bursar: balances keep their wallet'); END;
--> statement-breakpoint
CREATE TRIGGER accounts_remain BEFORE DELETE ON accounts
BEGIN SELECT RAISE(ABORT, 'bursar: balances are never deleted'); END;
--> statement-breakpoint
CREATE TABLE entries (
  journal TEXT NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  wallet_id TEXT NOT NULL REFERENCES wallets (id),
  payment_id TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('fund', 'hold', 'capture', 'void', 'refund', 'forced')),
  debit TEXT NOT NULL CHECK (debit IN ('available', 'held', 'external', 'overdrawn')),
  credit TEXT NOT NULL CHECK (credit IN ('available', 'held', 'external', 'overdrawn') AND credit <> debit),
  amount INTEGER NOT NULL CHECK (amount > 0),
  PRIMARY KEY (journal, seq, n)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER entries_are_new BEFORE INSERT ON entries
WHEN EXISTS (SELECT 1 FROM entries WHERE journal = NEW.journal AND seq = NEW.seq AND n = NEW.n)
BEGIN SELECT RAISE(ABORT, 'bursar: an entry is never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'bursar: an entry is never changed'); END;
--> statement-breakpoint
CREATE TRIGGER entries_remain BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'bursar: an entry is never deleted'); END;
--> statement-breakpoint
CREATE TABLE limits (
  id TEXT PRIMARY KEY,
  wallet_id TEXT NOT NULL REFERENCES wallets (id),
  scope TEXT NOT NULL CHECK (scope IN ('wallet', 'agent', 'instrument', 'session', 'payee', 'category', 'protocol')),
  scope_value TEXT,
  window TEXT NOT NULL CHECK (window IN ('payment', 'session', 'hour', 'day', 'week', 'month', 'total')),
  max_amount INTEGER CHECK (max_amount >= 0),
  max_count INTEGER CHECK (max_count >= 0),
  over TEXT NOT NULL CHECK (over IN ('deny', 'ask')),
  created_at INTEGER NOT NULL,
  removed_at INTEGER,
  CHECK (max_amount IS NOT NULL OR max_count IS NOT NULL)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX limits_of_wallet ON limits (wallet_id) WHERE removed_at IS NULL;
--> statement-breakpoint
CREATE TRIGGER limits_are_new BEFORE INSERT ON limits WHEN EXISTS (SELECT 1 FROM limits WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'bursar: a limit is never replaced by an insert'); END;
--> statement-breakpoint
CREATE TRIGGER limits_keep_their_rule
BEFORE UPDATE OF id, wallet_id, scope, scope_value, window, max_amount, max_count, over, created_at ON limits
BEGIN SELECT RAISE(ABORT, 'bursar: a limit is replaced, never changed'); END;
--> statement-breakpoint
CREATE TRIGGER limits_stay_removed BEFORE UPDATE OF removed_at ON limits WHEN OLD.removed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'bursar: a removed limit stays removed'); END;
--> statement-breakpoint
CREATE TRIGGER limits_remain BEFORE DELETE ON limits
BEGIN SELECT RAISE(ABORT, 'bursar: a limit is removed, never deleted'); END;
--> statement-breakpoint
CREATE TABLE counters (
  limit_id TEXT NOT NULL REFERENCES limits (id),
  scope_value TEXT NOT NULL,
  window_key TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  count INTEGER NOT NULL CHECK (count >= 0),
  forced INTEGER NOT NULL CHECK (forced >= 0),
  PRIMARY KEY (limit_id, scope_value, window_key)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER counters_are_new BEFORE INSERT ON counters
WHEN EXISTS (SELECT 1 FROM counters
  WHERE limit_id = NEW.limit_id AND scope_value = NEW.scope_value AND window_key = NEW.window_key)
BEGIN SELECT RAISE(ABORT, 'bursar: a counter is never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER counters_keep_their_key BEFORE UPDATE OF limit_id, scope_value, window_key ON counters
BEGIN SELECT RAISE(ABORT, 'bursar: a counter keeps its window'); END;
--> statement-breakpoint
CREATE TRIGGER counters_begin_within_cap BEFORE INSERT ON counters
WHEN NEW.amount > 0 AND EXISTS (
  SELECT 1 FROM limits WHERE id = NEW.limit_id AND over = 'deny' AND removed_at IS NULL
    AND (NEW.amount + NEW.forced > max_amount OR NEW.count > max_count)
)
BEGIN SELECT RAISE(ABORT, 'bursar: over a limit'); END;
--> statement-breakpoint
CREATE TRIGGER counters_grow_within_cap BEFORE UPDATE ON counters
WHEN (NEW.amount > OLD.amount OR NEW.count > OLD.count) AND EXISTS (
  SELECT 1 FROM limits WHERE id = NEW.limit_id AND over = 'deny' AND removed_at IS NULL
    AND (NEW.amount + NEW.forced > max_amount OR NEW.count > max_count)
)
BEGIN SELECT RAISE(ABORT, 'bursar: over a limit'); END;
--> statement-breakpoint
CREATE TRIGGER counters_remain BEFORE DELETE ON counters
BEGIN SELECT RAISE(ABORT, 'bursar: a counter is never deleted'); END;
--> statement-breakpoint
CREATE TABLE approvals (
  id TEXT PRIMARY KEY,
  subject_id TEXT NOT NULL UNIQUE,
  wallet_id TEXT NOT NULL REFERENCES wallets (id),
  digest TEXT NOT NULL CHECK (length(digest) = 64),
  needs TEXT NOT NULL CHECK (needs IN ('none', 'host', 'operator', 'passkey')),
  status TEXT NOT NULL CHECK (status IN ('waiting', 'approved', 'denied', 'expired', 'canceled')),
  asked TEXT,
  assurance TEXT CHECK (assurance IN ('none', 'host', 'operator', 'passkey')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  answered_at INTEGER,
  reason_ref TEXT,
  -- A yes is at least as sure as the amount deserves, and came in time.
  CHECK (status <> 'approved' OR (
    assurance IS NOT NULL AND answered_at IS NOT NULL AND answered_at < expires_at
    AND instr('none host operator passkey', assurance) >= instr('none host operator passkey', needs)
  ))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX approvals_waiting ON approvals (id) WHERE status = 'waiting';
--> statement-breakpoint
CREATE TRIGGER approvals_are_new BEFORE INSERT ON approvals
WHEN EXISTS (SELECT 1 FROM approvals WHERE id = NEW.id OR subject_id = NEW.subject_id)
BEGIN SELECT RAISE(ABORT, 'bursar: a question is never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER approvals_keep_their_terms BEFORE UPDATE OF id, subject_id, wallet_id, digest, needs, created_at, expires_at ON approvals
BEGIN SELECT RAISE(ABORT, 'bursar: what is asked never changes'); END;
--> statement-breakpoint
CREATE TRIGGER approvals_are_answered_once BEFORE UPDATE OF status, assurance, answered_at, reason_ref ON approvals WHEN OLD.status <> 'waiting'
BEGIN SELECT RAISE(ABORT, 'bursar: a question is answered once'); END;
--> statement-breakpoint
CREATE TRIGGER approvals_remain BEFORE DELETE ON approvals
BEGIN SELECT RAISE(ABORT, 'bursar: an approval is never deleted'); END;
--> statement-breakpoint
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  wallet_id TEXT NOT NULL REFERENCES wallets (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  session_id TEXT NOT NULL,
  task_id TEXT,
  currency TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('virtual_card', 'usdc')),
  amount INTEGER NOT NULL CHECK (amount > 0),
  usage_limit INTEGER CHECK (usage_limit > 0),
  per_payment_max INTEGER CHECK (per_payment_max > 0),
  expires_in_ms INTEGER NOT NULL CHECK (expires_in_ms > 0),
  constraints TEXT NOT NULL CHECK (json_valid(constraints)),
  purpose_ref TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'canceled')),
  refusal TEXT CHECK (json_valid(refusal)),
  instrument_id TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX requests_of_agent ON requests (agent_id, id);
--> statement-breakpoint
CREATE TRIGGER requests_are_new BEFORE INSERT ON requests WHEN EXISTS (SELECT 1 FROM requests WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'bursar: a request is never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER requests_keep_their_terms
BEFORE UPDATE OF id, wallet_id, agent_id, session_id, task_id, currency, type, amount, usage_limit, per_payment_max,
  expires_in_ms, constraints, purpose_ref, created_at ON requests
BEGIN SELECT RAISE(ABORT, 'bursar: the terms of a request never change'); END;
--> statement-breakpoint
CREATE TRIGGER requests_are_decided_once BEFORE UPDATE OF status, refusal, instrument_id ON requests WHEN OLD.status <> 'pending'
BEGIN SELECT RAISE(ABORT, 'bursar: a request is decided once'); END;
--> statement-breakpoint
CREATE TRIGGER requests_remain BEFORE DELETE ON requests
BEGIN SELECT RAISE(ABORT, 'bursar: a request is never deleted'); END;
--> statement-breakpoint
CREATE TABLE instruments (
  id TEXT PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE REFERENCES requests (id),
  wallet_id TEXT NOT NULL REFERENCES wallets (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  type TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  remaining INTEGER NOT NULL CHECK (remaining BETWEEN 0 AND amount),
  usage_limit INTEGER CHECK (usage_limit > 0),
  usage_consumed INTEGER NOT NULL CHECK (usage_consumed >= 0 AND (usage_limit IS NULL OR usage_consumed <= usage_limit)),
  per_payment_max INTEGER CHECK (per_payment_max > 0),
  constraints TEXT NOT NULL CHECK (json_valid(constraints)),
  expires_at INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'frozen', 'limit_reached', 'expired', 'revoked', 'returned')),
  rail_ref TEXT,
  display TEXT,
  rail_status TEXT CHECK (rail_status IN ('active', 'frozen', 'closed')),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX instruments_of_agent ON instruments (agent_id, id);
--> statement-breakpoint
CREATE INDEX instruments_active ON instruments (id) WHERE status = 'active';
--> statement-breakpoint
CREATE TRIGGER instruments_are_new BEFORE INSERT ON instruments
WHEN EXISTS (SELECT 1 FROM instruments WHERE id = NEW.id OR request_id = NEW.request_id)
BEGIN SELECT RAISE(ABORT, 'bursar: an instrument is never replaced'); END;
--> statement-breakpoint
-- An instrument is what a human approved, or less.
CREATE TRIGGER instruments_are_approved BEFORE INSERT ON instruments
WHEN NOT EXISTS (
  SELECT 1 FROM requests r JOIN approvals a ON a.subject_id = r.id
  WHERE r.id = NEW.request_id AND r.wallet_id = NEW.wallet_id AND r.agent_id = NEW.agent_id AND r.type = NEW.type
    AND a.status = 'approved' AND r.status = 'approved' AND r.instrument_id = NEW.id
    AND NEW.amount <= r.amount AND NEW.remaining = NEW.amount AND NEW.usage_consumed = 0
    AND (r.usage_limit IS NULL OR NEW.usage_limit <= r.usage_limit)
    AND (r.per_payment_max IS NULL OR NEW.per_payment_max <= r.per_payment_max)
    AND NEW.created_at = a.answered_at AND NEW.expires_at <= a.answered_at + r.expires_in_ms
    AND NEW.constraints = r.constraints
)
BEGIN SELECT RAISE(ABORT, 'bursar: an instrument is never more than a human approved'); END;
--> statement-breakpoint
CREATE TRIGGER instruments_keep_their_terms
BEFORE UPDATE OF id, request_id, wallet_id, agent_id, type, amount, usage_limit, per_payment_max, constraints, expires_at, created_at
ON instruments
BEGIN SELECT RAISE(ABORT, 'bursar: the terms of an instrument never change'); END;
--> statement-breakpoint
CREATE TRIGGER instruments_end_for_good BEFORE UPDATE OF status ON instruments
WHEN OLD.status IN ('limit_reached', 'expired', 'revoked', 'returned') AND NEW.status <> OLD.status
BEGIN SELECT RAISE(ABORT, 'bursar: an ended instrument stays ended'); END;
--> statement-breakpoint
CREATE TRIGGER instruments_remain BEFORE DELETE ON instruments
BEGIN SELECT RAISE(ABORT, 'bursar: an instrument is never deleted'); END;
--> statement-breakpoint
CREATE TABLE payments (
  id TEXT PRIMARY KEY,
  wallet_id TEXT REFERENCES wallets (id),
  instrument_id TEXT REFERENCES instruments (id),
  agent_id TEXT NOT NULL REFERENCES agents (id),
  session_id TEXT NOT NULL,
  task_id TEXT,
  protocol TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('refused', 'awaiting_approval', 'authorized', 'in_doubt', 'captured', 'voided',
    'denied', 'expired', 'canceled', 'partially_refunded', 'refunded')),
  amount INTEGER CHECK (amount > 0),
  held INTEGER NOT NULL CHECK (held >= 0 AND held <= amount),
  captured INTEGER NOT NULL CHECK (captured >= 0 AND captured - forced <= amount),
  refunded INTEGER NOT NULL CHECK (refunded BETWEEN 0 AND captured),
  forced INTEGER NOT NULL CHECK (forced BETWEEN 0 AND captured),
  payee TEXT NOT NULL CHECK (json_valid(payee)),
  payee_key TEXT NOT NULL,
  purpose_ref TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  idempotency_key TEXT,
  refusal TEXT CHECK (json_valid(refusal)),
  counted TEXT NOT NULL CHECK (json_valid(counted)),
  valid_until INTEGER NOT NULL,
  rail_ref TEXT,
  refund_asked TEXT CHECK (json_valid(refund_asked)),
  created_at INTEGER NOT NULL,
  authorized_at INTEGER,
  updated_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  -- Only a refused attempt may name no instrument of the agent's, or no amount.
  CHECK (status = 'refused' OR (wallet_id IS NOT NULL AND instrument_id IS NOT NULL AND amount IS NOT NULL)),
  CHECK ((status = 'refused') <= (refusal IS NOT NULL)),
  CHECK (status IN ('authorized', 'in_doubt') OR held = 0),
  CHECK (status NOT IN ('captured', 'partially_refunded', 'refunded') OR captured > 0)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX payments_of_agent ON payments (agent_id, id);
--> statement-breakpoint
-- What a repeated call may be a repetition of: refused attempts and old purchases cost it nothing.
CREATE INDEX payments_same ON payments (agent_id, fingerprint, created_at)
WHERE status NOT IN ('refused', 'voided', 'expired', 'canceled');
--> statement-breakpoint
CREATE INDEX payments_same_undecided ON payments (agent_id, fingerprint, created_at)
WHERE status IN ('awaiting_approval', 'authorized', 'in_doubt');
--> statement-breakpoint
CREATE INDEX payments_by_key ON payments (agent_id, idempotency_key)
WHERE idempotency_key IS NOT NULL AND status NOT IN ('refused', 'voided', 'expired', 'canceled');
--> statement-breakpoint
CREATE TRIGGER payments_are_new BEFORE INSERT ON payments WHEN EXISTS (SELECT 1 FROM payments WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'bursar: a payment is never replaced'); END;
--> statement-breakpoint
-- One key, one purchase; a key is free again when its payment ended without money moving. No unique index: a network may
-- yet force a capture on a payment that was voided, and that must be written whoever has the key by then.
CREATE TRIGGER payments_have_their_own_key BEFORE INSERT ON payments
WHEN NEW.status <> 'refused' AND EXISTS (
  SELECT 1 FROM payments WHERE agent_id = NEW.agent_id AND idempotency_key = NEW.idempotency_key
    AND status NOT IN ('refused', 'voided', 'expired', 'canceled'))
BEGIN SELECT RAISE(ABORT, 'bursar: one key, one purchase'); END;
--> statement-breakpoint
CREATE INDEX payments_unsettled ON payments (id) WHERE status IN ('authorized', 'in_doubt');
--> statement-breakpoint
CREATE INDEX payments_unsettled_of ON payments (instrument_id) WHERE status IN ('authorized', 'in_doubt');
--> statement-breakpoint
-- Payments that hold money against a rule. Empty at all times; the triggers below see to that.
CREATE VIEW payments_not_allowed AS
SELECT p.id FROM payments p
LEFT JOIN instruments i ON i.id = p.instrument_id
LEFT JOIN wallets w ON w.id = p.wallet_id
LEFT JOIN agents a ON a.id = p.agent_id
WHERE p.status = 'authorized' AND (
  p.held <> p.amount OR p.captured <> 0 OR p.authorized_at IS NULL
  OR i.status IS NOT 'active' OR i.expires_at <= p.authorized_at OR p.amount > i.per_payment_max
  OR i.wallet_id <> p.wallet_id OR i.agent_id <> p.agent_id
  OR w.status IS NOT 'active' OR a.status IS NOT 'active'
  OR coalesce(w.agent_id, p.agent_id) <> p.agent_id
  OR (SELECT frozen FROM instance) IS NOT 0
  -- What it takes was taken, in the same step and before it: the money, the allowance, the counters.
  OR NOT EXISTS (SELECT 1 FROM entries e WHERE e.journal = p.wallet_id AND e.seq = p.seq AND e.payment_id = p.id
    AND e.kind = 'hold' AND e.amount = p.amount)
  OR i.amount - i.remaining < p.amount OR i.usage_consumed < 1
  OR json_array_length(p.counted) < (SELECT count(*) FROM limits l WHERE l.wallet_id = p.wallet_id
    AND l.removed_at IS NULL AND l.window <> 'payment' AND l.scope_value IS NULL)
  OR EXISTS (SELECT 1 FROM limits l WHERE l.wallet_id = p.wallet_id AND l.removed_at IS NULL
    AND l.window = 'payment' AND l.over = 'deny' AND l.scope = 'wallet' AND p.amount > l.max_amount)
  OR 3 > (SELECT count(DISTINCT l.window) FROM limits l WHERE l.wallet_id = p.wallet_id AND l.removed_at IS NULL
    AND l.over = 'deny' AND l.max_amount IS NOT NULL AND l.scope_value IS NULL
    AND l.scope IN ('wallet', 'agent', 'session') AND l.window IN ('payment', 'session', 'day'))
);
--> statement-breakpoint
CREATE TRIGGER payments_begin_allowed AFTER INSERT ON payments
WHEN NEW.status NOT IN ('refused', 'awaiting_approval') AND (NEW.status <> 'authorized'
  OR EXISTS (SELECT 1 FROM payments_not_allowed WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM limits l WHERE l.wallet_id = NEW.wallet_id AND l.removed_at IS NULL
    AND l.window = 'payment' AND l.over = 'ask' AND l.scope = 'wallet' AND NEW.amount > l.max_amount))
BEGIN SELECT RAISE(ABORT, 'bursar: a payment begins refused, waiting, or allowed and held'); END;
--> statement-breakpoint
CREATE TRIGGER payments_begin_unmoved BEFORE INSERT ON payments
WHEN NEW.captured <> 0 OR NEW.refunded <> 0 OR NEW.forced <> 0
BEGIN SELECT RAISE(ABORT, 'bursar: a payment begins with nothing moved'); END;
--> statement-breakpoint
CREATE TRIGGER payments_are_approved AFTER UPDATE OF status ON payments
WHEN NEW.status = 'authorized' AND OLD.status <> 'authorized' AND (
  OLD.status <> 'awaiting_approval'
  OR NOT EXISTS (SELECT 1 FROM approvals WHERE subject_id = NEW.id AND status = 'approved')
  OR EXISTS (SELECT 1 FROM payments_not_allowed WHERE id = NEW.id))
BEGIN SELECT RAISE(ABORT, 'bursar: a waiting payment is authorized by a human, within the rules'); END;
--> statement-breakpoint
CREATE TRIGGER payments_follow_their_course BEFORE UPDATE OF status ON payments
WHEN NEW.status <> OLD.status AND NOT (
  (OLD.status = 'awaiting_approval' AND NEW.status IN ('authorized', 'denied', 'expired', 'canceled'))
  -- Capture and refund are written as one when a rail's books tell of both at once.
  OR (OLD.status = 'authorized' AND NEW.status IN ('captured', 'voided', 'in_doubt', 'partially_refunded', 'refunded'))
  OR (OLD.status = 'in_doubt' AND NEW.status IN ('captured', 'voided', 'partially_refunded', 'refunded'))
  OR (OLD.status IN ('captured', 'partially_refunded') AND NEW.status IN ('partially_refunded', 'refunded'))
  OR (OLD.status = 'voided' AND NEW.status IN ('captured', 'partially_refunded', 'refunded') AND NEW.forced > OLD.forced)
  OR (OLD.status = 'refunded' AND NEW.status = 'partially_refunded' AND NEW.forced > OLD.forced)
)
BEGIN SELECT RAISE(ABORT, 'bursar: a payment does not go that way'); END;
--> statement-breakpoint
CREATE TRIGGER payments_take_from_their_hold BEFORE UPDATE ON payments
WHEN (NEW.captured - NEW.forced) - (OLD.captured - OLD.forced) > max(OLD.held - NEW.held, 0)
  OR (NEW.held > OLD.held AND NOT (OLD.status = 'awaiting_approval' AND NEW.status = 'authorized'))
  OR NEW.captured < OLD.captured OR NEW.forced < OLD.forced OR NEW.refunded < OLD.refunded
BEGIN SELECT RAISE(ABORT, 'bursar: nothing is captured that was not held'); END;
--> statement-breakpoint
CREATE TRIGGER payments_keep_their_terms
BEFORE UPDATE OF id, wallet_id, instrument_id, agent_id, session_id, task_id, protocol, amount, payee, payee_key, purpose_ref,
  fingerprint, idempotency_key, created_at ON payments
BEGIN SELECT RAISE(ABORT, 'bursar: the terms of a payment never change'); END;
--> statement-breakpoint
CREATE TRIGGER payments_remain BEFORE DELETE ON payments
BEGIN SELECT RAISE(ABORT, 'bursar: a payment is never deleted'); END;
--> statement-breakpoint
CREATE TABLE rails (
  id TEXT PRIMARY KEY CHECK (id IN ('virtual_card', 'usdc')),
  cursor TEXT NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER rails_remain BEFORE DELETE ON rails
BEGIN SELECT RAISE(ABORT, 'bursar: how far a rail was read is never deleted'); END;
--> statement-breakpoint
CREATE TABLE events (
  journal TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 0),
  type TEXT NOT NULL,
  body TEXT NOT NULL CHECK (json_valid(body)),
  leaf BLOB NOT NULL CHECK (length(leaf) = 32),
  PRIMARY KEY (journal, seq)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
-- Contiguous from 0. This also stops INSERT OR REPLACE, which does not fire delete triggers on every connection.
CREATE TRIGGER events_append BEFORE INSERT ON events
WHEN NEW.seq <> coalesce((SELECT max(seq) + 1 FROM events WHERE journal = NEW.journal), 0)
BEGIN SELECT RAISE(ABORT, 'bursar: a journal only grows at its end'); END;
--> statement-breakpoint
CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'bursar: an event is never changed'); END;
--> statement-breakpoint
CREATE TRIGGER events_remain BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'bursar: an event is never deleted'); END;
--> statement-breakpoint
-- Where each journal stands: its size, the Merkle frontier that the next leaf continues, and the signed checkpoint over it.
CREATE TABLE heads (
  journal TEXT PRIMARY KEY,
  size INTEGER NOT NULL CHECK (size > 0),
  frontier BLOB NOT NULL CHECK (length(frontier) % 32 = 0),
  checkpoint TEXT NOT NULL,
  -- Made with a secret of the journal's key: history that was written without it is never continued.
  mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER heads_are_ahead BEFORE INSERT ON heads
WHEN EXISTS (SELECT 1 FROM heads WHERE journal = NEW.journal AND size >= NEW.size)
BEGIN SELECT RAISE(ABORT, 'bursar: a journal only grows'); END;
--> statement-breakpoint
CREATE TRIGGER heads_advance BEFORE UPDATE ON heads WHEN NEW.journal <> OLD.journal OR NEW.size <= OLD.size
BEGIN SELECT RAISE(ABORT, 'bursar: a journal only grows'); END;
--> statement-breakpoint
CREATE TRIGGER heads_remain BEFORE DELETE ON heads
BEGIN SELECT RAISE(ABORT, 'bursar: a journal is never deleted'); END;
--> statement-breakpoint
-- Large or personal text, apart from the journal under a salted hash, so that it can be erased (text becomes NULL).
CREATE TABLE texts (
  digest TEXT PRIMARY KEY CHECK (length(digest) = 64),
  salt TEXT NOT NULL,
  text TEXT
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER texts_are_new BEFORE INSERT ON texts WHEN EXISTS (SELECT 1 FROM texts WHERE digest = NEW.digest)
BEGIN SELECT RAISE(ABORT, 'bursar: a text is never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER texts_are_only_erased BEFORE UPDATE ON texts
WHEN NEW.digest <> OLD.digest OR NEW.salt <> OLD.salt OR NEW.text IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'bursar: a text is only ever erased'); END;
--> statement-breakpoint
CREATE TRIGGER texts_remain BEFORE DELETE ON texts
BEGIN SELECT RAISE(ABORT, 'bursar: a text is only ever erased'); END;
