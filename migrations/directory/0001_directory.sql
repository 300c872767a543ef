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
  number INTEGER PRIMARY KEY,
  bank_id TEXT NOT NULL REFERENCES banks (id),
  source TEXT NOT NULL REFERENCES shards (name),
  target TEXT NOT NULL REFERENCES shards (name),
  phase TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  copied_rows INTEGER NOT NULL DEFAULT 0,
  total_rows INTEGER NOT NULL DEFAULT 0,
  error TEXT
) STRICT;
