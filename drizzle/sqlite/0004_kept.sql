-- What the surfaces remember between calls, so that nothing is done twice, whichever process is asked. It is no ledger: nothing
-- else refers to it, no journal rebuilds it, and its rows change and go. Times are milliseconds since the epoch.

-- Calls by who asked and the Idempotency-Key that they gave. `asked`: digest of what is asked for. `holder`: the one claim of the
-- key. `answer`: null until the call was done; empty where what was answered is not kept here.
CREATE TABLE kept_calls (
  caller TEXT NOT NULL CHECK (length(caller) BETWEEN 1 AND 300),
  key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
  asked TEXT NOT NULL CHECK (length(asked) = 64),
  holder TEXT NOT NULL CHECK (length(holder) = 36),
  busy_until INTEGER NOT NULL CHECK (busy_until BETWEEN 0 AND expires_at),
  expires_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes BETWEEN 0 AND 500000),
  answer TEXT CHECK (coalesce(octet_length(answer), 0) = bytes),
  PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX kept_calls_by_caller ON kept_calls (caller, expires_at, key, bytes);
--> statement-breakpoint
CREATE INDEX kept_calls_by_end ON kept_calls (expires_at);
--> statement-breakpoint
CREATE INDEX kept_calls_answered ON kept_calls (expires_at, bytes) WHERE bytes > 0;
--> statement-breakpoint
-- The bytes of all answers, in shares so that those who write at once do not wait for each other: their sum is what counts.
CREATE TABLE kept_room (
  share INTEGER NOT NULL PRIMARY KEY CHECK (share BETWEEN 0 AND 15),
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
-- What may be shown once, by its digest: proofs of possession.
CREATE TABLE kept_names (
  name TEXT NOT NULL PRIMARY KEY CHECK (length(name) = 64),
  holder TEXT NOT NULL CHECK (length(holder) = 36),
  expires_at INTEGER NOT NULL CHECK (expires_at >= 0)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX kept_names_by_end ON kept_names (expires_at);
