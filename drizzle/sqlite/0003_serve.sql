-- Many agents and several owners: by what each is known, what credentials were minted for a task and may spend, who confirmed
-- what with a passkey, where two owners have to agree, and what was told to whom.

CREATE TABLE credentials (
  id TEXT PRIMARY KEY,
  agent_id TEXT NOT NULL REFERENCES agents (id),
  parent_id TEXT REFERENCES credentials (id),
  key_hash TEXT UNIQUE CHECK (length(key_hash) = 64),
  issuer TEXT,
  subject TEXT,
  audience TEXT,
  jwks_uri TEXT,
  scopes TEXT NOT NULL CHECK (json_valid(scopes)),
  instruments TEXT CHECK (json_valid(instruments)),
  max_amount INTEGER CHECK (max_amount > 0),
  currency TEXT,
  spent INTEGER NOT NULL CHECK (spent >= 0),
  label TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  CHECK (max_amount IS NULL OR spent <= max_amount),
  CHECK ((max_amount IS NULL) = (currency IS NULL)),
  CHECK ((key_hash IS NULL) = (issuer IS NOT NULL)),
  CHECK ((issuer IS NULL) = (subject IS NULL) AND (issuer IS NULL) = (audience IS NULL) AND (issuer IS NULL) = (jwks_uri IS NULL)),
  -- What an agent mints is a key, and ends by itself.
  CHECK (parent_id IS NULL OR (key_hash IS NOT NULL AND expires_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX credentials_of_agent ON credentials (agent_id, id);
--> statement-breakpoint
CREATE INDEX credentials_by_subject ON credentials (issuer, subject) WHERE issuer IS NOT NULL;
--> statement-breakpoint
CREATE INDEX credentials_minted ON credentials (parent_id, expires_at) WHERE parent_id IS NOT NULL AND revoked_at IS NULL;
--> statement-breakpoint
INSERT INTO credentials (id, agent_id, key_hash, scopes, spent, created_at, revoked_at)
SELECT 'crd_' || substr(a.id, 5), a.id, a.key_hash, '["bursar:read","bursar:request","bursar:pay"]', 0,
  (SELECT CAST(round(unixepoch(e.body ->> 'ts', 'subsec') * 1000) AS INTEGER) FROM events e
    WHERE e.journal = 'instance' AND e.type IN ('agent.added', 'agent.rotated') AND e.body ->> 'agent_id' = a.id
      AND e.body -> 'details' ->> 'key_hash' IS NOT NULL ORDER BY e.seq LIMIT 1), NULL
FROM agents a WHERE a.key_hash IS NOT NULL;
--> statement-breakpoint
-- Known scopes, once each; and instruments as a list.
CREATE TRIGGER credentials_have_known_scopes BEFORE INSERT ON credentials
WHEN json_type(NEW.scopes) <> 'array' OR json_array_length(NEW.scopes) = 0
  OR json_array_length(NEW.scopes) <> (SELECT count(DISTINCT value) FROM json_each(NEW.scopes))
  OR EXISTS (SELECT 1 FROM json_each(NEW.scopes) WHERE coalesce(value, '') NOT IN ('bursar:read', 'bursar:request', 'bursar:pay'))
  OR (NEW.instruments IS NOT NULL AND json_type(NEW.instruments) <> 'array')
BEGIN SELECT RAISE(ABORT, 'bursar: a credential has known scopes'); END;
--> statement-breakpoint
CREATE TRIGGER credentials_are_new BEFORE INSERT ON credentials
WHEN NEW.spent <> 0 OR NEW.revoked_at IS NOT NULL OR NEW.expires_at <= NEW.created_at
  OR EXISTS (SELECT 1 FROM credentials WHERE id = NEW.id OR key_hash = NEW.key_hash)
  OR EXISTS (SELECT 1 FROM credentials WHERE issuer = NEW.issuer AND subject = NEW.subject AND revoked_at IS NULL)
  OR NOT EXISTS (SELECT 1 FROM agents WHERE id = NEW.agent_id AND status = 'active')
BEGIN SELECT RAISE(ABORT, 'bursar: a credential begins unused, of an active agent, and is never replaced'); END;
--> statement-breakpoint
-- Narrower and shorter-lived than what it was minted with, which is good itself with all above it; at most three deep.
CREATE TRIGGER credentials_only_narrow BEFORE INSERT ON credentials
WHEN NEW.parent_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM credentials p LEFT JOIN credentials g ON g.id = p.parent_id LEFT JOIN credentials gg ON gg.id = g.parent_id
  WHERE p.id = NEW.parent_id AND p.agent_id = NEW.agent_id AND gg.parent_id IS NULL
    AND p.revoked_at IS NULL AND g.revoked_at IS NULL AND gg.revoked_at IS NULL
    -- An owner may have brought forward the end of one above it.
    AND (p.expires_at IS NULL OR NEW.expires_at <= p.expires_at)
    AND (g.expires_at IS NULL OR NEW.expires_at <= g.expires_at)
    AND (gg.expires_at IS NULL OR NEW.expires_at <= gg.expires_at)
    AND NOT EXISTS (SELECT 1 FROM json_each(NEW.scopes) WHERE value NOT IN (SELECT value FROM json_each(p.scopes)))
    AND (p.instruments IS NULL OR (NEW.instruments IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM json_each(NEW.instruments) WHERE value NOT IN (SELECT value FROM json_each(p.instruments)))))
    AND (p.max_amount IS NULL OR (NEW.currency = p.currency AND NEW.max_amount <= p.max_amount)))
BEGIN SELECT RAISE(ABORT, 'bursar: what an agent mints is never wider than its own'); END;
--> statement-breakpoint
CREATE TRIGGER credentials_are_few BEFORE INSERT ON credentials
WHEN NEW.parent_id IS NOT NULL AND 100 <= (SELECT count(*) FROM credentials
  WHERE parent_id = NEW.parent_id AND revoked_at IS NULL AND expires_at > NEW.created_at)
BEGIN SELECT RAISE(ABORT, 'bursar: a credential mints a hundred others at a time'); END;
--> statement-breakpoint
CREATE TRIGGER credentials_keep_their_terms
BEFORE UPDATE OF id, agent_id, parent_id, issuer, subject, audience, jwks_uri, scopes, instruments, max_amount, currency, label,
  created_at ON credentials
BEGIN SELECT RAISE(ABORT, 'bursar: the terms of a credential never change'); END;
--> statement-breakpoint
CREATE TRIGGER credentials_keep_their_key BEFORE UPDATE OF key_hash ON credentials
BEGIN SELECT RAISE(ABORT, 'bursar: a credential keeps its key'); END;
--> statement-breakpoint
-- Its end may come sooner, never later.
CREATE TRIGGER credentials_end_for_good BEFORE UPDATE OF expires_at, revoked_at ON credentials
WHEN (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at)
  OR (OLD.expires_at IS NOT NULL AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at))
BEGIN SELECT RAISE(ABORT, 'bursar: a credential that ends stays ended'); END;
--> statement-breakpoint
CREATE TRIGGER credentials_remain BEFORE DELETE ON credentials
BEGIN SELECT RAISE(ABORT, 'bursar: a credential is revoked, never deleted'); END;
--> statement-breakpoint
-- An agent that has a key never becomes one that needs none.
CREATE TRIGGER agents_keep_needing_a_key BEFORE UPDATE OF key_hash ON agents
WHEN OLD.key_hash IS NOT NULL AND NEW.key_hash IS NULL
BEGIN SELECT RAISE(ABORT, 'bursar: an agent that needs a key goes on needing one'); END;
--> statement-breakpoint
ALTER TABLE payments ADD COLUMN credentials TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(credentials));
--> statement-breakpoint
DROP TRIGGER payments_keep_their_terms;
--> statement-breakpoint
CREATE TRIGGER payments_keep_their_terms
BEFORE UPDATE OF id, wallet_id, instrument_id, agent_id, credentials, session_id, task_id, protocol, amount, payee, payee_key,
  purpose_ref, fingerprint, idempotency_key, created_at ON payments
BEGIN SELECT RAISE(ABORT, 'bursar: the terms of a payment never change'); END;
--> statement-breakpoint
CREATE INDEX payments_charged ON payments (agent_id) WHERE status IN ('authorized', 'in_doubt') AND credentials <> '[]';
--> statement-breakpoint
-- What is given back was held: by a payment that is open still.
CREATE TRIGGER credentials_get_back_what_was_held BEFORE UPDATE OF spent ON credentials
WHEN NEW.spent < OLD.spent AND NOT EXISTS (
  SELECT 1 FROM payments p JOIN json_each(p.credentials) e
  WHERE p.agent_id = NEW.agent_id AND p.status IN ('authorized', 'in_doubt') AND p.credentials <> '[]'
    AND e.value = NEW.id AND OLD.spent - NEW.spent <= p.held)
BEGIN SELECT RAISE(ABORT, 'bursar: what was spent stays spent'); END;
--> statement-breakpoint
-- Payments that hold money with a credential that may not, or without one where one is needed. Empty at the moment of each
-- authorization; the triggers below see to that.
CREATE VIEW payments_without_credential AS
SELECT p.id FROM payments p LEFT JOIN agents a ON a.id = p.agent_id LEFT JOIN wallets w ON w.id = p.wallet_id
WHERE json_type(p.credentials) <> 'array'
  OR (json_array_length(p.credentials) = 0 AND a.key_hash IS NOT NULL)
  OR EXISTS (
    SELECT 1 FROM json_each(p.credentials) e LEFT JOIN credentials c ON c.id = e.value
    WHERE c.id IS NULL OR c.agent_id <> p.agent_id
      OR c.parent_id IS NOT (p.credentials ->> (e.key + 1))
      OR c.revoked_at IS NOT NULL
      OR (c.expires_at IS NOT NULL AND (c.expires_at > p.authorized_at) IS NOT 1)
      OR NOT EXISTS (SELECT 1 FROM json_each(c.scopes) WHERE value = 'bursar:pay')
      OR (c.instruments IS NOT NULL AND NOT EXISTS (SELECT 1 FROM json_each(c.instruments) WHERE value = p.instrument_id))
      OR (c.currency IS NOT NULL AND c.currency IS NOT w.currency)
      -- It was charged in the same step, and before it.
      OR c.spent < p.amount);
--> statement-breakpoint
CREATE TRIGGER payments_begin_with_credential AFTER INSERT ON payments
WHEN NEW.status = 'authorized' AND EXISTS (SELECT 1 FROM payments_without_credential WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'bursar: a payment is made with a credential that may'); END;
--> statement-breakpoint
CREATE TRIGGER payments_go_on_with_credential AFTER UPDATE OF status ON payments
WHEN NEW.status = 'authorized' AND OLD.status <> 'authorized'
  AND EXISTS (SELECT 1 FROM payments_without_credential WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'bursar: a payment is made with a credential that may'); END;
--> statement-breakpoint
-- Neither is anything signed nor sent for a payment whose credential has ended meanwhile.
CREATE TRIGGER transfers_are_of_live_credentials BEFORE INSERT ON transfers
WHEN EXISTS (
  SELECT 1 FROM payments p JOIN agents a ON a.id = p.agent_id
  WHERE p.id = NEW.payment_id AND ((json_array_length(p.credentials) = 0 AND a.key_hash IS NOT NULL)
    OR EXISTS (SELECT 1 FROM json_each(p.credentials) e LEFT JOIN credentials c ON c.id = e.value
      WHERE c.id IS NULL OR c.revoked_at IS NOT NULL OR c.expires_at <= NEW.signed_at)))
BEGIN SELECT RAISE(ABORT, 'bursar: nothing is signed for a credential that has ended'); END;
--> statement-breakpoint
CREATE TRIGGER broadcasts_are_of_live_credentials BEFORE INSERT ON broadcasts
WHEN EXISTS (
  SELECT 1 FROM payments p JOIN agents a ON a.id = p.agent_id
  WHERE p.id = NEW.payment_id AND p.captured = 0 AND ((json_array_length(p.credentials) = 0 AND a.key_hash IS NOT NULL)
    OR EXISTS (SELECT 1 FROM json_each(p.credentials) e LEFT JOIN credentials c ON c.id = e.value
      WHERE c.id IS NULL OR c.revoked_at IS NOT NULL OR c.expires_at <= NEW.created_at)))
BEGIN SELECT RAISE(ABORT, 'bursar: nothing is sent for a credential that has ended'); END;
--> statement-breakpoint
CREATE TABLE passkeys (
  id TEXT PRIMARY KEY,
  owner_id TEXT NOT NULL REFERENCES owners (id),
  public_key TEXT NOT NULL UNIQUE,
  rp_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  name TEXT NOT NULL,
  synced INTEGER NOT NULL CHECK (synced IN (0, 1)),
  transports TEXT NOT NULL CHECK (json_valid(transports)),
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX passkeys_of_owner ON passkeys (owner_id) WHERE revoked_at IS NULL;
--> statement-breakpoint
CREATE TRIGGER passkeys_are_new BEFORE INSERT ON passkeys
WHEN NEW.revoked_at IS NOT NULL OR EXISTS (SELECT 1 FROM passkeys WHERE id = NEW.id OR public_key = NEW.public_key)
BEGIN SELECT RAISE(ABORT, 'bursar: a passkey is never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER passkeys_stay BEFORE UPDATE OF id, owner_id, public_key, rp_id, origin, name, synced, transports, created_at ON passkeys
BEGIN SELECT RAISE(ABORT, 'bursar: a passkey never changes'); END;
--> statement-breakpoint
CREATE TRIGGER passkeys_stay_revoked BEFORE UPDATE OF revoked_at ON passkeys WHEN OLD.revoked_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'bursar: a revoked passkey stays revoked'); END;
--> statement-breakpoint
CREATE TRIGGER passkeys_remain BEFORE DELETE ON passkeys
BEGIN SELECT RAISE(ABORT, 'bursar: a passkey is revoked, never deleted'); END;
--> statement-breakpoint
CREATE TABLE invitations (
  code_hash TEXT PRIMARY KEY CHECK (length(code_hash) = 64),
  owner_id TEXT NOT NULL REFERENCES owners (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER CHECK (used_at < expires_at)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX invitations_used ON invitations (owner_id, used_at) WHERE used_at IS NOT NULL;
--> statement-breakpoint
CREATE TRIGGER invitations_are_new BEFORE INSERT ON invitations
WHEN NEW.used_at IS NOT NULL OR EXISTS (SELECT 1 FROM invitations WHERE code_hash = NEW.code_hash)
  OR EXISTS (SELECT 1 FROM passkeys WHERE owner_id = NEW.owner_id AND revoked_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'bursar: only who has no passkey is invited'); END;
--> statement-breakpoint
-- The first is enrolled with an invitation, used in the same step and before it; further ones by who has one.
CREATE TRIGGER passkeys_are_invited BEFORE INSERT ON passkeys
WHEN NOT EXISTS (SELECT 1 FROM passkeys WHERE owner_id = NEW.owner_id AND revoked_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM invitations WHERE owner_id = NEW.owner_id AND used_at = NEW.created_at)
BEGIN SELECT RAISE(ABORT, 'bursar: a first passkey is enrolled by invitation'); END;
--> statement-breakpoint
CREATE TRIGGER invitations_stay BEFORE UPDATE OF code_hash, owner_id, created_at, expires_at ON invitations
BEGIN SELECT RAISE(ABORT, 'bursar: an invitation never changes'); END;
--> statement-breakpoint
CREATE TRIGGER invitations_are_used_once BEFORE UPDATE OF used_at ON invitations WHEN OLD.used_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'bursar: an invitation is used once'); END;
--> statement-breakpoint
-- Of two codes that were given out for one owner, one is good.
CREATE TRIGGER invitations_are_for_a_first BEFORE UPDATE OF used_at ON invitations
WHEN EXISTS (SELECT 1 FROM passkeys WHERE owner_id = NEW.owner_id AND revoked_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'bursar: only who has no passkey is invited'); END;
--> statement-breakpoint
CREATE TRIGGER invitations_remain BEFORE DELETE ON invitations
BEGIN SELECT RAISE(ABORT, 'bursar: an invitation is never deleted'); END;
--> statement-breakpoint
-- Two owners, where the policy wants two.
ALTER TABLE approvals ADD COLUMN owners INTEGER NOT NULL DEFAULT 1 CHECK (owners IN (1, 2));
--> statement-breakpoint
DROP TRIGGER approvals_keep_their_terms;
--> statement-breakpoint
CREATE TRIGGER approvals_keep_their_terms
BEFORE UPDATE OF id, subject_id, wallet_id, digest, needs, owners, created_at, expires_at ON approvals
BEGIN SELECT RAISE(ABORT, 'bursar: what is asked never changes'); END;
--> statement-breakpoint
CREATE TABLE answers (
  approval_id TEXT NOT NULL REFERENCES approvals (id),
  owner_id TEXT NOT NULL REFERENCES owners (id),
  narrowed TEXT NOT NULL CHECK (json_valid(narrowed)),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (approval_id, owner_id)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER answers_are_new BEFORE INSERT ON answers
WHEN EXISTS (SELECT 1 FROM answers WHERE approval_id = NEW.approval_id AND (owner_id = NEW.owner_id OR narrowed <> NEW.narrowed))
  OR NOT EXISTS (SELECT 1 FROM approvals WHERE id = NEW.approval_id AND status = 'waiting' AND owners = 2
    AND NEW.created_at < expires_at)
BEGIN SELECT RAISE(ABORT, 'bursar: each owner answers once, to what the other agreed to, while it is asked'); END;
--> statement-breakpoint
CREATE TRIGGER answers_stay BEFORE UPDATE ON answers
BEGIN SELECT RAISE(ABORT, 'bursar: an answer never changes'); END;
--> statement-breakpoint
CREATE TRIGGER answers_remain BEFORE DELETE ON answers
BEGIN SELECT RAISE(ABORT, 'bursar: an answer is never deleted'); END;
--> statement-breakpoint
CREATE TRIGGER approvals_have_both_owners BEFORE UPDATE OF status ON approvals
WHEN NEW.status = 'approved' AND NEW.owners > 1 AND NOT (
  (SELECT count(DISTINCT owner_id) FROM answers WHERE approval_id = NEW.id) >= NEW.owners
  AND EXISTS (SELECT 1 FROM answers s JOIN wallets w ON w.owner_id = s.owner_id
    WHERE s.approval_id = NEW.id AND w.id = NEW.wallet_id))
BEGIN SELECT RAISE(ABORT, 'bursar: two owners have to agree, one of them the own of the wallet'); END;
--> statement-breakpoint
CREATE TRIGGER approvals_of_two_begin_open BEFORE INSERT ON approvals WHEN NEW.owners > 1 AND NEW.status <> 'waiting'
BEGIN SELECT RAISE(ABORT, 'bursar: two owners have to agree'); END;
--> statement-breakpoint
-- Too many questions make people stop reading them.
ALTER TABLE requests ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
--> statement-breakpoint
DROP TRIGGER requests_keep_their_terms;
--> statement-breakpoint
CREATE TRIGGER requests_keep_their_terms
BEFORE UPDATE OF id, wallet_id, agent_id, session_id, task_id, currency, type, amount, usage_limit, per_payment_max,
  expires_in_ms, constraints, purpose_ref, fingerprint, created_at ON requests
BEGIN SELECT RAISE(ABORT, 'bursar: the terms of a request never change'); END;
--> statement-breakpoint
-- What a wallet spent since some day.
CREATE INDEX payments_spent ON payments (wallet_id, authorized_at) WHERE captured > 0;
--> statement-breakpoint
CREATE INDEX requests_pending ON requests (agent_id, fingerprint) WHERE status = 'pending';
--> statement-breakpoint
CREATE INDEX requests_denied ON requests (agent_id, fingerprint, id) WHERE status = 'denied';
--> statement-breakpoint
CREATE INDEX payments_waiting ON payments (agent_id) WHERE status = 'awaiting_approval';
--> statement-breakpoint
CREATE INDEX requests_canceled ON requests (agent_id, created_at) WHERE status = 'canceled';
--> statement-breakpoint
CREATE INDEX payments_canceled ON payments (agent_id, created_at) WHERE status = 'canceled';
--> statement-breakpoint
CREATE INDEX payments_denied ON payments (agent_id, wallet_id, payee_key, amount, updated_at) WHERE status = 'denied';
--> statement-breakpoint
CREATE TRIGGER requests_ask_little BEFORE INSERT ON requests
WHEN NEW.status = 'pending' AND 3 <= (SELECT count(*) FROM requests WHERE agent_id = NEW.agent_id AND status = 'pending')
  + (SELECT count(*) FROM payments WHERE agent_id = NEW.agent_id AND status = 'awaiting_approval')
BEGIN SELECT RAISE(ABORT, 'bursar: an agent asks three things at a time'); END;
--> statement-breakpoint
CREATE TRIGGER payments_ask_little BEFORE INSERT ON payments
WHEN NEW.status = 'awaiting_approval' AND 3 <= (SELECT count(*) FROM requests WHERE agent_id = NEW.agent_id AND status = 'pending')
  + (SELECT count(*) FROM payments WHERE agent_id = NEW.agent_id AND status = 'awaiting_approval')
BEGIN SELECT RAISE(ABORT, 'bursar: an agent asks three things at a time'); END;
--> statement-breakpoint
-- How far each channel of notifications has told what the journals say. They are written along with the state they tell of:
-- nothing that is to be told is lost.
CREATE TABLE notice_cursors (
  channel TEXT NOT NULL,
  journal TEXT NOT NULL,
  seq INTEGER NOT NULL CHECK (seq >= 0),
  PRIMARY KEY (channel, journal)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER notice_cursors_are_new BEFORE INSERT ON notice_cursors
WHEN EXISTS (SELECT 1 FROM notice_cursors WHERE channel = NEW.channel AND journal = NEW.journal)
BEGIN SELECT RAISE(ABORT, 'bursar: what was told stays told'); END;
--> statement-breakpoint
CREATE TRIGGER notice_cursors_advance BEFORE UPDATE ON notice_cursors
WHEN NEW.channel <> OLD.channel OR NEW.journal <> OLD.journal OR NEW.seq < OLD.seq
BEGIN SELECT RAISE(ABORT, 'bursar: what was told stays told'); END;
--> statement-breakpoint
CREATE TRIGGER notice_cursors_remain BEFORE DELETE ON notice_cursors
BEGIN SELECT RAISE(ABORT, 'bursar: what was told stays told'); END;
