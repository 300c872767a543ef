-- The response to a bank's retry, and indexes to list and delete batches.

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

CREATE INDEX batches_status ON batches (bank_id, status, id);
CREATE INDEX batches_completed ON batches (completed_at) WHERE completed_at IS NOT NULL;
