-- Banks, their API keys and customers, and the batches that create customers.
-- docs/storage.md has the life cycle of every table. Times are milliseconds since 1970-01-01 UTC.

CREATE TABLE banks (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  customer_count INTEGER NOT NULL DEFAULT 0 CHECK (customer_count >= 0),
  cursor_key TEXT NOT NULL DEFAULT (hex(randomblob(32))),
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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

-- Clustered by (bank_id, id): ids rise with time, so the default listing is one range scan of the table.
CREATE TABLE customers (
  bank_id TEXT NOT NULL,
  id TEXT NOT NULL,
  phrase TEXT NOT NULL,
  email TEXT NOT NULL,
  account_name TEXT NOT NULL,
  firstname TEXT NOT NULL,
  lastname TEXT NOT NULL,
  middlename TEXT,
  country TEXT NOT NULL CHECK (length(country) = 2),
  state TEXT,
  address TEXT,
  gender TEXT CHECK (gender IN ('male', 'female', 'other')),
  phone TEXT,
  display_picture TEXT,
  account_number TEXT NOT NULL,
  reference TEXT NOT NULL,
  client_ref TEXT NOT NULL,
  batch_index INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (bank_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX customers_email ON customers (bank_id, email);
CREATE UNIQUE INDEX customers_phrase ON customers (phrase);
CREATE INDEX customers_account_name ON customers (bank_id, account_name, id);

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
  created_at INTEGER NOT NULL,
  completed_at INTEGER,
  PRIMARY KEY (bank_id, id)
) STRICT, WITHOUT ROWID;

-- A chunk is open while it has a payload. Closing it removes the payload in the same step.
CREATE TABLE batch_chunks (
  bank_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  chunk INTEGER NOT NULL,
  first_index INTEGER NOT NULL,
  last_index INTEGER NOT NULL,
  row_count INTEGER NOT NULL,
  next_send_at INTEGER,
  created INTEGER NOT NULL DEFAULT 0,
  raced INTEGER NOT NULL DEFAULT 0,
  done_at INTEGER,
  payload TEXT, -- last, because reading a column after a large value reads all pages of that value
  PRIMARY KEY (bank_id, batch_id, chunk),
  CHECK ((payload IS NULL) = (done_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_chunks_due ON batch_chunks (next_send_at) WHERE next_send_at IS NOT NULL;

CREATE TABLE batch_failures (
  bank_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  row_index INTEGER NOT NULL,
  chunk INTEGER, -- null: refused when the batch was accepted; otherwise the chunk in which it was found
  client_ref TEXT,
  code TEXT NOT NULL CHECK (code IN ('INVALID_DATA', 'VALIDATION_ERROR', 'DUPLICATE_IN_BATCH', 'EXISTING_CUSTOMER')),
  message TEXT NOT NULL,
  errors TEXT NOT NULL,
  PRIMARY KEY (bank_id, batch_id, row_index)
) STRICT, WITHOUT ROWID;
