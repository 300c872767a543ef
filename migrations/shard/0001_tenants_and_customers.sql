-- A shard: everything that belongs to the banks that it has. Every shard has the same migrations.
-- docs/storage.md has the life cycle of every table. Times are milliseconds since 1970-01-01 UTC.

-- The banks of this shard, with what changes together with their data. A row stays when its bank has moved away.
CREATE TABLE tenants (
  bank_id TEXT NOT NULL PRIMARY KEY,
  -- Readable are open, leaving and standby; only open takes changes.
  state TEXT NOT NULL CHECK (state IN ('open', 'leaving', 'arriving', 'standby', 'moved')),
  move_number INTEGER NOT NULL DEFAULT 0, -- of the newest move that has touched this row
  customer_count INTEGER NOT NULL DEFAULT 0 CHECK (customer_count >= 0),
  failure_count INTEGER NOT NULL DEFAULT 0 CHECK (failure_count >= 0),
  -- The UTC day of the newest failure, as 2026-11-25, and the number of failures stored on that day.
  failure_day TEXT NOT NULL DEFAULT '',
  failure_day_count INTEGER NOT NULL DEFAULT 0,
  -- Sequence of the newest event, 0: none yet. It stays when events are removed, so no sequence is given twice.
  event_sequence INTEGER NOT NULL DEFAULT 0 CHECK (event_sequence >= 0)
) STRICT, WITHOUT ROWID;

-- Never has a row. The first statement of every change to a bank's data inserts one if the bank is not open here, or
-- not by the move that the writer knows of. That aborts the whole transaction.
CREATE TABLE guard (
  refused INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER guard_refuses BEFORE INSERT ON guard
BEGIN
  SELECT RAISE(ABORT, 'tenant is not open here');
END;

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
  sealed_fields TEXT NOT NULL,
  client_ref TEXT NOT NULL,
  batch_index INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  revision TEXT, -- the request that changed it last; null: unchanged since it was created
  PRIMARY KEY (bank_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX customers_email ON customers (bank_id, email);
CREATE UNIQUE INDEX customers_phrase ON customers (phrase);
CREATE INDEX customers_account_name ON customers (bank_id, account_name, id);

-- SQLite fires no DELETE trigger for rows that REPLACE deletes. So these two triggers refuse a row that conflicts with
-- another customer. They refuse what the unique indexes refuse, with the same messages.

CREATE TRIGGER customers_are_not_replaced BEFORE INSERT ON customers
BEGIN
  SELECT CASE
    -- The same as ON CONFLICT DO NOTHING in the consumer: the existing customer stays.
    WHEN EXISTS (SELECT 1 FROM customers WHERE bank_id = NEW.bank_id AND email = NEW.email)
      THEN RAISE(IGNORE)
    WHEN EXISTS (SELECT 1 FROM customers WHERE phrase = NEW.phrase)
      THEN RAISE(ABORT, 'UNIQUE constraint failed: customers.phrase')
    WHEN EXISTS (SELECT 1 FROM customers WHERE bank_id = NEW.bank_id AND id = NEW.id)
      THEN RAISE(ABORT, 'UNIQUE constraint failed: customers.bank_id, customers.id')
  END;
END;

CREATE TRIGGER customers_replace_none BEFORE UPDATE OF bank_id, id, phrase, email ON customers
WHEN ((NEW.bank_id, NEW.id) IS NOT (OLD.bank_id, OLD.id)
    AND EXISTS (SELECT 1 FROM customers WHERE bank_id = NEW.bank_id AND id = NEW.id))
  OR ((NEW.bank_id, NEW.email) IS NOT (OLD.bank_id, OLD.email)
    AND EXISTS (SELECT 1 FROM customers WHERE bank_id = NEW.bank_id AND email = NEW.email))
  OR (NEW.phrase IS NOT OLD.phrase
    AND EXISTS (SELECT 1 FROM customers WHERE phrase = NEW.phrase))
BEGIN
  SELECT RAISE(ABORT, 'UNIQUE constraint failed: this id, email or phrase is another customer''s');
END;

-- Phrases that this shard never gives out again, without their customers.
CREATE TABLE retired_phrases (
  phrase TEXT NOT NULL PRIMARY KEY,
  bank_id TEXT -- the bank that took it along to another shard; null: its customer was erased here
) STRICT, WITHOUT ROWID;

-- A phrase that its bank took along comes back with the bank, and with nobody else.
CREATE TRIGGER customers_phrase_is_not_retired BEFORE INSERT ON customers
WHEN EXISTS (
  SELECT 1 FROM retired_phrases WHERE phrase = NEW.phrase AND (bank_id IS NOT NEW.bank_id OR NOT EXISTS (
    SELECT 1 FROM tenants WHERE bank_id = NEW.bank_id AND state = 'arriving')))
BEGIN
  -- The message of the unique index: the consumer treats both as a phrase that is taken.
  SELECT RAISE(ABORT, 'UNIQUE constraint failed: customers.phrase');
END;

-- The payer's question: unknown phrases that a bank has named on a UTC day, when it asked about the customers of all
-- banks. They are bounded, so that nobody can read out the network by guessing. Written on misses only.
CREATE TABLE payee_misses (
  bank_id TEXT NOT NULL PRIMARY KEY,
  day TEXT NOT NULL, -- as 2026-11-25
  misses INTEGER NOT NULL CHECK (misses > 0)
) STRICT, WITHOUT ROWID;
