-- The directory: which banks there are, who may act for them, and which shard has their data.
-- docs/storage.md has the life cycle of every table. Times are milliseconds since 1970-01-01 UTC.

-- The databases that hold banks' data. A name is also the name of the Worker's binding.
CREATE TABLE shards (
  name TEXT NOT NULL PRIMARY KEY CHECK (name = 'SHARD_' || number),
  -- Decides the first words of its phrases. There are words for 17.
  number INTEGER NOT NULL UNIQUE CHECK (number BETWEEN 1 AND 17),
  location TEXT, -- null: wherever the platform has put it
  jurisdiction TEXT, -- null: none, so its customers may be cached in any data centre
  closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)), -- to new banks
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE banks (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  cursor_key TEXT NOT NULL DEFAULT (hex(randomblob(32))),
  shard TEXT NOT NULL REFERENCES shards (name),
  move_number INTEGER NOT NULL DEFAULT 0, -- of the last move that has ended; 0: it was never moved
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX banks_shard ON banks (shard);

CREATE TABLE api_keys (
  hash TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  bank_id TEXT NOT NULL REFERENCES banks (id),
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_on TEXT
) STRICT, WITHOUT ROWID;

-- Moves of banks from one shard to another. The phase only rises, and stays when the move is over.
CREATE TABLE bank_moves (
  number INTEGER NOT NULL PRIMARY KEY,
  bank_id TEXT NOT NULL REFERENCES banks (id),
  source TEXT NOT NULL REFERENCES shards (name),
  target TEXT NOT NULL REFERENCES shards (name) CHECK (target <> source),
  phase TEXT NOT NULL CHECK (phase IN
    ('copying', 'verifying', 'switching', 'switched', 'cleaning', 'done', 'aborting', 'aborted')),
  -- For the progress bar: rows to copy, and those that are copied and compared.
  total_rows INTEGER NOT NULL DEFAULT 0,
  copied_rows INTEGER NOT NULL DEFAULT 0,
  verified_rows INTEGER NOT NULL DEFAULT 0,
  verified_to TEXT, -- JSON: table and primary key of the last row that was compared
  error TEXT, -- why it was aborted
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  frozen_at INTEGER, -- when changes began to wait
  switching_at INTEGER, -- since when the target may be readable
  opened_at INTEGER -- when changes were taken again, by the target or, after an abort, by the source
) STRICT;

-- One move of a bank at a time.
CREATE UNIQUE INDEX bank_moves_unfinished ON bank_moves (bank_id) WHERE phase NOT IN ('done', 'aborted');
