-- The audit log.

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

-- A bank that has moved has its log elsewhere.
CREATE TRIGGER audit_log_keeps_its_rows BEFORE DELETE ON audit_log
WHEN NOT EXISTS (SELECT 1 FROM tenants WHERE bank_id = OLD.bank_id AND state = 'moved')
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

-- The triggers below record a change that names no row of the log, without an API key: it was made by hand. They act for
-- open banks only: a move copies and removes rows that are in the log already.

-- A change must name the newest row of the log for its customer, and that row must have an API key. An older row belongs
-- to another change, and a row without an API key was written by a trigger. `at` rises from row to row of a customer,
-- even if clocks differ. Sealing sealed_fields again is left out, because it does not change their values.
CREATE TRIGGER customers_updated_by_nobody
AFTER UPDATE OF bank_id, id, phrase, email, account_name, firstname, lastname, middlename, country, state, address,
  gender, phone, display_picture, client_ref, batch_index, created_at, revision ON customers
WHEN (NEW.revision IS OLD.revision OR NOT EXISTS (
  SELECT 1 FROM (
    SELECT request_id, key_id FROM audit_log
    WHERE bank_id = NEW.bank_id AND subject = NEW.id ORDER BY at DESC LIMIT 1)
  WHERE request_id = NEW.revision AND key_id IS NOT NULL))
  AND EXISTS (SELECT 1 FROM tenants WHERE bank_id = NEW.bank_id AND state = 'open')
BEGIN
  INSERT INTO audit_log (bank_id, at, request_id, action, subject, fields)
  SELECT NEW.bank_id, max(unixepoch('subsec') * 1000, coalesce(max(at) + 1, 0)), 'sql_' || hex(randomblob(10)),
    'UPDATE', NEW.id, '[]'
  FROM audit_log WHERE bank_id = NEW.bank_id AND subject = NEW.id;
END;

CREATE TRIGGER customers_deleted_by_nobody AFTER DELETE ON customers
WHEN EXISTS (SELECT 1 FROM tenants WHERE bank_id = OLD.bank_id AND state = 'open') AND NOT EXISTS (
  SELECT 1 FROM audit_log WHERE bank_id = OLD.bank_id AND subject = OLD.id
    AND action IN ('customer.erased', 'DELETE /v1/bank/customer'))
BEGIN
  INSERT INTO audit_log (bank_id, at, request_id, action, subject, fields)
  VALUES (OLD.bank_id, unixepoch('subsec') * 1000, 'sql_' || hex(randomblob(10)), 'DELETE', OLD.id, '[]');
END;

CREATE TRIGGER batches_sent_by_nobody AFTER INSERT ON batches
WHEN NOT EXISTS (SELECT 1 FROM audit_log WHERE bank_id = NEW.bank_id AND subject = NEW.id)
  AND EXISTS (SELECT 1 FROM tenants WHERE bank_id = NEW.bank_id AND state = 'open')
BEGIN
  INSERT INTO audit_log (bank_id, at, request_id, action, subject, fields)
  VALUES (NEW.bank_id, unixepoch('subsec') * 1000, 'sql_' || hex(randomblob(10)), 'INSERT', NEW.id, '[]');
END;
