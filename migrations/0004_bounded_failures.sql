-- Stores failures as codes, because sentences took 820 bytes a row. Counts them per bank, because they are bounded.

-- src/batches/failures.ts explains `code` and `faults`. Older rows keep their faults as JSON until they are deleted with
-- their batch. JSON begins with a bracket, which no code does.
CREATE TABLE batch_failures_in_codes (
  bank_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  row_index INTEGER NOT NULL,
  chunk INTEGER, -- null: refused when the batch was accepted; otherwise the chunk in which it was found
  client_ref TEXT,
  code TEXT NOT NULL CHECK (code IN ('I', 'V', 'D', 'E')),
  faults TEXT NOT NULL,
  PRIMARY KEY (bank_id, batch_id, row_index)
) STRICT, WITHOUT ROWID;

INSERT INTO batch_failures_in_codes (bank_id, batch_id, row_index, chunk, client_ref, code, faults)
  SELECT bank_id, batch_id, row_index, chunk, client_ref,
    CASE code WHEN 'INVALID_DATA' THEN 'I' WHEN 'VALIDATION_ERROR' THEN 'V' WHEN 'DUPLICATE_IN_BATCH' THEN 'D' ELSE 'E' END,
    errors
  FROM batch_failures;

DROP TABLE batch_failures;
ALTER TABLE batch_failures_in_codes RENAME TO batch_failures;

-- An erasure finds the failures that name its customer by this index.
CREATE INDEX batch_failures_client_ref ON batch_failures (bank_id, client_ref) WHERE client_ref IS NOT NULL;

ALTER TABLE banks ADD COLUMN failure_count INTEGER NOT NULL DEFAULT 0 CHECK (failure_count >= 0);
UPDATE banks SET failure_count = (SELECT count(*) FROM batch_failures WHERE bank_id = banks.id);
-- The UTC day of the newest failure, as 2026-11-25, and the number of failures stored on that day.
ALTER TABLE banks ADD COLUMN failure_day TEXT NOT NULL DEFAULT '';
ALTER TABLE banks ADD COLUMN failure_day_count INTEGER NOT NULL DEFAULT 0;

-- Number of a batch's failures that were deleted to make room for newer ones.
ALTER TABLE batches ADD COLUMN failures_removed INTEGER NOT NULL DEFAULT 0;
