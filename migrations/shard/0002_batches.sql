-- The batches that create customers, and the responses to a bank's retries.

CREATE TABLE batches (
  bank_id TEXT NOT NULL,
  id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('PROCESSING', 'STALLED', 'COMPLETED', 'COMPLETED_WITH_FAILURES')),
  total INTEGER NOT NULL,
  duplicates INTEGER NOT NULL,
  invalid INTEGER NOT NULL,
  first_customer_id TEXT,
  last_customer_id TEXT,
  created INTEGER NOT NULL DEFAULT 0,
  raced INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  failures_removed INTEGER NOT NULL DEFAULT 0, -- failures that were deleted to make room for newer ones
  created_at INTEGER NOT NULL,
  completed_at INTEGER,
  PRIMARY KEY (bank_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX batches_status ON batches (bank_id, status, id);
CREATE INDEX batches_completed ON batches (completed_at) WHERE completed_at IS NOT NULL;

-- As with customers, what REPLACE would delete must not go unnoticed.

CREATE TRIGGER batches_are_not_replaced BEFORE INSERT ON batches
WHEN EXISTS (SELECT 1 FROM batches WHERE bank_id = NEW.bank_id AND id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'UNIQUE constraint failed: batches.bank_id, batches.id');
END;

CREATE TRIGGER batches_replace_none BEFORE UPDATE OF bank_id, id ON batches
WHEN (NEW.bank_id, NEW.id) IS NOT (OLD.bank_id, OLD.id)
  AND EXISTS (SELECT 1 FROM batches WHERE bank_id = NEW.bank_id AND id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'UNIQUE constraint failed: batches.bank_id, batches.id');
END;

-- A chunk is open while it has a payload. Closing it removes the payload in the same step.
CREATE TABLE batch_chunks (
  bank_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  chunk INTEGER NOT NULL,
  first_index INTEGER NOT NULL,
  last_index INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  next_send_at INTEGER,
  tries INTEGER NOT NULL DEFAULT 0, -- failed attempts to apply it: the sweep waits longer after each
  created INTEGER NOT NULL DEFAULT 0,
  raced INTEGER NOT NULL DEFAULT 0,
  done_at INTEGER,
  payload TEXT, -- last, because reading a column after a large value reads all pages of that value
  PRIMARY KEY (bank_id, batch_id, chunk),
  CHECK ((payload IS NULL) = (done_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_chunks_due ON batch_chunks (next_send_at) WHERE next_send_at IS NOT NULL;

-- src/batches/failures.ts explains `code` and `faults`.
CREATE TABLE batch_failures (
  bank_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  row_index INTEGER NOT NULL,
  chunk INTEGER, -- null: refused when the batch was accepted; otherwise the chunk in which it was found
  client_ref TEXT,
  code TEXT NOT NULL CHECK (code IN ('I', 'V', 'D', 'E')),
  faults TEXT NOT NULL,
  PRIMARY KEY (bank_id, batch_id, row_index)
) STRICT, WITHOUT ROWID;

-- An erasure finds the failures that name its customer by this index.
CREATE INDEX batch_failures_client_ref ON batch_failures (bank_id, client_ref) WHERE client_ref IS NOT NULL;

CREATE TABLE idempotency_keys (
  bank_id TEXT NOT NULL,
  route TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (bank_id, route, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
