/** 16,000 rows under way keep a server busy while a batch is waited for. */
export const BATCH_ROWS = 4_000;
/** Batches under way at once. */
export const CONCURRENCY = 4;
