import { DECLINE_CODES } from '../issuer.ts'

export const SCHEMA_VERSION = 1n

const declineCodes = Object.keys(DECLINE_CODES)
  .map((code) => `'${code}'`)
  .join(', ')

/** The sandbox card network's own books, apart from bursar's ledger. Amounts are smallest units, times are epoch milliseconds. */
export const SCHEMA = `
CREATE TABLE network (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  id TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT;

CREATE TABLE cards (
  id TEXT PRIMARY KEY,
  instrument_id TEXT NOT NULL UNIQUE,
  pan TEXT NOT NULL UNIQUE CHECK (length(pan) = 16),
  terms TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'frozen', 'closed')),
  currency TEXT NOT NULL,
  all_time INTEGER NOT NULL CHECK (all_time > 0),
  per_authorization INTEGER CHECK (per_authorization > 0),
  payment_count INTEGER CHECK (payment_count > 0),
  expires_at INTEGER NOT NULL,
  allowed_categories TEXT,
  allowed_countries TEXT,
  allowed_merchants TEXT,
  spent INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
  payments INTEGER NOT NULL DEFAULT 0 CHECK (payments >= 0)
) STRICT;

CREATE TABLE authorizations (
  payment_id TEXT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  card_id TEXT REFERENCES cards (id),
  terms TEXT NOT NULL,
  currency TEXT NOT NULL,
  merchant_name TEXT NOT NULL,
  category TEXT NOT NULL,
  country TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'closed', 'reversed', 'expired', 'declined')),
  decline_code TEXT CHECK (decline_code IN (${declineCodes})),
  authorized INTEGER NOT NULL CHECK (authorized BETWEEN 0 AND 1000000000000000),
  captured INTEGER NOT NULL CHECK (captured >= 0),
  forced INTEGER NOT NULL CHECK (forced >= 0),
  released INTEGER NOT NULL CHECK (released >= 0),
  refunded INTEGER NOT NULL CHECK (refunded BETWEEN 0 AND captured + forced),
  seq INTEGER NOT NULL UNIQUE,
  CHECK (captured + released <= authorized),
  CHECK (status = 'pending' OR captured + released = authorized),
  CHECK ((status = 'declined') = (decline_code IS NOT NULL)),
  CHECK (status <> 'declined' OR (authorized = 0 AND forced = 0)),
  CHECK (status = 'declined' OR card_id IS NOT NULL)
) STRICT;

-- Each message of a merchant once, however often the network brings it.
CREATE TABLE messages (
  payment_id TEXT NOT NULL REFERENCES authorizations (payment_id),
  message_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('capture', 'reverse', 'refund', 'force_post', 'expire')),
  amount INTEGER NOT NULL CHECK (amount >= 0),
  closes INTEGER NOT NULL CHECK (closes IN (0, 1)),
  PRIMARY KEY (payment_id, message_id)
) STRICT, WITHOUT ROWID;

-- Messages under way, taken in order when their time has come.
CREATE TABLE schedule (
  n INTEGER PRIMARY KEY,
  payment_id TEXT NOT NULL REFERENCES authorizations (payment_id),
  message_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  amount INTEGER NOT NULL,
  closes INTEGER NOT NULL,
  due_at INTEGER NOT NULL
) STRICT;
CREATE INDEX schedule_by_time ON schedule (due_at, n);

-- Payments whose first request the network lost.
CREATE TABLE lost_requests (payment_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`
