-- The payer's question: unknown phrases that a bank has named on a UTC day, when it asked about the customers of all
-- banks. They are bounded, so that nobody can read out the network by guessing. Written on misses only.
CREATE TABLE payee_misses (
  bank_id TEXT PRIMARY KEY,
  day TEXT NOT NULL, -- as 2026-11-25
  misses INTEGER NOT NULL CHECK (misses > 0)
) STRICT, WITHOUT ROWID;
