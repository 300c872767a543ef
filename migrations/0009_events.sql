-- The event log: what has happened to a bank's batches, customers and webhooks, in the order of the commits. Each event is
-- inserted in the transaction of its change.

-- Sequence of the bank's newest event, 0: none yet. It stays when events are removed, so no sequence is given twice.
ALTER TABLE banks ADD COLUMN event_sequence INTEGER NOT NULL DEFAULT 0 CHECK (event_sequence >= 0);

CREATE TABLE events (
  bank_id TEXT NOT NULL,
  sequence INTEGER NOT NULL, -- 1, 2, 3 … in each bank, without gaps
  type TEXT NOT NULL,
  data TEXT NOT NULL, -- JSON: ids and counts
  created_at INTEGER NOT NULL, -- never before that of the event in front
  PRIMARY KEY (bank_id, sequence)
) STRICT, WITHOUT ROWID;
