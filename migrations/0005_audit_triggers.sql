-- Closes two gaps of the audit log: rows that REPLACE deletes, and a change that names an earlier row of the log.

-- SQLite fires no DELETE trigger for rows that REPLACE deletes. So these triggers refuse a row that conflicts with
-- another customer or batch. They refuse what the unique indexes refuse, with the same messages.

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

-- A change must name the newest row of the log for its customer, and that row must have an API key. An older row belongs
-- to another change, and a row without an API key was written by a trigger. `at` rises from row to row of a customer,
-- even if clocks differ.
DROP TRIGGER customers_updated_by_nobody;
CREATE TRIGGER customers_updated_by_nobody
AFTER UPDATE OF bank_id, id, phrase, email, account_name, firstname, lastname, middlename, country, state, address,
  gender, phone, display_picture, client_ref, batch_index, created_at, revision ON customers
WHEN NEW.revision IS OLD.revision OR NOT EXISTS (
  SELECT 1 FROM (
    SELECT request_id, key_id FROM audit_log
    WHERE bank_id = NEW.bank_id AND subject = NEW.id ORDER BY at DESC LIMIT 1)
  WHERE request_id = NEW.revision AND key_id IS NOT NULL)
BEGIN
  INSERT INTO audit_log (bank_id, at, request_id, action, subject, fields)
  SELECT NEW.bank_id, max(unixepoch('subsec') * 1000, coalesce(max(at) + 1, 0)), 'sql_' || hex(randomblob(10)),
    'UPDATE', NEW.id, '[]'
  FROM audit_log WHERE bank_id = NEW.bank_id AND subject = NEW.id;
END;
