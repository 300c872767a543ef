-- The event log: what has happened to a bank's batches, customers and webhooks, in the order of the commits. Each event is
-- inserted in the transaction of its change.
CREATE TABLE events (
  bank_id TEXT NOT NULL,
  sequence INTEGER NOT NULL, -- 1, 2, 3 … in each bank, without gaps
  type TEXT NOT NULL,
  data TEXT NOT NULL, -- JSON: ids and counts
  created_at INTEGER NOT NULL, -- never before that of the event in front
  PRIMARY KEY (bank_id, sequence)
) STRICT, WITHOUT ROWID;

-- Webhook endpoints: the URLs to which a bank has its events sent, and how far each has come in the bank's log.
CREATE TABLE webhook_endpoints (
  bank_id TEXT NOT NULL,
  id TEXT NOT NULL,
  url TEXT NOT NULL,
  types TEXT NOT NULL, -- a JSON array
  secret TEXT NOT NULL, -- sealed
  previous_secret TEXT, -- sealed; after a rotation both sign until previous_secret_until
  previous_secret_until INTEGER,
  status TEXT NOT NULL DEFAULT 'ENABLED' CHECK (status IN ('ENABLED', 'DISABLED')),
  disabled_at INTEGER,
  disabled_reason TEXT,
  position INTEGER NOT NULL, -- sequence of the last event that was delivered or does not match
  lease TEXT, -- who is sending to it
  lease_until INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0, -- failed attempts since the last one that worked
  failing_since INTEGER,
  next_attempt_at INTEGER NOT NULL DEFAULT 0,
  last_attempt_at INTEGER,
  last_status INTEGER, -- HTTP status of the last attempt; null: no response
  tested_at INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (bank_id, id)
) STRICT, WITHOUT ROWID;
