/** Limits that the contract, the platform or this service sets. */
export const LIMITS = {
  /** The contract: rows in one batch. */
  batchRows: 10_000,
  /** Bytes of a batch's body. 10,000 real customers are 3 MB. */
  batchBodyBytes: 10 * 1024 * 1024,
  /** Bytes of any other body: an update has nine fields of at most 2,048 characters. */
  updateBodyBytes: 64 * 1024,
  /**
   * JSON values of a batch's body: 40 a row, the contract's 12 and as many others. They take up to 32 MB of an isolate's
   * 128 when they are parsed. If each has a name of its own, 500,000 take up to twice as long as an ordinary batch does
   * in all (`npm run bench`).
   */
  batchBodyValues: 400_000,
  /** JSON values of any other body: an update has ten. */
  updateBodyValues: 1_000,
  /** Failures that an answer carries itself (the contract's `inlineFailureLimit`). */
  inlineFailures: 50,
  /** And their bytes: an error body stays under 64 KB. A row that lacks everything is a failure of 0.7 KB. */
  inlineFailureBytes: 48 * 1024,
  /** Bytes of failures in the answer to a dry run; the rest is asked for by `failuresFrom`. */
  dryRunFailureBytes: 1024 * 1024,
  /** Customers in one chunk: one transaction of the consumer, 20 to 150 ms in D1. */
  chunkRows: 1_000,
  /** Bytes of one chunk's payload; D1 takes 2 MB a row. */
  chunkBytes: 1_000_000,
  /** Ids or phrases in one list filter. */
  filterValues: 100,
  /** Rows of one list page: default and most. */
  defaultPageRows: 20,
  maxPageRows: 100,
  /** Last row of a list that a page number reaches: D1 reads every row in front of it, at 1 µs each. */
  maxNumberedRow: 10_000,
  /** Most rows of a page of a batch's results, all of which are wanted: a failure has up to 2 KB, a success 0.3. */
  maxFailurePageRows: 1_000,
  maxCreatedPageRows: 5_000,
} as const;
