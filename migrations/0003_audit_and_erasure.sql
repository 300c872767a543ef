-- The audit log, and the erasure of customers.

-- Append-only. One row for each request that changed something, inserted in the transaction of the change.
CREATE TABLE audit_log (
  bank_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  key_id TEXT, -- null: the change did not use the API
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  fields TEXT NOT NULL,
  PRIMARY KEY (bank_id, at, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_log_subject ON audit_log (bank_id, subject, at, request_id);

CREATE TRIGGER audit_log_keeps_what_it_says BEFORE UPDATE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_log_keeps_its_rows BEFORE DELETE ON audit_log
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- INSERT OR REPLACE would bypass the two triggers above. An existing row stays as it is.
CREATE TRIGGER audit_log_is_not_replaced BEFORE INSERT ON audit_log
WHEN EXISTS (
  SELECT 1 FROM audit_log WHERE bank_id = NEW.bank_id AND at = NEW.at AND request_id = NEW.request_id)
BEGIN
  SELECT RAISE(IGNORE);
END;

-- The request that changed a customer last; null: unchanged since it was created.
ALTER TABLE customers ADD COLUMN revision TEXT;

-- Records a change that names no row of the log, without an API key: it was made by hand, or by code that is older than
-- the log. Sealing account_number and reference again is left out, because it does not change their values.
CREATE TRIGGER customers_updated_by_nobody
AFTER UPDATE OF bank_id, id, phrase, email, account_name, firstname, lastname, middlename, country, state, address,
  gender, phone, display_picture, client_ref, batch_index, created_at, revision ON customers
WHEN NEW.revision IS OLD.revision OR NOT EXISTS (
  SELECT 1 FROM audit_log WHERE bank_id = NEW.bank_id AND subject = NEW.id AND request_id = NEW.revision)
BEGIN
  INSERT INTO audit_log (bank_id, at, request_id, action, subject, fields)
  VALUES (NEW.bank_id, unixepoch('subsec') * 1000, 'sql_' || hex(randomblob(10)), 'UPDATE', NEW.id, '[]');
END;

CREATE TRIGGER customers_deleted_by_nobody AFTER DELETE ON customers
WHEN NOT EXISTS (
  SELECT 1 FROM audit_log WHERE bank_id = OLD.bank_id AND subject = OLD.id AND action LIKE 'DELETE %')
BEGIN
  INSERT INTO audit_log (bank_id, at, request_id, action, subject, fields)
  VALUES (OLD.bank_id, unixepoch('subsec') * 1000, 'sql_' || hex(randomblob(10)), 'DELETE', OLD.id, '[]');
END;

CREATE TRIGGER batches_sent_by_nobody AFTER INSERT ON batches
WHEN NOT EXISTS (SELECT 1 FROM audit_log WHERE bank_id = NEW.bank_id AND subject = NEW.id)
BEGIN
  INSERT INTO audit_log (bank_id, at, request_id, action, subject, fields)
  VALUES (NEW.bank_id, unixepoch('subsec') * 1000, 'sql_' || hex(randomblob(10)), 'INSERT', NEW.id, '[]');
END;

-- Phrases of erased customers, without the customers. They are never given out again.
CREATE TABLE retired_phrases (
  phrase TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TRIGGER customers_phrase_is_not_retired BEFORE INSERT ON customers
WHEN EXISTS (SELECT 1 FROM retired_phrases WHERE phrase = NEW.phrase)
BEGIN
  -- The message of the unique index: the consumer treats both as a phrase that is taken.
  SELECT RAISE(ABORT, 'UNIQUE constraint failed: customers.phrase');
END;

-- An erasure finds the failures that name its customer by this index.
CREATE INDEX batch_failures_client_ref ON batch_failures (bank_id, client_ref) WHERE client_ref IS NOT NULL;
