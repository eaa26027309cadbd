-- Purchases on the web. A payment by x402 is signed here and brought to the chain by whoever is paid: what leaves is a
-- header, which is stored before it does and is never changed.

ALTER TABLE wallets ADD COLUMN allows TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(allows));
--> statement-breakpoint
CREATE TRIGGER wallets_begin_strict BEFORE INSERT ON wallets WHEN NEW.allows <> '[]'
BEGIN SELECT RAISE(ABORT, 'bursar: a wallet begins with nothing allowed beyond the rules'); END;
--> statement-breakpoint
CREATE TRIGGER wallets_allow_what_there_is BEFORE UPDATE OF allows ON wallets
WHEN json_type(NEW.allows) <> 'array'
  OR EXISTS (SELECT 1 FROM json_each(NEW.allows) WHERE coalesce(value, '') NOT IN ('loopback', 'upfront', 'upto', 'v1'))
BEGIN SELECT RAISE(ABORT, 'bursar: there is no such allowance'); END;
--> statement-breakpoint
CREATE TABLE purchases (
  payment_id TEXT PRIMARY KEY REFERENCES payments (id) DEFERRABLE INITIALLY DEFERRED,
  resource_ref TEXT NOT NULL,
  value INTEGER CHECK (value > 0),
  version INTEGER CHECK (version IN (1, 2)),
  flow TEXT CHECK (flow IN ('authorization', 'upfront')),
  header TEXT CHECK (length(header) <= 16384),
  http_status INTEGER,
  delivered_at INTEGER,
  -- Who alone may settle what is signed for a maximum; null: what is signed is exactly the price.
  facilitator TEXT CHECK (length(facilitator) = 42),
  CHECK ((header IS NULL) = (version IS NULL) AND (header IS NULL) = (flow IS NULL)),
  CHECK (header IS NOT NULL OR (http_status IS NULL AND delivered_at IS NULL)),
  CHECK (delivered_at IS NULL OR coalesce(http_status, 0) BETWEEN 200 AND 299)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
-- Its payment is written after it, in the same step: what an earlier payment is for, nobody changes.
CREATE TRIGGER purchases_are_new BEFORE INSERT ON purchases
WHEN NEW.header IS NOT NULL OR NEW.value IS NOT NULL OR EXISTS (SELECT 1 FROM payments WHERE id = NEW.payment_id)
BEGIN SELECT RAISE(ABORT, 'bursar: a purchase begins unsigned, with its payment, and is never replaced'); END;
--> statement-breakpoint
CREATE TRIGGER purchases_keep_their_resource BEFORE UPDATE OF payment_id, resource_ref ON purchases
BEGIN SELECT RAISE(ABORT, 'bursar: what is bought never changes'); END;
--> statement-breakpoint
-- At most what was approved, and only while nothing is signed; who settles it is said along with what it costs.
CREATE TRIGGER purchases_cost_what_was_approved BEFORE UPDATE OF value, facilitator ON purchases
WHEN EXISTS (SELECT 1 FROM transfers WHERE payment_id = NEW.payment_id)
  OR NOT EXISTS (SELECT 1 FROM payments WHERE id = NEW.payment_id AND status = 'authorized' AND NEW.value <= held)
BEGIN SELECT RAISE(ABORT, 'bursar: a purchase costs at most what was approved'); END;
--> statement-breakpoint
-- One header of x402, for what was signed, as the owner allows it.
CREATE TRIGGER purchases_are_prepared_once BEFORE UPDATE OF header, version, flow ON purchases
WHEN OLD.header IS NOT NULL
  OR NEW.header NOT GLOB iif(NEW.version = 1, 'x-payment: [^ ]*', 'payment-signature: [^ ]*')
  OR substr(NEW.header, instr(NEW.header, ' ') + 1) GLOB '*[^A-Za-z0-9+/=]*'
  OR NOT EXISTS (SELECT 1 FROM transfers t JOIN wallets w ON w.id = t.wallet_id WHERE t.payment_id = NEW.payment_id
    AND (NEW.version = 2 OR EXISTS (SELECT 1 FROM json_each(w.allows) WHERE value = 'v1'))
    AND (NEW.flow = 'authorization' OR EXISTS (SELECT 1 FROM json_each(w.allows) WHERE value = 'upfront')))
BEGIN SELECT RAISE(ABORT, 'bursar: what pays is prepared once, for what was signed'); END;
--> statement-breakpoint
CREATE TRIGGER purchases_stay_delivered BEFORE UPDATE OF http_status, delivered_at ON purchases
WHEN OLD.delivered_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'bursar: what was delivered stays so'); END;
--> statement-breakpoint
CREATE TRIGGER purchases_remain BEFORE DELETE ON purchases
BEGIN SELECT RAISE(ABORT, 'bursar: a purchase is never deleted'); END;
--> statement-breakpoint
-- The origin that limits and humans decide by is where the resource is; and it is asked by https, unless it may be this
-- machine.
CREATE TRIGGER payments_buy_something BEFORE INSERT ON payments
WHEN (NEW.protocol = 'x402') <> EXISTS (SELECT 1 FROM purchases WHERE payment_id = NEW.id)
  OR (NEW.protocol = 'x402' AND NEW.status <> 'refused' AND NOT EXISTS (
    SELECT 1 FROM purchases u JOIN texts t ON t.digest = u.resource_ref JOIN wallets w ON w.id = NEW.wallet_id
    WHERE u.payment_id = NEW.id AND NEW.payee ->> 'origin' NOT GLOB '*//*/*'
      AND instr(t.text ->> 'url', (NEW.payee ->> 'origin') || '/') = 1
      AND (NEW.payee ->> 'origin' GLOB 'https://*' OR (NEW.payee ->> 'origin' GLOB 'http://*'
        AND EXISTS (SELECT 1 FROM json_each(w.allows) WHERE value = 'loopback')))))
BEGIN SELECT RAISE(ABORT, 'bursar: a payment by x402 buys something, of the origin that it names'); END;
--> statement-breakpoint
CREATE TRIGGER payments_keep_their_time BEFORE UPDATE OF valid_until ON payments
WHEN NEW.valid_until <> OLD.valid_until AND EXISTS (SELECT 1 FROM transfers WHERE payment_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'bursar: what was signed is good for as long as it says'); END;
--> statement-breakpoint
-- It counts against the windows of when it was authorized.
CREATE TRIGGER payments_are_over_when_they_are BEFORE UPDATE OF valid_until ON payments
WHEN NEW.valid_until > OLD.valid_until AND NEW.updated_at >= OLD.valid_until
BEGIN SELECT RAISE(ABORT, 'bursar: what is over is not good for longer'); END;
--> statement-breakpoint
-- A permit of Permit2 is signed for a maximum (x402 `upto`): the chain shows how much of it moved, and the rest was never
-- spent.
ALTER TABLE transfers ADD COLUMN kind TEXT NOT NULL DEFAULT 'eip3009' CHECK (kind IN ('eip3009', 'permit2'));
--> statement-breakpoint
ALTER TABLE transfers ADD COLUMN facilitator TEXT
  CHECK ((facilitator IS NULL) = (kind = 'eip3009') AND (facilitator IS NULL OR length(facilitator) = 42));
--> statement-breakpoint
-- Of a permit, what was seen to move. An authorization moves its value.
ALTER TABLE transfers ADD COLUMN moved INTEGER
  CHECK ((moved IS NULL) = (kind = 'eip3009' OR tx_hash IS NULL) AND (moved IS NULL OR moved BETWEEN 1 AND value));
--> statement-breakpoint
DROP TRIGGER transfers_keep_their_terms;
--> statement-breakpoint
CREATE TRIGGER transfers_keep_their_terms BEFORE UPDATE OF payment_id, wallet_id, asset, from_address, to_address, value,
  valid_before, nonce, signature, from_block, signed_at, kind, facilitator ON transfers
BEGIN SELECT RAISE(ABORT, 'bursar: what was signed never changes'); END;
--> statement-breakpoint
-- Exactly what a payment that holds money says, or the seller's lower price, of the wallet's own asset and account, while
-- nobody has stopped it. What a seller may bring is good for ten minutes at most, however long its payment may wait.
DROP TRIGGER transfers_are_authorized;
--> statement-breakpoint
CREATE TRIGGER transfers_are_authorized BEFORE INSERT ON transfers
WHEN NOT EXISTS (
  SELECT 1 FROM payments p
  JOIN wallets w ON w.id = p.wallet_id JOIN instruments i ON i.id = p.instrument_id JOIN agents a ON a.id = p.agent_id
  LEFT JOIN purchases u ON u.payment_id = p.id
  WHERE p.id = NEW.payment_id AND p.wallet_id = NEW.wallet_id AND p.status IN ('authorized', 'in_doubt')
    AND p.held = p.amount AND NEW.value = coalesce(u.value, p.amount) AND NEW.value <= p.held
    AND p.protocol IN ('transfer', 'x402') AND p.valid_until / 1000 = NEW.valid_before
    AND NEW.signed_at < p.valid_until AND (p.protocol = 'transfer' OR NEW.valid_before <= NEW.signed_at / 1000 + 600)
    AND i.type = 'usdc' AND w.asset = NEW.asset
    AND w.account = substr(w.asset, 1, instr(w.asset, '/') - 1) || ':' || NEW.from_address
    AND p.payee ->> 'address' = NEW.to_address
    AND p.payee ->> 'network' = substr(w.asset, 1, instr(w.asset, '/') - 1)
    AND NEW.facilitator IS u.facilitator
    AND (NEW.kind = 'eip3009' OR EXISTS (SELECT 1 FROM json_each(w.allows) WHERE value = 'upto'))
    AND w.status = 'active' AND i.status = 'active' AND a.status = 'active' AND (SELECT frozen FROM instance) = 0
)
BEGIN SELECT RAISE(ABORT, 'bursar: what is signed is a payment that is authorized, as it stands'); END;
--> statement-breakpoint
-- A payment that was signed for is given up only on proof, and what was not signed for, or was signed for and not taken, only
-- with what was.
DROP TRIGGER payments_are_void_on_proof;
--> statement-breakpoint
CREATE TRIGGER payments_are_void_on_proof BEFORE UPDATE OF status, held ON payments
WHEN ((NEW.status = 'voided' AND OLD.status <> 'voided') OR OLD.held - NEW.held > NEW.captured - OLD.captured)
  AND EXISTS (SELECT 1 FROM transfers WHERE payment_id = NEW.id AND void_proof IS NULL
    AND NOT (tx_hash IS NOT NULL AND NEW.status = 'captured' AND coalesce(moved, value) = NEW.captured))
BEGIN SELECT RAISE(ABORT, 'bursar: a payment that was signed is void only on proof'); END;
--> statement-breakpoint
DROP TRIGGER payments_are_captured_on_the_chain;
--> statement-breakpoint
CREATE TRIGGER payments_are_captured_on_the_chain BEFORE UPDATE OF captured ON payments
WHEN NEW.captured > OLD.captured AND EXISTS (SELECT 1 FROM wallets WHERE id = NEW.wallet_id AND asset IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM transfers
    WHERE payment_id = NEW.id AND tx_hash IS NOT NULL AND coalesce(moved, value) >= NEW.captured)
BEGIN SELECT RAISE(ABORT, 'bursar: a transfer is captured where the chain shows it'); END;
--> statement-breakpoint
DROP TRIGGER payments_are_returned_on_proof;
--> statement-breakpoint
-- A reorganization may end with less of a permit taken than was seen at first: what is final tells.
CREATE TRIGGER payments_are_returned_on_proof BEFORE UPDATE OF refunded ON payments
WHEN NEW.refunded > OLD.refunded AND EXISTS (SELECT 1 FROM wallets WHERE id = NEW.wallet_id AND asset IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM transfers WHERE payment_id = NEW.id
    AND (void_proof IS NOT NULL OR (status = 'final' AND moved = NEW.captured - NEW.refunded)))
BEGIN SELECT RAISE(ABORT, 'bursar: a transfer comes back only on proof'); END;
--> statement-breakpoint
-- By the wallet's own relayer, in time, while nobody has stopped it; what was captured may be sent again. What a seller
-- brings is the seller's to bring, and a permit is its facilitator's.
DROP TRIGGER broadcasts_carry_what_may_leave;
--> statement-breakpoint
CREATE TRIGGER broadcasts_carry_what_may_leave BEFORE INSERT ON broadcasts
WHEN NEW.payment_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM transfers t JOIN payments p ON p.id = t.payment_id
  JOIN wallets w ON w.id = p.wallet_id JOIN instruments i ON i.id = p.instrument_id JOIN agents a ON a.id = p.agent_id
  WHERE t.payment_id = NEW.payment_id AND p.protocol = 'transfer' AND t.kind = 'eip3009' AND w.relayer = NEW.relayer
    AND NEW.created_at < p.valid_until
    AND (p.captured > 0 OR (p.status IN ('authorized', 'in_doubt')
      AND w.status = 'active' AND i.status = 'active' AND a.status = 'active' AND (SELECT frozen FROM instance) = 0))
)
BEGIN SELECT RAISE(ABORT, 'bursar: what is sent is a transfer that may leave'); END;
--> statement-breakpoint
-- A purchase on the web counts twice under a limit per payee, as an account and as an origin.
DROP TRIGGER payments_begin_allowed;
--> statement-breakpoint
DROP TRIGGER payments_are_approved;
--> statement-breakpoint
DROP VIEW payments_not_allowed;
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
  -- With an origin, each limit by its name, and one per payee for the account and for the origin.
  OR (p.payee ->> 'origin' IS NOT NULL AND EXISTS (
    SELECT 1 FROM limits l JOIN json_each(json_array(p.payee_key, p.payee ->> 'origin')) paid
    WHERE l.wallet_id = p.wallet_id AND l.removed_at IS NULL AND l.window <> 'payment'
      AND (l.scope_value IS NULL OR (l.scope = 'payee' AND l.scope_value = paid.value))
      AND NOT EXISTS (SELECT 1 FROM json_each(p.counted) c
        WHERE c.value ->> 'limitId' = l.id AND (l.scope <> 'payee' OR c.value ->> 'scopeValue' = paid.value))))
  -- What is bought on the web is in each list that the instrument is held to.
  OR (p.protocol = 'x402' AND (i.type <> 'usdc' OR EXISTS (SELECT 1 FROM json_each(i.constraints) c
    WHERE NOT EXISTS (SELECT 1 FROM json_each(c.value) WHERE value = CASE c.key WHEN 'protocols' THEN p.protocol
      WHEN 'networks' THEN p.payee ->> 'network' WHEN 'origins' THEN p.payee ->> 'origin'
      WHEN 'addresses' THEN p.payee_key END))))
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
CREATE TRIGGER payments_are_approved AFTER UPDATE OF status ON payments
WHEN NEW.status = 'authorized' AND OLD.status <> 'authorized' AND (
  OLD.status <> 'awaiting_approval'
  OR NOT EXISTS (SELECT 1 FROM approvals WHERE subject_id = NEW.id AND status = 'approved')
  OR EXISTS (SELECT 1 FROM payments_not_allowed WHERE id = NEW.id))
BEGIN SELECT RAISE(ABORT, 'bursar: a waiting payment is authorized by a human, within the rules'); END;
