-- How a step reads and writes, in two messages. Nothing is decided here: what these functions read is decided on in the
-- program, and what they write has passed every check and trigger of the tables. They run with the rights of whoever calls
-- them. The statements within are planned once per connection, and take keys and indexes whatever the size of the tables was
-- then: a table that was small is not read from end to end when it has grown.

-- A credential, then what minted it, up to one that the owner gave.
CREATE FUNCTION bursar.charged(credential text, most integer) RETURNS text[] LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  next text := credential;
  chain text[] := '{}';
BEGIN
  WHILE next IS NOT NULL AND cardinality(chain) < most LOOP
    chain := chain || next;
    SELECT c.parent_id INTO next FROM bursar.credentials c WHERE c.id = next;
  END LOOP;
  RETURN chain;
END $$;
--> statement-breakpoint
-- All locks of the steps of a transaction, in one order for everybody, so that they cannot wait for each other in a circle;
-- then where the journals that are held stand. `keys`: what the steps read. `more`: further locks by name, and whether
-- exclusive. `own` tells which of them each step is for: steps that share none, or none that either has alone, may be
-- decided on side by side.
CREATE FUNCTION bursar.lock(keys jsonb, more jsonb) RETURNS json LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  wanted record;
  key jsonb;
  wallet text;
  agent text;
  subject record;
  charged text[];
  credential text;
  one jsonb;
  own jsonb := '[]';
  heads jsonb := '{}';
  head record;
  -- The waits for single locks are short. So are all of them together: meanwhile others wait for those that are had.
  until timestamptz := clock_timestamp() + 4 * nullif(current_setting('lock_timeout'), '0')::interval;
BEGIN
  FOR key IN SELECT k.value FROM jsonb_array_elements(keys) k LOOP
    -- A payment stays in its wallet, and so does all else that leads to one: this is known before the lock is had.
    wallet := key ->> 'wallet';
    agent := key ->> 'agent';
    charged := '{}';
    IF wallet IS NULL AND key ? 'instrument' THEN
      SELECT i.wallet_id INTO wallet FROM bursar.instruments i WHERE i.id = key ->> 'instrument';
    END IF;
    IF key ? 'request' THEN
      SELECT r.wallet_id, r.agent_id INTO subject FROM bursar.requests r WHERE r.id = key ->> 'request';
      wallet := coalesce(wallet, subject.wallet_id);
      agent := coalesce(agent, subject.agent_id);
    END IF;
    IF key ? 'payment' THEN
      SELECT p.wallet_id, p.agent_id, p.credentials INTO subject FROM bursar.payments p WHERE p.id = key ->> 'payment';
      wallet := coalesce(wallet, subject.wallet_id);
      agent := coalesce(agent, subject.agent_id);
      charged := ARRAY(SELECT jsonb_array_elements_text(subject.credentials));
    END IF;
    IF wallet IS NULL AND key ? 'limit' THEN
      SELECT l.wallet_id INTO wallet FROM bursar.limits l WHERE l.id = key ->> 'limit';
    END IF;
    IF key ? 'credential' THEN
      IF agent IS NULL THEN
        SELECT c.agent_id INTO agent FROM bursar.credentials c WHERE c.id = key ->> 'credential';
      END IF;
      -- A payment spends of a credential and of those that it came from, whose wallets need not be the same.
      IF key ? 'spender' THEN
        charged := charged || bursar.charged(key ->> 'credential', (key ->> 'chain_max')::integer);
      END IF;
    END IF;
    one := jsonb_build_object('instance', false, 'journal:' || coalesce(wallet, 'instance'), true);
    -- What an agent mints and asks for is counted; but whether a payment asks is known only when it was decided on.
    IF agent IS NOT NULL THEN
      one := one || jsonb_build_object('agent:' || agent, key ? 'minting' OR coalesce(key -> 'asking' ? 'fingerprint', false));
    END IF;
    FOREACH credential IN ARRAY charged LOOP
      one := one || jsonb_build_object('credential:' || credential, true);
    END LOOP;
    IF key ->> 'relayer' IS NOT NULL THEN
      one := one || jsonb_build_object('relayer:' || (key ->> 'relayer'), true);
    END IF;
    IF key -> 'same' ->> 'key' IS NOT NULL THEN
      one := one || jsonb_build_object('purchase:' || (key -> 'same' ->> 'agent') || ':' || (key -> 'same' ->> 'key'), true);
    END IF;
    own := own || jsonb_build_array(one);
  END LOOP;
  FOR wanted IN
    SELECT w.key AS name, bool_or(w.value::boolean) AS exclusive FROM (
      SELECT e.key, e.value FROM jsonb_array_elements(own) o, jsonb_each(o.value) e
      UNION ALL SELECT m.key, m.value FROM jsonb_each(more) m
    ) w GROUP BY w.key ORDER BY w.key COLLATE "C"
  LOOP
    IF clock_timestamp() > until THEN
      RAISE lock_not_available USING MESSAGE = 'bursar: others have had too many of the locks';
    END IF;
    IF wanted.name LIKE 'journal:%' THEN
      SELECT h.journal, h.size, h.frontier, h.mac INTO head FROM bursar.heads h WHERE h.journal = substr(wanted.name, 9)
      FOR NO KEY UPDATE;
      IF NOT FOUND THEN
        -- It has not begun. Whoever waited here for another one to begin it finds its head afterwards.
        PERFORM pg_advisory_xact_lock(hashtextextended(wanted.name, 0));
        SELECT h.journal, h.size, h.frontier, h.mac INTO head FROM bursar.heads h WHERE h.journal = substr(wanted.name, 9)
        FOR NO KEY UPDATE;
      END IF;
      IF head.journal IS NOT NULL THEN
        heads := heads || jsonb_build_object(head.journal, jsonb_build_object(
          'size', head.size, 'frontier', encode(head.frontier, 'hex'), 'mac', encode(head.mac, 'hex')));
      END IF;
    ELSIF wanted.exclusive THEN
      PERFORM pg_advisory_xact_lock(hashtextextended(wanted.name, 0));
    ELSE
      PERFORM pg_advisory_xact_lock_shared(hashtextextended(wanted.name, 0));
    END IF;
  END LOOP;
  RETURN json_build_object('own', own, 'heads', heads);
END $$;
--> statement-breakpoint
-- A credential, then what minted it, up to one that the owner gave.
CREATE FUNCTION bursar.chain(credential text, most integer) RETURNS json LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  next text := credential;
  row bursar.credentials;
  chain json[] := '{}';
BEGIN
  WHILE next IS NOT NULL AND cardinality(chain) < most LOOP
    SELECT c.* INTO row FROM bursar.credentials c WHERE c.id = next;
    EXIT WHEN NOT FOUND;
    chain := chain || row_to_json(row);
    next := row.parent_id;
  END LOOP;
  RETURN array_to_json(chain);
END $$;
--> statement-breakpoint
-- Payments that may be the same purchase: by key; else the newest of each kind. Which of them it is the program says, by a
-- clock that it reads after this: what is looked for is as of a moment before, so that nothing is left out.
CREATE FUNCTION bursar.prior(same jsonb) RETURNS json LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  -- As values, which cost nothing to look at: of two indexes that seem alike while a table is small, the one that finds just
  -- what is wanted is always the cheaper one then.
  agent text := same ->> 'agent';
  key text := same ->> 'key';
  print text := same ->> 'fingerprint';
  since bigint := same ->> 'since';
  began bigint := same ->> 'began';
  bought_since bigint := same ->> 'bought_since';
  denied_since bigint := greatest(bought_since, since);
  found json;
BEGIN
  IF key IS NOT NULL THEN
    SELECT row_to_json(p) INTO found FROM bursar.payments p
    WHERE p.agent_id = agent AND p.idempotency_key = key
      AND p.status NOT IN ('refused', 'voided', 'expired', 'canceled') ORDER BY p.id DESC LIMIT 1;
    IF found IS NOT NULL THEN RETURN json_build_object('by_key', found); END IF;
  END IF;
  IF began IS NOT NULL THEN
    -- What was delivered is done with: the next call buys again.
    RETURN (SELECT json_build_object(
      'open', (SELECT row_to_json(p) FROM bursar.payments p
        WHERE p.agent_id = agent AND p.fingerprint = print AND p.status IN ('awaiting_approval', 'authorized', 'in_doubt')
          AND NOT EXISTS (SELECT 1 FROM bursar.purchases u WHERE u.payment_id = p.id AND u.delivered_at <= began)
        ORDER BY p.created_at DESC, p.id DESC LIMIT 1),
      'captured', (SELECT row_to_json(p) FROM bursar.payments p
        WHERE p.agent_id = agent AND p.fingerprint = print AND p.created_at > bought_since AND p.status = 'captured'
          AND p.status NOT IN ('refused', 'voided', 'expired', 'canceled')
          AND NOT EXISTS (SELECT 1 FROM bursar.purchases u WHERE u.payment_id = p.id AND u.delivered_at <= began)
        ORDER BY p.created_at DESC, p.id DESC LIMIT 1),
      'denied', (SELECT row_to_json(p) FROM bursar.payments p
        WHERE p.agent_id = agent AND p.fingerprint = print AND p.created_at > denied_since AND p.status = 'denied'
          AND p.status NOT IN ('refused', 'voided', 'expired', 'canceled')
          AND NOT EXISTS (SELECT 1 FROM bursar.purchases u WHERE u.payment_id = p.id AND u.delivered_at <= began)
        ORDER BY p.created_at DESC, p.id DESC LIMIT 1)));
  END IF;
  IF key IS NOT NULL THEN RETURN NULL; END IF;
  RETURN (SELECT json_build_object(
    'newest', (SELECT row_to_json(p) FROM bursar.payments p
      WHERE p.agent_id = agent AND p.fingerprint = print AND p.created_at > since
        AND p.status NOT IN ('refused', 'voided', 'expired', 'canceled')
      ORDER BY p.created_at DESC, p.id DESC LIMIT 1),
    'undecided', (SELECT row_to_json(p) FROM bursar.payments p
      WHERE p.agent_id = agent AND p.fingerprint = print AND p.status IN ('awaiting_approval', 'authorized', 'in_doubt')
      ORDER BY p.created_at DESC, p.id DESC LIMIT 1)));
END $$;
--> statement-breakpoint
-- What an agent asks humans for, and whether the same was denied.
CREATE FUNCTION bursar.asking(ask jsonb) RETURNS json LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  agent text := ask ->> 'agent';
  print text := ask ->> 'fingerprint';
  wallet text := ask ->> 'wallet';
  account text := ask ->> 'payee';
  sum numeric := ask ->> 'amount';
  denied_since bigint := ask ->> 'denied_since';
  taken_back_since bigint := ask ->> 'taken_back_since';
  denied record;
  same text;
BEGIN
  IF print IS NOT NULL THEN
    SELECT max(a.answered_at) AS at, count(*) AS times INTO denied FROM bursar.approvals a
    WHERE a.status = 'denied' AND a.answered_at > denied_since AND a.subject_id IN (
      SELECT r.id FROM bursar.requests r WHERE r.agent_id = agent AND r.fingerprint = print AND r.status = 'denied');
    SELECT r.id INTO same FROM bursar.requests r
    WHERE r.agent_id = agent AND r.fingerprint = print AND r.status = 'pending' ORDER BY r.id LIMIT 1;
  ELSE
    -- By a human: what a rule refused after a yes is no denial. It was updated last when it was denied.
    SELECT max(p.updated_at) AS at, count(*) AS times INTO denied FROM bursar.payments p
    WHERE p.agent_id = agent AND p.wallet_id = wallet AND p.payee_key = account
      AND p.amount = sum AND p.status = 'denied' AND p.updated_at > denied_since AND p.refusal ->> 'code' = 'approval_denied';
  END IF;
  RETURN (SELECT json_build_object(
    'waiting', (SELECT count(*) FROM bursar.requests r WHERE r.agent_id = agent AND r.status = 'pending')
      + (SELECT count(*) FROM bursar.payments p WHERE p.agent_id = agent AND p.status = 'awaiting_approval'),
    'taken_back',
      (SELECT count(*) FROM bursar.requests r
        WHERE r.agent_id = agent AND r.status = 'canceled' AND r.created_at > taken_back_since)
      + (SELECT count(*) FROM bursar.payments p
        WHERE p.agent_id = agent AND p.status = 'canceled' AND p.created_at > taken_back_since),
    'same', same, 'denied_at', denied.at, 'denied_times', denied.times));
END $$;
--> statement-breakpoint
-- Where a relayer stands; null for one that has no limit yet.
CREATE FUNCTION bursar.lane(relayer_id text, nonce bigint, today text) RETURNS json LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT json_build_object(
    'relayer', row_to_json(r),
    'last', (SELECT max(b.relayer_nonce) FROM bursar.broadcasts b WHERE b.relayer = r.id),
    -- The first that was not handed out: the one asked for, or the one after an unbroken run.
    'free', CASE
      WHEN NOT EXISTS (SELECT 1 FROM bursar.broadcasts b WHERE b.relayer = r.id AND b.relayer_nonce = coalesce(nonce, 0))
      THEN coalesce(nonce, 0)
      ELSE (SELECT b.relayer_nonce + 1 FROM bursar.broadcasts b
        WHERE b.relayer = r.id AND b.relayer_nonce >= coalesce(nonce, 0) AND NOT EXISTS (
          SELECT 1 FROM bursar.broadcasts n WHERE n.relayer = r.id AND n.relayer_nonce = b.relayer_nonce + 1)
        ORDER BY b.relayer_nonce LIMIT 1)
    END,
    'fees', (SELECT row_to_json(f) FROM bursar.fee_days f WHERE f.relayer = r.id AND f.day = today),
    'at_nonce', (SELECT json_agg(row_to_json(b)) FROM bursar.broadcasts b WHERE b.relayer = r.id AND b.relayer_nonce = nonce))
  FROM bursar.relayers r WHERE r.id = relayer_id
$$;
--> statement-breakpoint
-- Everything that a decision may look at, after the locks were had: each statement in here sees what was committed before it
-- began. By keys and indexes alone.
CREATE FUNCTION bursar.snapshot(key jsonb) RETURNS json LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  payment bursar.payments;
  request bursar.requests;
  instrument bursar.instruments;
  rule bursar.limits;
  approval bursar.approvals;
  wallet text;
  spender jsonb := key -> 'spender';
  session text;
  "values" text[] := '{}';
  windows jsonb := coalesce(key -> 'windows', '{}'::jsonb);
  chained json;
  chain json;
  asking json;
  prior json;
  answers json;
  others_open boolean := false;
  minted bigint;
  passkey json;
  invitation json;
BEGIN
  IF key ? 'payment' THEN
    SELECT p.* INTO payment FROM bursar.payments p WHERE p.id = key ->> 'payment';
  END IF;
  IF key ? 'request' THEN
    SELECT r.* INTO request FROM bursar.requests r WHERE r.id = key ->> 'request';
  END IF;
  IF key ? 'instrument' OR payment.instrument_id IS NOT NULL THEN
    SELECT i.* INTO instrument FROM bursar.instruments i WHERE i.id = coalesce(key ->> 'instrument', payment.instrument_id);
  END IF;
  IF key ? 'limit' THEN
    SELECT l.* INTO rule FROM bursar.limits l WHERE l.id = key ->> 'limit';
  END IF;
  IF key ? 'payment' OR key ? 'request' THEN
    SELECT a.* INTO approval FROM bursar.approvals a WHERE a.subject_id = coalesce(key ->> 'payment', key ->> 'request');
  END IF;
  wallet := coalesce(key ->> 'wallet', instrument.wallet_id, request.wallet_id, payment.wallet_id, rule.wallet_id);
  -- The values that limits may look at: all of them, whatever the scope. The program says which it wants.
  IF instrument.id IS NOT NULL AND spender IS NOT NULL THEN
    session := spender ->> 'session';
    "values" := ARRAY[wallet, spender ->> 'agent', instrument.id, session, spender ->> 'payee', spender ->> 'origin',
      coalesce(spender ->> 'category', 'none'), spender ->> 'protocol'];
  ELSIF instrument.id IS NOT NULL AND payment.id IS NOT NULL THEN
    session := payment.session_id;
    "values" := ARRAY[wallet, payment.agent_id, instrument.id, session, payment.payee_key, payment.payee ->> 'origin',
      coalesce(payment.payee ->> 'category', 'none'), payment.protocol];
  END IF;
  IF key ? 'credential' OR jsonb_array_length(payment.credentials) > 0 THEN
    chain := bursar.chain(coalesce(key ->> 'credential', payment.credentials ->> 0), (key ->> 'chain_max')::integer);
  END IF;
  IF key ? 'asking' THEN asking := bursar.asking(key -> 'asking'); END IF;
  IF key ? 'same' THEN prior := bursar.prior(key -> 'same'); END IF;
  IF instrument.type = 'usdc' OR key ? 'relayer' OR key ? 'deposit' THEN
    SELECT json_build_object(
      'transfer', (SELECT row_to_json(t) FROM bursar.transfers t WHERE t.payment_id = key ->> 'payment'),
      'purchase', (SELECT row_to_json(u) FROM bursar.purchases u WHERE u.payment_id = key ->> 'payment'),
      'broadcasts', (SELECT json_agg(row_to_json(b)) FROM bursar.broadcasts b WHERE b.payment_id = key ->> 'payment'),
      'lane', CASE WHEN key ? 'relayer'
        THEN bursar.lane(key ->> 'relayer', (key ->> 'nonce')::bigint, key ->> 'today') END,
      'deposit', (SELECT row_to_json(d) FROM bursar.deposits d WHERE d.wallet_id = wallet
        AND d.tx_hash = key -> 'deposit' ->> 'tx_hash' AND d.position = (key -> 'deposit' ->> 'position')::bigint),
      'scan', CASE WHEN key ? 'deposit' THEN (SELECT row_to_json(s) FROM bursar.scans s WHERE s.wallet_id = wallet) END,
      'alike', CASE WHEN NOT EXISTS (
          SELECT 1 FROM bursar.known_payees k WHERE k.wallet_id = wallet AND k.account = spender ->> 'payee')
        THEN (SELECT k.account FROM bursar.known_payees k WHERE k.wallet_id = wallet AND k.shape = key ->> 'shape'
          ORDER BY k.account LIMIT 1) END
    ) INTO chained;
  END IF;
  -- Each in a statement of its own: those of a statement are made ready to run whether or not they are wanted.
  IF approval.owners > 1 THEN
    SELECT json_agg(row_to_json(s)) INTO answers FROM bursar.answers s WHERE s.approval_id = approval.id;
  END IF;
  IF payment.instrument_id IS NOT NULL THEN
    -- One is enough to know; there may be thousands in flight.
    others_open := EXISTS (SELECT 1 FROM bursar.payments o
      WHERE o.instrument_id = payment.instrument_id AND o.status IN ('authorized', 'in_doubt') AND o.id <> payment.id);
  END IF;
  IF key ? 'minting' THEN
    SELECT count(*) INTO minted FROM bursar.credentials c
    WHERE c.parent_id = key ->> 'credential' AND c.revoked_at IS NULL AND c.expires_at > (key ->> 'minting')::bigint;
  END IF;
  IF key ? 'passkey' THEN
    SELECT row_to_json(k) INTO passkey FROM bursar.passkeys k WHERE k.id = key ->> 'passkey';
  END IF;
  IF key ? 'code' THEN
    SELECT row_to_json(v) INTO invitation FROM bursar.invitations v WHERE v.code_hash = key ->> 'code';
  END IF;
  RETURN (SELECT json_build_object(
    'instance', (SELECT row_to_json(i) FROM bursar.instance i),
    'agent', (SELECT row_to_json(a) FROM bursar.agents a WHERE a.id = coalesce(key ->> 'agent', payment.agent_id, request.agent_id)),
    'wallet', (SELECT row_to_json(w) FROM bursar.wallets w WHERE w.id = wallet),
    'accounts', (SELECT row_to_json(a) FROM bursar.accounts a WHERE a.wallet_id = wallet),
    'limits', (SELECT json_agg(row_to_json(l)) FROM bursar.limits l WHERE l.wallet_id = wallet AND l.removed_at IS NULL),
    'counters', (SELECT json_agg(row_to_json(c)) FROM bursar.limits l JOIN bursar.counters c
      ON c.limit_id = l.id AND c.scope_value = ANY ("values") AND c.window_key = CASE l."window"
        WHEN 'total' THEN 'total' WHEN 'session' THEN session ELSE windows ->> l."window" END
      WHERE l.wallet_id = wallet AND l.removed_at IS NULL),
    'asked', json_build_object('values', to_json("values"), 'session', session),
    'payment', CASE WHEN payment.id IS NOT NULL THEN row_to_json(payment) END,
    'request', CASE WHEN request.id IS NOT NULL THEN row_to_json(request) END,
    'instrument', CASE WHEN instrument.id IS NOT NULL THEN row_to_json(instrument) END,
    'limit', CASE WHEN rule.id IS NOT NULL THEN row_to_json(rule) END,
    'approval', CASE WHEN approval.id IS NOT NULL THEN row_to_json(approval) END,
    'answers', answers,
    'others_open', others_open,
    'credentials', chain,
    'minted', minted,
    'passkey', passkey,
    'invitation', invitation,
    'asking', asking,
    'prior', prior,
    'chained', chained));
END $$;
--> statement-breakpoint
-- Writes one step, or ends a commit with the heads of all journals that grew. Each row of the tables is written once, in the
-- order given; rows of one table that follow each other in one statement, since the checks and triggers of a table are made
-- ready anew for each. The branches per table are made by scripts/postgres-steps.mjs from src/store/postgres/schema.ts.
CREATE FUNCTION bursar.write(step jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  one jsonb;
  changed bigint;
  made bigint;
BEGIN
  IF step ? 'texts' THEN
    INSERT INTO bursar.texts (digest, salt, text)
    SELECT t ->> 'digest', t ->> 'salt', t ->> 'text' FROM jsonb_array_elements(step -> 'texts') t;
  END IF;
  IF step ? 'events' THEN
    INSERT INTO bursar.events (journal, seq, type, body, leaf)
    SELECT e ->> 'journal', (e ->> 'seq')::bigint, e ->> 'type', e ->> 'body', decode(e ->> 'leaf', 'hex')
    FROM jsonb_array_elements(step -> 'events') e;
  END IF;
  FOR one IN SELECT h FROM jsonb_array_elements(step -> 'heads') h LOOP
    UPDATE bursar.heads SET size = (one ->> 'size')::bigint, frontier = decode(one ->> 'frontier', 'hex'),
      checkpoint = one ->> 'checkpoint', mac = decode(one ->> 'mac', 'hex') WHERE journal = one ->> 'journal';
    IF NOT FOUND THEN
      INSERT INTO bursar.heads (journal, size, frontier, checkpoint, mac) VALUES (one ->> 'journal', (one ->> 'size')::bigint,
        decode(one ->> 'frontier', 'hex'), one ->> 'checkpoint', decode(one ->> 'mac', 'hex'));
    END IF;
  END LOOP;
  FOR one IN SELECT o FROM jsonb_array_elements(step -> 'ops') o LOOP
    CASE one ->> 'table'
    -- made: begin
    WHEN 'instance' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.instance (id, created_at, frozen)
        SELECT id, created_at, frozen FROM jsonb_populate_recordset(NULL::bursar.instance, one -> 'insert');
      ELSE
        UPDATE bursar.instance AS t SET (id, created_at, frozen) = (
          SELECT r.id, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0), r.frozen
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.instance (id, created_at, frozen)
          SELECT m.id, m.created_at, m.frozen
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.instance, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.instance t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of instance that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'owners' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.owners (id, name, public_key, created_at)
        SELECT id, name, public_key, created_at FROM jsonb_populate_recordset(NULL::bursar.owners, one -> 'insert');
      ELSE
        UPDATE bursar.owners AS t SET (id, name, public_key, created_at) = (
          SELECT r.id, r.name, r.public_key, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.owners (id, name, public_key, created_at)
          SELECT m.id, m.name, m.public_key, m.created_at
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.owners, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.owners t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of owners that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'agents' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.agents (id, name, key_hash, status, created_at)
        SELECT id, name, key_hash, status, created_at FROM jsonb_populate_recordset(NULL::bursar.agents, one -> 'insert');
      ELSE
        UPDATE bursar.agents AS t SET (id, name, key_hash, status, created_at) = (
          SELECT r.id, r.name, r.key_hash, r.status, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.agents (id, name, key_hash, status, created_at)
          SELECT m.id, m.name, m.key_hash, m.status, m.created_at
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.agents, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.agents t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of agents that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'wallets' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.wallets (id, name, owner_id, agent_id, mode, currency, decimals, time_zone, status, approvals, created_at, asset, account, relayer, confirmations, allows)
        SELECT id, name, owner_id, agent_id, mode, currency, decimals, time_zone, status, approvals, created_at, asset, account, relayer, confirmations, allows FROM jsonb_populate_recordset(NULL::bursar.wallets, one -> 'insert');
      ELSE
        UPDATE bursar.wallets AS t SET (id, name, owner_id, agent_id, mode, currency, decimals, time_zone, status, approvals, created_at, asset, account, relayer, confirmations, allows) = (
          SELECT r.id, r.name, r.owner_id, r.agent_id, r.mode, r.currency, r.decimals + coalesce((c -> 'add' ->> 'decimals')::bigint, 0), r.time_zone, r.status, r.approvals, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0), r.asset, r.account, r.relayer, r.confirmations, r.allows
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.wallets (id, name, owner_id, agent_id, mode, currency, decimals, time_zone, status, approvals, created_at, asset, account, relayer, confirmations, allows)
          SELECT m.id, m.name, m.owner_id, m.agent_id, m.mode, m.currency, m.decimals, m.time_zone, m.status, m.approvals, m.created_at, m.asset, m.account, m.relayer, m.confirmations, m.allows
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.wallets, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.wallets t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of wallets that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'accounts' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.accounts (wallet_id, available, held, external, overdrawn)
        SELECT wallet_id, available, held, external, overdrawn FROM jsonb_populate_recordset(NULL::bursar.accounts, one -> 'insert');
      ELSE
        UPDATE bursar.accounts AS t SET (wallet_id, available, held, external, overdrawn) = (
          SELECT r.wallet_id, r.available + coalesce((c -> 'add' ->> 'available')::bigint, 0), r.held + coalesce((c -> 'add' ->> 'held')::bigint, 0), r.external + coalesce((c -> 'add' ->> 'external')::bigint, 0), r.overdrawn + coalesce((c -> 'add' ->> 'overdrawn')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.wallet_id = c -> 'key' ->> 'wallet_id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.accounts (wallet_id, available, held, external, overdrawn)
          SELECT m.wallet_id, m.available, m.held, m.external, m.overdrawn
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.accounts, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.accounts t WHERE t.wallet_id = m.wallet_id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of accounts that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'entries' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.entries (journal, seq, n, wallet_id, payment_id, kind, debit, credit, amount)
        SELECT journal, seq, n, wallet_id, payment_id, kind, debit, credit, amount FROM jsonb_populate_recordset(NULL::bursar.entries, one -> 'insert');
      ELSE
        UPDATE bursar.entries AS t SET (journal, seq, n, wallet_id, payment_id, kind, debit, credit, amount) = (
          SELECT r.journal, r.seq, r.n, r.wallet_id, r.payment_id, r.kind, r.debit, r.credit, r.amount + coalesce((c -> 'add' ->> 'amount')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.journal = c -> 'key' ->> 'journal' AND t.seq = (c -> 'key' ->> 'seq')::bigint AND t.n = (c -> 'key' ->> 'n')::bigint;
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.entries (journal, seq, n, wallet_id, payment_id, kind, debit, credit, amount)
          SELECT m.journal, m.seq, m.n, m.wallet_id, m.payment_id, m.kind, m.debit, m.credit, m.amount
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.entries, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.entries t WHERE t.journal = m.journal AND t.seq = m.seq AND t.n = m.n);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of entries that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'limits' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.limits (id, wallet_id, scope, scope_value, "window", max_amount, max_count, over, created_at, removed_at)
        SELECT id, wallet_id, scope, scope_value, "window", max_amount, max_count, over, created_at, removed_at FROM jsonb_populate_recordset(NULL::bursar.limits, one -> 'insert');
      ELSE
        UPDATE bursar.limits AS t SET (id, wallet_id, scope, scope_value, "window", max_amount, max_count, over, created_at, removed_at) = (
          SELECT r.id, r.wallet_id, r.scope, r.scope_value, r."window", r.max_amount + coalesce((c -> 'add' ->> 'max_amount')::bigint, 0), r.max_count + coalesce((c -> 'add' ->> 'max_count')::bigint, 0), r.over, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0), r.removed_at + coalesce((c -> 'add' ->> 'removed_at')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.limits (id, wallet_id, scope, scope_value, "window", max_amount, max_count, over, created_at, removed_at)
          SELECT m.id, m.wallet_id, m.scope, m.scope_value, m."window", m.max_amount, m.max_count, m.over, m.created_at, m.removed_at
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.limits, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.limits t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of limits that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'counters' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.counters (limit_id, scope_value, window_key, amount, count, forced)
        SELECT limit_id, scope_value, window_key, amount, count, forced FROM jsonb_populate_recordset(NULL::bursar.counters, one -> 'insert');
      ELSE
        UPDATE bursar.counters AS t SET (limit_id, scope_value, window_key, amount, count, forced) = (
          SELECT r.limit_id, r.scope_value, r.window_key, r.amount + coalesce((c -> 'add' ->> 'amount')::bigint, 0), r.count + coalesce((c -> 'add' ->> 'count')::bigint, 0), r.forced + coalesce((c -> 'add' ->> 'forced')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.limit_id = c -> 'key' ->> 'limit_id' AND t.scope_value = c -> 'key' ->> 'scope_value' AND t.window_key = c -> 'key' ->> 'window_key';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.counters (limit_id, scope_value, window_key, amount, count, forced)
          SELECT m.limit_id, m.scope_value, m.window_key, m.amount, m.count, m.forced
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.counters, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.counters t WHERE t.limit_id = m.limit_id AND t.scope_value = m.scope_value AND t.window_key = m.window_key);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of counters that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'requests' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.requests (id, wallet_id, agent_id, session_id, task_id, currency, type, amount, usage_limit, per_payment_max, expires_in_ms, constraints, purpose_ref, status, refusal, instrument_id, created_at, fingerprint)
        SELECT id, wallet_id, agent_id, session_id, task_id, currency, type, amount, usage_limit, per_payment_max, expires_in_ms, constraints, purpose_ref, status, refusal, instrument_id, created_at, fingerprint FROM jsonb_populate_recordset(NULL::bursar.requests, one -> 'insert');
      ELSE
        UPDATE bursar.requests AS t SET (id, wallet_id, agent_id, session_id, task_id, currency, type, amount, usage_limit, per_payment_max, expires_in_ms, constraints, purpose_ref, status, refusal, instrument_id, created_at, fingerprint) = (
          SELECT r.id, r.wallet_id, r.agent_id, r.session_id, r.task_id, r.currency, r.type, r.amount + coalesce((c -> 'add' ->> 'amount')::bigint, 0), r.usage_limit + coalesce((c -> 'add' ->> 'usage_limit')::bigint, 0), r.per_payment_max + coalesce((c -> 'add' ->> 'per_payment_max')::bigint, 0), r.expires_in_ms + coalesce((c -> 'add' ->> 'expires_in_ms')::bigint, 0), r.constraints, r.purpose_ref, r.status, r.refusal, r.instrument_id, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0), r.fingerprint
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.requests (id, wallet_id, agent_id, session_id, task_id, currency, type, amount, usage_limit, per_payment_max, expires_in_ms, constraints, purpose_ref, status, refusal, instrument_id, created_at, fingerprint)
          SELECT m.id, m.wallet_id, m.agent_id, m.session_id, m.task_id, m.currency, m.type, m.amount, m.usage_limit, m.per_payment_max, m.expires_in_ms, m.constraints, m.purpose_ref, m.status, m.refusal, m.instrument_id, m.created_at, m.fingerprint
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.requests, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.requests t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of requests that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'instruments' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.instruments (id, request_id, wallet_id, agent_id, type, amount, remaining, usage_limit, usage_consumed, per_payment_max, constraints, expires_at, status, rail_ref, display, rail_status, created_at)
        SELECT id, request_id, wallet_id, agent_id, type, amount, remaining, usage_limit, usage_consumed, per_payment_max, constraints, expires_at, status, rail_ref, display, rail_status, created_at FROM jsonb_populate_recordset(NULL::bursar.instruments, one -> 'insert');
      ELSE
        UPDATE bursar.instruments AS t SET (id, request_id, wallet_id, agent_id, type, amount, remaining, usage_limit, usage_consumed, per_payment_max, constraints, expires_at, status, rail_ref, display, rail_status, created_at) = (
          SELECT r.id, r.request_id, r.wallet_id, r.agent_id, r.type, r.amount + coalesce((c -> 'add' ->> 'amount')::bigint, 0), r.remaining + coalesce((c -> 'add' ->> 'remaining')::bigint, 0), r.usage_limit + coalesce((c -> 'add' ->> 'usage_limit')::bigint, 0), r.usage_consumed + coalesce((c -> 'add' ->> 'usage_consumed')::bigint, 0), r.per_payment_max + coalesce((c -> 'add' ->> 'per_payment_max')::bigint, 0), r.constraints, r.expires_at + coalesce((c -> 'add' ->> 'expires_at')::bigint, 0), r.status, r.rail_ref, r.display, r.rail_status, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.instruments (id, request_id, wallet_id, agent_id, type, amount, remaining, usage_limit, usage_consumed, per_payment_max, constraints, expires_at, status, rail_ref, display, rail_status, created_at)
          SELECT m.id, m.request_id, m.wallet_id, m.agent_id, m.type, m.amount, m.remaining, m.usage_limit, m.usage_consumed, m.per_payment_max, m.constraints, m.expires_at, m.status, m.rail_ref, m.display, m.rail_status, m.created_at
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.instruments, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.instruments t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of instruments that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'payments' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.payments (id, wallet_id, instrument_id, agent_id, session_id, task_id, protocol, status, amount, held, captured, refunded, forced, payee, payee_key, purpose_ref, fingerprint, idempotency_key, refusal, counted, valid_until, rail_ref, refund_asked, created_at, authorized_at, updated_at, seq, credentials)
        SELECT id, wallet_id, instrument_id, agent_id, session_id, task_id, protocol, status, amount, held, captured, refunded, forced, payee, payee_key, purpose_ref, fingerprint, idempotency_key, refusal, counted, valid_until, rail_ref, refund_asked, created_at, authorized_at, updated_at, seq, credentials FROM jsonb_populate_recordset(NULL::bursar.payments, one -> 'insert');
      ELSE
        UPDATE bursar.payments AS t SET (id, wallet_id, instrument_id, agent_id, session_id, task_id, protocol, status, amount, held, captured, refunded, forced, payee, payee_key, purpose_ref, fingerprint, idempotency_key, refusal, counted, valid_until, rail_ref, refund_asked, created_at, authorized_at, updated_at, seq, credentials) = (
          SELECT r.id, r.wallet_id, r.instrument_id, r.agent_id, r.session_id, r.task_id, r.protocol, r.status, r.amount + coalesce((c -> 'add' ->> 'amount')::bigint, 0), r.held + coalesce((c -> 'add' ->> 'held')::bigint, 0), r.captured + coalesce((c -> 'add' ->> 'captured')::bigint, 0), r.refunded + coalesce((c -> 'add' ->> 'refunded')::bigint, 0), r.forced + coalesce((c -> 'add' ->> 'forced')::bigint, 0), r.payee, r.payee_key, r.purpose_ref, r.fingerprint, r.idempotency_key, r.refusal, r.counted, r.valid_until + coalesce((c -> 'add' ->> 'valid_until')::bigint, 0), r.rail_ref, r.refund_asked, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0), r.authorized_at + coalesce((c -> 'add' ->> 'authorized_at')::bigint, 0), r.updated_at + coalesce((c -> 'add' ->> 'updated_at')::bigint, 0), r.seq + coalesce((c -> 'add' ->> 'seq')::bigint, 0), r.credentials
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.payments (id, wallet_id, instrument_id, agent_id, session_id, task_id, protocol, status, amount, held, captured, refunded, forced, payee, payee_key, purpose_ref, fingerprint, idempotency_key, refusal, counted, valid_until, rail_ref, refund_asked, created_at, authorized_at, updated_at, seq, credentials)
          SELECT m.id, m.wallet_id, m.instrument_id, m.agent_id, m.session_id, m.task_id, m.protocol, m.status, m.amount, m.held, m.captured, m.refunded, m.forced, m.payee, m.payee_key, m.purpose_ref, m.fingerprint, m.idempotency_key, m.refusal, m.counted, m.valid_until, m.rail_ref, m.refund_asked, m.created_at, m.authorized_at, m.updated_at, m.seq, m.credentials
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.payments, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.payments t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of payments that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'purchases' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.purchases (payment_id, resource_ref, value, version, flow, header, http_status, delivered_at, facilitator)
        SELECT payment_id, resource_ref, value, version, flow, header, http_status, delivered_at, facilitator FROM jsonb_populate_recordset(NULL::bursar.purchases, one -> 'insert');
      ELSE
        UPDATE bursar.purchases AS t SET (payment_id, resource_ref, value, version, flow, header, http_status, delivered_at, facilitator) = (
          SELECT r.payment_id, r.resource_ref, r.value + coalesce((c -> 'add' ->> 'value')::bigint, 0), r.version + coalesce((c -> 'add' ->> 'version')::bigint, 0), r.flow, r.header, r.http_status + coalesce((c -> 'add' ->> 'http_status')::bigint, 0), r.delivered_at + coalesce((c -> 'add' ->> 'delivered_at')::bigint, 0), r.facilitator
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.payment_id = c -> 'key' ->> 'payment_id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.purchases (payment_id, resource_ref, value, version, flow, header, http_status, delivered_at, facilitator)
          SELECT m.payment_id, m.resource_ref, m.value, m.version, m.flow, m.header, m.http_status, m.delivered_at, m.facilitator
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.purchases, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.purchases t WHERE t.payment_id = m.payment_id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of purchases that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'approvals' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.approvals (id, subject_id, wallet_id, digest, needs, status, asked, assurance, created_at, expires_at, answered_at, reason_ref, owners)
        SELECT id, subject_id, wallet_id, digest, needs, status, asked, assurance, created_at, expires_at, answered_at, reason_ref, owners FROM jsonb_populate_recordset(NULL::bursar.approvals, one -> 'insert');
      ELSE
        UPDATE bursar.approvals AS t SET (id, subject_id, wallet_id, digest, needs, status, asked, assurance, created_at, expires_at, answered_at, reason_ref, owners) = (
          SELECT r.id, r.subject_id, r.wallet_id, r.digest, r.needs, r.status, r.asked, r.assurance, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0), r.expires_at + coalesce((c -> 'add' ->> 'expires_at')::bigint, 0), r.answered_at + coalesce((c -> 'add' ->> 'answered_at')::bigint, 0), r.reason_ref, r.owners + coalesce((c -> 'add' ->> 'owners')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.approvals (id, subject_id, wallet_id, digest, needs, status, asked, assurance, created_at, expires_at, answered_at, reason_ref, owners)
          SELECT m.id, m.subject_id, m.wallet_id, m.digest, m.needs, m.status, m.asked, m.assurance, m.created_at, m.expires_at, m.answered_at, m.reason_ref, m.owners
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.approvals, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.approvals t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of approvals that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'rails' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.rails (id, cursor)
        SELECT id, cursor FROM jsonb_populate_recordset(NULL::bursar.rails, one -> 'insert');
      ELSE
        UPDATE bursar.rails AS t SET (id, cursor) = (
          SELECT r.id, r.cursor
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.rails (id, cursor)
          SELECT m.id, m.cursor
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.rails, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.rails t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of rails that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'transfers' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.transfers (payment_id, wallet_id, asset, from_address, to_address, value, valid_before, nonce, signature, from_block, status, tx_hash, block, void_proof, signed_at, kind, facilitator, moved)
        SELECT payment_id, wallet_id, asset, from_address, to_address, value, valid_before, nonce, signature, from_block, status, tx_hash, block, void_proof, signed_at, kind, facilitator, moved FROM jsonb_populate_recordset(NULL::bursar.transfers, one -> 'insert');
      ELSE
        UPDATE bursar.transfers AS t SET (payment_id, wallet_id, asset, from_address, to_address, value, valid_before, nonce, signature, from_block, status, tx_hash, block, void_proof, signed_at, kind, facilitator, moved) = (
          SELECT r.payment_id, r.wallet_id, r.asset, r.from_address, r.to_address, r.value + coalesce((c -> 'add' ->> 'value')::bigint, 0), r.valid_before + coalesce((c -> 'add' ->> 'valid_before')::bigint, 0), r.nonce, r.signature, r.from_block + coalesce((c -> 'add' ->> 'from_block')::bigint, 0), r.status, r.tx_hash, r.block + coalesce((c -> 'add' ->> 'block')::bigint, 0), r.void_proof + coalesce((c -> 'add' ->> 'void_proof')::bigint, 0), r.signed_at + coalesce((c -> 'add' ->> 'signed_at')::bigint, 0), r.kind, r.facilitator, r.moved + coalesce((c -> 'add' ->> 'moved')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.payment_id = c -> 'key' ->> 'payment_id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.transfers (payment_id, wallet_id, asset, from_address, to_address, value, valid_before, nonce, signature, from_block, status, tx_hash, block, void_proof, signed_at, kind, facilitator, moved)
          SELECT m.payment_id, m.wallet_id, m.asset, m.from_address, m.to_address, m.value, m.valid_before, m.nonce, m.signature, m.from_block, m.status, m.tx_hash, m.block, m.void_proof, m.signed_at, m.kind, m.facilitator, m.moved
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.transfers, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.transfers t WHERE t.payment_id = m.payment_id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of transfers that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'broadcasts' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.broadcasts (tx_hash, relayer, relayer_nonce, payment_id, raw, max_fee, fee, day, created_at)
        SELECT tx_hash, relayer, relayer_nonce, payment_id, raw, max_fee, fee, day, created_at FROM jsonb_populate_recordset(NULL::bursar.broadcasts, one -> 'insert');
      ELSE
        UPDATE bursar.broadcasts AS t SET (tx_hash, relayer, relayer_nonce, payment_id, raw, max_fee, fee, day, created_at) = (
          SELECT r.tx_hash, r.relayer, r.relayer_nonce + coalesce((c -> 'add' ->> 'relayer_nonce')::bigint, 0), r.payment_id, r.raw, r.max_fee + coalesce((c -> 'add' ->> 'max_fee')::bigint, 0), r.fee + coalesce((c -> 'add' ->> 'fee')::bigint, 0), r.day, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.tx_hash = c -> 'key' ->> 'tx_hash';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.broadcasts (tx_hash, relayer, relayer_nonce, payment_id, raw, max_fee, fee, day, created_at)
          SELECT m.tx_hash, m.relayer, m.relayer_nonce, m.payment_id, m.raw, m.max_fee, m.fee, m.day, m.created_at
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.broadcasts, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.broadcasts t WHERE t.tx_hash = m.tx_hash);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of broadcasts that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'relayers' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.relayers (id, daily_max)
        SELECT id, daily_max FROM jsonb_populate_recordset(NULL::bursar.relayers, one -> 'insert');
      ELSE
        UPDATE bursar.relayers AS t SET (id, daily_max) = (
          SELECT r.id, r.daily_max + coalesce((c -> 'add' ->> 'daily_max')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.relayers (id, daily_max)
          SELECT m.id, m.daily_max
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.relayers, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.relayers t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of relayers that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'fee_days' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.fee_days (relayer, day, held, spent)
        SELECT relayer, day, held, spent FROM jsonb_populate_recordset(NULL::bursar.fee_days, one -> 'insert');
      ELSE
        UPDATE bursar.fee_days AS t SET (relayer, day, held, spent) = (
          SELECT r.relayer, r.day, r.held + coalesce((c -> 'add' ->> 'held')::bigint, 0), r.spent + coalesce((c -> 'add' ->> 'spent')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.relayer = c -> 'key' ->> 'relayer' AND t.day = c -> 'key' ->> 'day';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.fee_days (relayer, day, held, spent)
          SELECT m.relayer, m.day, m.held, m.spent
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.fee_days, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.fee_days t WHERE t.relayer = m.relayer AND t.day = m.day);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of fee_days that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'deposits' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.deposits (wallet_id, tx_hash, position, amount, from_address, block, seq)
        SELECT wallet_id, tx_hash, position, amount, from_address, block, seq FROM jsonb_populate_recordset(NULL::bursar.deposits, one -> 'insert');
      ELSE
        UPDATE bursar.deposits AS t SET (wallet_id, tx_hash, position, amount, from_address, block, seq) = (
          SELECT r.wallet_id, r.tx_hash, r.position, r.amount + coalesce((c -> 'add' ->> 'amount')::bigint, 0), r.from_address, r.block + coalesce((c -> 'add' ->> 'block')::bigint, 0), r.seq + coalesce((c -> 'add' ->> 'seq')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.wallet_id = c -> 'key' ->> 'wallet_id' AND t.tx_hash = c -> 'key' ->> 'tx_hash' AND t.position = (c -> 'key' ->> 'position')::bigint;
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.deposits (wallet_id, tx_hash, position, amount, from_address, block, seq)
          SELECT m.wallet_id, m.tx_hash, m.position, m.amount, m.from_address, m.block, m.seq
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.deposits, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.deposits t WHERE t.wallet_id = m.wallet_id AND t.tx_hash = m.tx_hash AND t.position = m.position);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of deposits that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'scans' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.scans (wallet_id, block)
        SELECT wallet_id, block FROM jsonb_populate_recordset(NULL::bursar.scans, one -> 'insert');
      ELSE
        UPDATE bursar.scans AS t SET (wallet_id, block) = (
          SELECT r.wallet_id, r.block + coalesce((c -> 'add' ->> 'block')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.wallet_id = c -> 'key' ->> 'wallet_id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.scans (wallet_id, block)
          SELECT m.wallet_id, m.block
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.scans, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.scans t WHERE t.wallet_id = m.wallet_id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of scans that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'known_payees' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.known_payees (wallet_id, account, shape, payments)
        SELECT wallet_id, account, shape, payments FROM jsonb_populate_recordset(NULL::bursar.known_payees, one -> 'insert');
      ELSE
        UPDATE bursar.known_payees AS t SET (wallet_id, account, shape, payments) = (
          SELECT r.wallet_id, r.account, r.shape, r.payments + coalesce((c -> 'add' ->> 'payments')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.wallet_id = c -> 'key' ->> 'wallet_id' AND t.account = c -> 'key' ->> 'account';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.known_payees (wallet_id, account, shape, payments)
          SELECT m.wallet_id, m.account, m.shape, m.payments
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.known_payees, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.known_payees t WHERE t.wallet_id = m.wallet_id AND t.account = m.account);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of known_payees that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'credentials' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.credentials (id, agent_id, parent_id, key_hash, issuer, subject, audience, jwks_uri, scopes, instruments, max_amount, currency, spent, label, created_at, expires_at, revoked_at)
        SELECT id, agent_id, parent_id, key_hash, issuer, subject, audience, jwks_uri, scopes, instruments, max_amount, currency, spent, label, created_at, expires_at, revoked_at FROM jsonb_populate_recordset(NULL::bursar.credentials, one -> 'insert');
      ELSE
        UPDATE bursar.credentials AS t SET (id, agent_id, parent_id, key_hash, issuer, subject, audience, jwks_uri, scopes, instruments, max_amount, currency, spent, label, created_at, expires_at, revoked_at) = (
          SELECT r.id, r.agent_id, r.parent_id, r.key_hash, r.issuer, r.subject, r.audience, r.jwks_uri, r.scopes, r.instruments, r.max_amount + coalesce((c -> 'add' ->> 'max_amount')::bigint, 0), r.currency, r.spent + coalesce((c -> 'add' ->> 'spent')::bigint, 0), r.label, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0), r.expires_at + coalesce((c -> 'add' ->> 'expires_at')::bigint, 0), r.revoked_at + coalesce((c -> 'add' ->> 'revoked_at')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.credentials (id, agent_id, parent_id, key_hash, issuer, subject, audience, jwks_uri, scopes, instruments, max_amount, currency, spent, label, created_at, expires_at, revoked_at)
          SELECT m.id, m.agent_id, m.parent_id, m.key_hash, m.issuer, m.subject, m.audience, m.jwks_uri, m.scopes, m.instruments, m.max_amount, m.currency, m.spent, m.label, m.created_at, m.expires_at, m.revoked_at
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.credentials, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.credentials t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of credentials that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'passkeys' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.passkeys (id, owner_id, public_key, rp_id, origin, name, synced, transports, created_at, revoked_at)
        SELECT id, owner_id, public_key, rp_id, origin, name, synced, transports, created_at, revoked_at FROM jsonb_populate_recordset(NULL::bursar.passkeys, one -> 'insert');
      ELSE
        UPDATE bursar.passkeys AS t SET (id, owner_id, public_key, rp_id, origin, name, synced, transports, created_at, revoked_at) = (
          SELECT r.id, r.owner_id, r.public_key, r.rp_id, r.origin, r.name, r.synced, r.transports, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0), r.revoked_at + coalesce((c -> 'add' ->> 'revoked_at')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.id = c -> 'key' ->> 'id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.passkeys (id, owner_id, public_key, rp_id, origin, name, synced, transports, created_at, revoked_at)
          SELECT m.id, m.owner_id, m.public_key, m.rp_id, m.origin, m.name, m.synced, m.transports, m.created_at, m.revoked_at
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.passkeys, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.passkeys t WHERE t.id = m.id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of passkeys that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'invitations' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.invitations (code_hash, owner_id, created_at, expires_at, used_at)
        SELECT code_hash, owner_id, created_at, expires_at, used_at FROM jsonb_populate_recordset(NULL::bursar.invitations, one -> 'insert');
      ELSE
        UPDATE bursar.invitations AS t SET (code_hash, owner_id, created_at, expires_at, used_at) = (
          SELECT r.code_hash, r.owner_id, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0), r.expires_at + coalesce((c -> 'add' ->> 'expires_at')::bigint, 0), r.used_at + coalesce((c -> 'add' ->> 'used_at')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.code_hash = c -> 'key' ->> 'code_hash';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.invitations (code_hash, owner_id, created_at, expires_at, used_at)
          SELECT m.code_hash, m.owner_id, m.created_at, m.expires_at, m.used_at
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.invitations, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.invitations t WHERE t.code_hash = m.code_hash);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of invitations that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'answers' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.answers (approval_id, owner_id, narrowed, created_at)
        SELECT approval_id, owner_id, narrowed, created_at FROM jsonb_populate_recordset(NULL::bursar.answers, one -> 'insert');
      ELSE
        UPDATE bursar.answers AS t SET (approval_id, owner_id, narrowed, created_at) = (
          SELECT r.approval_id, r.owner_id, r.narrowed, r.created_at + coalesce((c -> 'add' ->> 'created_at')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.approval_id = c -> 'key' ->> 'approval_id' AND t.owner_id = c -> 'key' ->> 'owner_id';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.answers (approval_id, owner_id, narrowed, created_at)
          SELECT m.approval_id, m.owner_id, m.narrowed, m.created_at
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.answers, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.answers t WHERE t.approval_id = m.approval_id AND t.owner_id = m.owner_id);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of answers that is not there.';
          END IF;
        END IF;
      END IF;
    WHEN 'notice_cursors' THEN
      IF one ? 'insert' THEN
        INSERT INTO bursar.notice_cursors (channel, journal, seq)
        SELECT channel, journal, seq FROM jsonb_populate_recordset(NULL::bursar.notice_cursors, one -> 'insert');
      ELSE
        UPDATE bursar.notice_cursors AS t SET (channel, journal, seq) = (
          SELECT r.channel, r.journal, r.seq + coalesce((c -> 'add' ->> 'seq')::bigint, 0)
          FROM jsonb_populate_record(t, c -> 'set') r)
        FROM jsonb_array_elements(one -> 'change') c WHERE t.channel = c -> 'key' ->> 'channel' AND t.journal = c -> 'key' ->> 'journal';
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < jsonb_array_length(one -> 'change') THEN
          INSERT INTO bursar.notice_cursors (channel, journal, seq)
          SELECT m.channel, m.journal, m.seq
          FROM jsonb_array_elements(one -> 'change') c, jsonb_populate_record(NULL::bursar.notice_cursors, c -> 'make') m
          WHERE c ? 'make' AND NOT EXISTS (SELECT 1 FROM bursar.notice_cursors t WHERE t.channel = m.channel AND t.journal = m.journal);
          GET DIAGNOSTICS made = ROW_COUNT;
          IF changed + made < jsonb_array_length(one -> 'change') THEN
            RAISE EXCEPTION 'A fact changes a row of notice_cursors that is not there.';
          END IF;
        END IF;
      END IF;
    -- made: end
    END CASE;
  END LOOP;
END $$;
