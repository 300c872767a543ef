-- Counts failed attempts to apply a chunk: the sweep waits longer after each. The table is created again, because the
-- payload must stay the last column.

CREATE TABLE batch_chunks_with_tries (
  bank_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  chunk INTEGER NOT NULL,
  first_index INTEGER NOT NULL,
  last_index INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  next_send_at INTEGER,
  tries INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL DEFAULT 0,
  raced INTEGER NOT NULL DEFAULT 0,
  done_at INTEGER,
  payload TEXT, -- last, because reading a column after a large value reads all pages of that value
  PRIMARY KEY (bank_id, batch_id, chunk),
  CHECK ((payload IS NULL) = (done_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO batch_chunks_with_tries
    (bank_id, batch_id, chunk, first_index, last_index, row_count, next_send_at, created, raced, done_at, payload)
  SELECT bank_id, batch_id, chunk, first_index, last_index, row_count, next_send_at, created, raced, done_at, payload
  FROM batch_chunks;

DROP TABLE batch_chunks;
ALTER TABLE batch_chunks_with_tries RENAME TO batch_chunks;

CREATE INDEX batch_chunks_due ON batch_chunks (next_send_at) WHERE next_send_at IS NOT NULL;
