/** With `CONCURRENCY`, 16,000 rows are under way: enough to keep a server busy while the program waits for a batch. */
export const BATCH_ROWS = 4_000;
/** Batches under way at the same time. */
export const CONCURRENCY = 4;
