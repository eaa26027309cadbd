-- Money on chains. A wallet has an account, whose key signs one EIP-3009 authorization for each payment. Whatever is signed
-- is stored before it leaves, and is never changed. Fees are integers in gwei.

ALTER TABLE wallets ADD COLUMN asset TEXT;
--> statement-breakpoint
ALTER TABLE wallets ADD COLUMN account TEXT;
--> statement-breakpoint
ALTER TABLE wallets ADD COLUMN relayer TEXT;
--> statement-breakpoint
ALTER TABLE wallets ADD COLUMN confirmations TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(confirmations));
--> statement-breakpoint
-- Two wallets that counted the same account would both spend it, however it is spelled.
CREATE UNIQUE INDEX wallets_by_account ON wallets (lower(account), lower(asset)) WHERE asset IS NOT NULL;
--> statement-breakpoint
CREATE TRIGGER wallets_have_their_own_account BEFORE INSERT ON wallets
WHEN EXISTS (SELECT 1 FROM wallets
  WHERE asset IS NOT NULL AND lower(account) = lower(NEW.account) AND lower(asset) = lower(NEW.asset))
BEGIN SELECT RAISE(ABORT, 'bursar: one account, one wallet'); END;
--> statement-breakpoint
CREATE TRIGGER wallets_are_on_a_chain_or_not BEFORE INSERT ON wallets
WHEN (NEW.asset IS NULL) <> (NEW.account IS NULL) OR (NEW.asset IS NULL) <> (NEW.relayer IS NULL)
  OR (NEW.asset IS NULL) <> (json_array_length(NEW.confirmations) = 0)
BEGIN SELECT RAISE(ABORT, 'bursar: a wallet on a chain has asset, account, relayer and confirmations'); END;
--> statement-breakpoint
CREATE TRIGGER wallets_keep_their_account BEFORE UPDATE OF asset, account, relayer ON wallets
BEGIN SELECT RAISE(ABORT, 'bursar: a wallet keeps its account'); END;
--> statement-breakpoint
CREATE TABLE transfers (
  payment_id TEXT PRIMARY KEY REFERENCES payments (id),
  wallet_id TEXT NOT NULL REFERENCES wallets (id),
  asset TEXT NOT NULL,
  from_address TEXT NOT NULL CHECK (length(from_address) = 42),
  to_address TEXT NOT NULL CHECK (length(to_address) = 42),
  value INTEGER NOT NULL CHECK (value > 0),
  valid_before INTEGER NOT NULL,
  nonce TEXT NOT NULL UNIQUE CHECK (length(nonce) = 66),
  signature TEXT NOT NULL CHECK (length(signature) = 132),
  from_block INTEGER NOT NULL CHECK (from_block >= 0),
  status TEXT NOT NULL CHECK (status IN ('open', 'final')),
  tx_hash TEXT,
  block INTEGER,
  void_proof INTEGER,
  signed_at INTEGER NOT NULL,
  CHECK ((tx_hash IS NULL) = (block IS NULL)),
  -- It never moves once a finalized block is as late as its end; that is final.
  CHECK (void_proof IS NULL OR (void_proof >= valid_before AND status = 'final')),
  CHECK (status = 'open' OR tx_hash IS NOT NULL OR void_proof IS NOT NULL)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX transfers_open ON transfers (wallet_id) WHERE status = 'open';
--> statement-breakpoint
CREATE INDEX transfers_by_block ON transfers (wallet_id, block);
--> statement-breakpoint
CREATE INDEX transfers_by_payee ON transfers (wallet_id, to_address);
--> statement-breakpoint
-- Exactly what a payment that holds money says, of the wallet's own asset and account, while nobody has stopped it.
CREATE TRIGGER transfers_are_authorized BEFORE INSERT ON transfers
WHEN NOT EXISTS (
  SELECT 1 FROM payments p
  JOIN wallets w ON w.id = p.wallet_id JOIN instruments i ON i.id = p.instrument_id JOIN agents a ON a.id = p.agent_id
  WHERE p.id = NEW.payment_id AND p.wallet_id = NEW.wallet_id AND p.status IN ('authorized', 'in_doubt')
    AND p.held = NEW.value AND p.amount = NEW.value AND p.valid_until / 1000 = NEW.valid_before
    AND NEW.signed_at < p.valid_until AND i.type = 'usdc' AND w.asset = NEW.asset
    AND w.account = substr(w.asset, 1, instr(w.asset, '/') - 1) || ':' || NEW.from_address
    AND p.payee ->> 'address' = NEW.to_address
    AND p.payee ->> 'network' = substr(w.asset, 1, instr(w.asset, '/') - 1)
    AND w.status = 'active' AND i.status = 'active' AND a.status = 'active' AND (SELECT frozen FROM instance) = 0
)
BEGIN SELECT RAISE(ABORT, 'bursar: what is signed is a payment that is authorized, as it stands'); END;
--> statement-breakpoint
CREATE TRIGGER transfers_are_new BEFORE INSERT ON transfers
WHEN NEW.status <> 'open' OR NEW.tx_hash IS NOT NULL OR NEW.void_proof IS NOT NULL
  OR EXISTS (SELECT 1 FROM transfers WHERE payment_id = NEW.payment_id OR nonce = NEW.nonce)
BEGIN SELECT RAISE(ABORT, 'bursar: a payment is signed once'); END;
--> statement-breakpoint
CREATE TRIGGER transfers_keep_their_terms BEFORE UPDATE OF payment_id, wallet_id, asset, from_address, to_address, value,
  valid_before, nonce, signature, from_block, signed_at ON transfers
BEGIN SELECT RAISE(ABORT, 'bursar: what was signed never changes'); END;
--> statement-breakpoint
CREATE TRIGGER transfers_stay_where_they_were_seen BEFORE UPDATE OF tx_hash ON transfers
WHEN OLD.tx_hash IS NOT NULL AND NEW.tx_hash IS NULL
BEGIN SELECT RAISE(ABORT, 'bursar: that a transfer was seen is never forgotten'); END;
--> statement-breakpoint
CREATE TRIGGER transfers_stay_final BEFORE UPDATE ON transfers WHEN OLD.status = 'final'
BEGIN SELECT RAISE(ABORT, 'bursar: what is final stays as it is'); END;
--> statement-breakpoint
CREATE TRIGGER transfers_remain BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'bursar: what was signed is never deleted'); END;
--> statement-breakpoint
-- A payment that was signed for is given up only on proof, and is captured only where the chain shows it. What was captured
-- comes back only by the same proof: a transfer is never given back, only undone by the chain.
CREATE TRIGGER payments_are_void_on_proof BEFORE UPDATE OF status, held ON payments
WHEN ((NEW.status = 'voided' AND OLD.status <> 'voided') OR OLD.held - NEW.held > NEW.captured - OLD.captured)
  AND EXISTS (SELECT 1 FROM transfers WHERE payment_id = NEW.id AND void_proof IS NULL)
BEGIN SELECT RAISE(ABORT, 'bursar: a payment that was signed is void only on proof'); END;
--> statement-breakpoint
CREATE TRIGGER payments_are_captured_on_the_chain BEFORE UPDATE OF captured ON payments
WHEN NEW.captured > OLD.captured AND EXISTS (SELECT 1 FROM wallets WHERE id = NEW.wallet_id AND asset IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM transfers WHERE payment_id = NEW.id AND tx_hash IS NOT NULL AND value >= NEW.captured)
BEGIN SELECT RAISE(ABORT, 'bursar: a transfer is captured where the chain shows it'); END;
--> statement-breakpoint
CREATE TRIGGER payments_are_returned_on_proof BEFORE UPDATE OF refunded ON payments
WHEN NEW.refunded > OLD.refunded AND EXISTS (SELECT 1 FROM wallets WHERE id = NEW.wallet_id AND asset IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM transfers WHERE payment_id = NEW.id AND void_proof IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'bursar: a transfer comes back only on proof'); END;
--> statement-breakpoint
CREATE TABLE relayers (
  id TEXT PRIMARY KEY,
  daily_max INTEGER NOT NULL CHECK (daily_max >= 0)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER relayers_keep_their_account BEFORE UPDATE OF id ON relayers
BEGIN SELECT RAISE(ABORT, 'bursar: a relayer keeps its account'); END;
--> statement-breakpoint
CREATE TRIGGER relayers_remain BEFORE DELETE ON relayers
BEGIN SELECT RAISE(ABORT, 'bursar: a relayer keeps its limit'); END;
--> statement-breakpoint
CREATE TABLE broadcasts (
  tx_hash TEXT PRIMARY KEY CHECK (length(tx_hash) = 66),
  relayer TEXT NOT NULL REFERENCES relayers (id),
  relayer_nonce INTEGER NOT NULL CHECK (relayer_nonce >= 0),
  payment_id TEXT REFERENCES transfers (payment_id),
  raw TEXT NOT NULL,
  max_fee INTEGER NOT NULL CHECK (max_fee >= 0),
  fee INTEGER CHECK (fee >= 0),
  -- Under another day it would be free of the limit of its own.
  day TEXT NOT NULL CHECK (day = date(created_at / 1000, 'unixepoch')),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX broadcasts_of_payment ON broadcasts (payment_id);
--> statement-breakpoint
CREATE INDEX broadcasts_of_relayer ON broadcasts (relayer, relayer_nonce);
--> statement-breakpoint
CREATE INDEX broadcasts_open ON broadcasts (relayer, relayer_nonce) WHERE fee IS NULL;
--> statement-breakpoint
-- A nonce is one payment's. What takes its place carries nothing.
CREATE TRIGGER broadcasts_are_new BEFORE INSERT ON broadcasts
WHEN NEW.fee IS NOT NULL OR EXISTS (SELECT 1 FROM broadcasts WHERE tx_hash = NEW.tx_hash)
  OR (NEW.payment_id IS NOT NULL AND EXISTS (SELECT 1 FROM broadcasts
    WHERE relayer = NEW.relayer AND relayer_nonce = NEW.relayer_nonce AND payment_id IS NOT NEW.payment_id))
BEGIN SELECT RAISE(ABORT, 'bursar: a nonce is handed out once'); END;
--> statement-breakpoint
-- By the wallet's own relayer, in time, while nobody has stopped it; what was captured may be sent again.
CREATE TRIGGER broadcasts_carry_what_may_leave BEFORE INSERT ON broadcasts
WHEN NEW.payment_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM transfers t JOIN payments p ON p.id = t.payment_id
  JOIN wallets w ON w.id = p.wallet_id JOIN instruments i ON i.id = p.instrument_id JOIN agents a ON a.id = p.agent_id
  WHERE t.payment_id = NEW.payment_id AND w.relayer = NEW.relayer AND NEW.created_at < p.valid_until
    AND (p.captured > 0 OR (p.status IN ('authorized', 'in_doubt')
      AND w.status = 'active' AND i.status = 'active' AND a.status = 'active' AND (SELECT frozen FROM instance) = 0))
)
BEGIN SELECT RAISE(ABORT, 'bursar: what is sent is a transfer that may leave'); END;
--> statement-breakpoint
CREATE TRIGGER broadcasts_keep_their_terms
BEFORE UPDATE OF tx_hash, relayer, relayer_nonce, payment_id, raw, max_fee, day, created_at ON broadcasts
BEGIN SELECT RAISE(ABORT, 'bursar: what was sent never changes'); END;
--> statement-breakpoint
CREATE TRIGGER broadcasts_are_paid_once BEFORE UPDATE OF fee ON broadcasts WHEN OLD.fee IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'bursar: a fee is paid once'); END;
--> statement-breakpoint
CREATE TRIGGER broadcasts_remain BEFORE DELETE ON broadcasts
BEGIN SELECT RAISE(ABORT, 'bursar: what was sent is never deleted'); END;
--> statement-breakpoint
CREATE TABLE fee_days (
  relayer TEXT NOT NULL REFERENCES relayers (id),
  day TEXT NOT NULL CHECK (length(day) = 10),
  held INTEGER NOT NULL CHECK (held >= 0),
  spent INTEGER NOT NULL CHECK (spent >= 0),
  PRIMARY KEY (relayer, day)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER fee_days_are_new BEFORE INSERT ON fee_days
WHEN EXISTS (SELECT 1 FROM fee_days WHERE relayer = NEW.relayer AND day = NEW.day)
BEGIN SELECT RAISE(ABORT, 'bursar: the fees of a day are never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER fee_days_keep_their_day BEFORE UPDATE OF relayer, day ON fee_days
BEGIN SELECT RAISE(ABORT, 'bursar: the fees of a day keep their day'); END;
--> statement-breakpoint
CREATE TRIGGER fee_days_spend_for_good BEFORE UPDATE OF spent ON fee_days WHEN NEW.spent < OLD.spent
BEGIN SELECT RAISE(ABORT, 'bursar: a fee never comes back'); END;
--> statement-breakpoint
CREATE TRIGGER fee_days_begin_within_cap BEFORE INSERT ON fee_days
WHEN NEW.held + NEW.spent > coalesce((SELECT daily_max FROM relayers WHERE id = NEW.relayer), 0)
BEGIN SELECT RAISE(ABORT, 'bursar: over the fees of a day'); END;
--> statement-breakpoint
CREATE TRIGGER fee_days_grow_within_cap BEFORE UPDATE ON fee_days
WHEN NEW.held > OLD.held AND NEW.held + NEW.spent > coalesce((SELECT daily_max FROM relayers WHERE id = NEW.relayer), 0)
BEGIN SELECT RAISE(ABORT, 'bursar: over the fees of a day'); END;
--> statement-breakpoint
CREATE TRIGGER fee_days_remain BEFORE DELETE ON fee_days
BEGIN SELECT RAISE(ABORT, 'bursar: the fees of a day are never deleted'); END;
--> statement-breakpoint
CREATE TABLE deposits (
  wallet_id TEXT NOT NULL REFERENCES wallets (id),
  tx_hash TEXT NOT NULL CHECK (length(tx_hash) = 66 AND tx_hash = lower(tx_hash)),
  position INTEGER NOT NULL CHECK (position >= 0),
  amount INTEGER NOT NULL CHECK (amount > 0),
  from_address TEXT NOT NULL CHECK (length(from_address) = 42),
  block INTEGER NOT NULL CHECK (block >= 0),
  -- The place in the wallet's journal at which it was credited.
  seq INTEGER NOT NULL,
  PRIMARY KEY (wallet_id, tx_hash, position)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX deposits_by_block ON deposits (wallet_id, block);
--> statement-breakpoint
CREATE UNIQUE INDEX deposits_by_seq ON deposits (wallet_id, seq);
--> statement-breakpoint
-- The same deposit is not credited twice.
CREATE TRIGGER deposits_are_new BEFORE INSERT ON deposits
WHEN EXISTS (SELECT 1 FROM deposits WHERE wallet_id = NEW.wallet_id AND tx_hash = NEW.tx_hash AND position = NEW.position)
  OR EXISTS (SELECT 1 FROM deposits WHERE wallet_id = NEW.wallet_id AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'bursar: a deposit is credited once'); END;
--> statement-breakpoint
CREATE TRIGGER deposits_stay BEFORE UPDATE ON deposits
BEGIN SELECT RAISE(ABORT, 'bursar: a deposit is never changed'); END;
--> statement-breakpoint
CREATE TRIGGER deposits_remain BEFORE DELETE ON deposits
BEGIN SELECT RAISE(ABORT, 'bursar: a deposit is never deleted'); END;
--> statement-breakpoint
-- Money of a wallet on a chain comes from a deposit that was seen, in the same step, and once; or it is a transfer that the
-- chain took back. Nobody types it.
CREATE TRIGGER entries_come_from_deposits BEFORE INSERT ON entries
WHEN NEW.debit = 'external' AND EXISTS (SELECT 1 FROM wallets WHERE id = NEW.wallet_id AND asset IS NOT NULL)
  AND NOT (NEW.kind = 'fund' AND NEW.journal = NEW.wallet_id AND EXISTS (SELECT 1 FROM deposits
    WHERE wallet_id = NEW.wallet_id AND seq = NEW.seq AND amount >= NEW.amount + coalesce((SELECT sum(amount) FROM entries
      WHERE journal = NEW.journal AND seq = NEW.seq AND debit = 'external'), 0)))
  AND NOT (NEW.kind = 'refund' AND EXISTS (SELECT 1 FROM transfers
    WHERE payment_id = NEW.payment_id AND wallet_id = NEW.wallet_id AND tx_hash IS NOT NULL AND value >= NEW.amount))
BEGIN SELECT RAISE(ABORT, 'bursar: money on a chain comes from a deposit'); END;
--> statement-breakpoint
CREATE TABLE scans (
  wallet_id TEXT PRIMARY KEY REFERENCES wallets (id),
  block INTEGER NOT NULL CHECK (block >= 0)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER scans_keep_their_wallet BEFORE UPDATE OF wallet_id ON scans
BEGIN SELECT RAISE(ABORT, 'bursar: how far a chain was read is of one wallet'); END;
--> statement-breakpoint
CREATE TRIGGER scans_remain BEFORE DELETE ON scans
BEGIN SELECT RAISE(ABORT, 'bursar: how far a chain was read is never deleted'); END;
--> statement-breakpoint
CREATE TABLE known_payees (
  wallet_id TEXT NOT NULL REFERENCES wallets (id),
  account TEXT NOT NULL,
  -- What is seen of an address at a glance: its first and last four digits.
  shape TEXT NOT NULL CHECK (shape = lower(substr(account, -40, 4)) || '…' || lower(substr(account, -4))),
  payments INTEGER NOT NULL CHECK (payments > 0),
  PRIMARY KEY (wallet_id, account)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX known_payees_by_shape ON known_payees (wallet_id, shape);
--> statement-breakpoint
-- Whom a transfer was seen to reach, and nobody else: who is known is paid without a question.
CREATE TRIGGER known_payees_were_paid BEFORE INSERT ON known_payees
WHEN NOT EXISTS (
  SELECT 1 FROM transfers
  WHERE wallet_id = NEW.wallet_id AND to_address = substr(NEW.account, -42) AND tx_hash IS NOT NULL
    AND substr(asset, 1, instr(asset, '/') - 1) || ':' || to_address = NEW.account
)
BEGIN SELECT RAISE(ABORT, 'bursar: only who was paid is known'); END;
--> statement-breakpoint
CREATE TRIGGER known_payees_keep_their_account BEFORE UPDATE OF wallet_id, account, shape ON known_payees
BEGIN SELECT RAISE(ABORT, 'bursar: whom a wallet paid never changes'); END;
--> statement-breakpoint
CREATE TRIGGER known_payees_remain BEFORE DELETE ON known_payees
BEGIN SELECT RAISE(ABORT, 'bursar: whom a wallet paid is never deleted'); END;
--> statement-breakpoint
-- What limits and questions are told by is who gets the money.
CREATE TRIGGER payments_go_to_their_payee BEFORE INSERT ON payments
WHEN NEW.status <> 'refused' AND NEW.payee ->> 'address' IS NOT NULL
  AND NEW.payee_key IS NOT (NEW.payee ->> 'network') || ':' || (NEW.payee ->> 'address')
BEGIN SELECT RAISE(ABORT, 'bursar: a payment goes to the account that it is counted for'); END;
--> statement-breakpoint
-- An address that looks like one that was paid before, and is another, is paid only with a human's yes.
CREATE TRIGGER payments_to_look_alikes_wait BEFORE INSERT ON payments
WHEN NEW.status = 'authorized' AND NEW.payee ->> 'address' IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM known_payees k WHERE k.wallet_id = NEW.wallet_id AND k.account = NEW.payee_key)
  AND NOT EXISTS (SELECT 1 FROM instruments
    WHERE id = NEW.instrument_id AND instr(constraints -> '$.addresses', json_quote(NEW.payee_key)) > 0)
  AND EXISTS (SELECT 1 FROM known_payees k WHERE k.wallet_id = NEW.wallet_id
    AND k.shape = lower(substr(NEW.payee_key, -40, 4)) || '…' || lower(substr(NEW.payee_key, -4)))
BEGIN SELECT RAISE(ABORT, 'bursar: a look-alike address waits for a human'); END;
