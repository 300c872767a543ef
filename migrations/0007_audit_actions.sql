-- Audit actions are domain names: batch.accepted, customer.updated, customer.erased. Older rows name the route and stay
-- as they are, so the search for an erasure accepts both.

DROP TRIGGER customers_deleted_by_nobody;
CREATE TRIGGER customers_deleted_by_nobody AFTER DELETE ON customers
WHEN NOT EXISTS (
  SELECT 1 FROM audit_log WHERE bank_id = OLD.bank_id AND subject = OLD.id
    AND action IN ('customer.erased', 'DELETE /v1/bank/customer'))
BEGIN
  INSERT INTO audit_log (bank_id, at, request_id, action, subject, fields)
  VALUES (OLD.bank_id, unixepoch('subsec') * 1000, 'sql_' || hex(randomblob(10)), 'DELETE', OLD.id, '[]');
END;
