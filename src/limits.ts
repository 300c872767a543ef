/** Limits of the contract, the platform or this service. */
export const LIMITS = {
  /** Rows of one batch, by the contract. */
  batchRows: 10_000,
  /** Bytes of a batch's body. 10,000 real customers are 3 MB. */
  batchBodyBytes: 10 * 1024 * 1024,
  /** Bytes of any other body. An update has nine fields of at most 2,048 characters. */
  updateBodyBytes: 64 * 1024,
  /**
   * JSON values of a batch's body: 40 per row, of which the contract defines 12. Parsed, they take up to 32 MB of an
   * isolate's 128 MB. 500,000 values with a different name each would take up to twice the time of a whole ordinary
   * batch (`npm run bench`).
   */
  batchBodyValues: 400_000,
  /** JSON values of any other body. An update has ten. */
  updateBodyValues: 1_000,
  /** Failures in the response to a batch (the contract's `inlineFailureLimit`). */
  inlineFailures: 50,
  /** Bytes of these failures: an error body stays under 64 KB. The failure of an empty row has 0.7 KB. */
  inlineFailureBytes: 48 * 1024,
  /** Bytes of failures in the response to a dry run. `failuresFrom` requests the rest. */
  dryRunFailureBytes: 1024 * 1024,
  /**
   * Customers of one chunk. One transaction of the consumer, 10 to 75 ms in D1, for which every other read and write waits.
   * Smaller chunks would slow the import (`npm run bench:chunks`).
   */
  chunkRows: 500,
  /** Bytes of one chunk's payload. D1 allows 2 MB per row. */
  chunkBytes: 1_000_000,
  /** Ids or phrases in one list filter. */
  filterValues: 100,
  /**
   * Unknown phrases that one bank may name per UTC day when it asks for payees. With 96 first words for 16 million
   * customers one guess in 50,000 hits, so guessing finds about one customer a day at most (SECURITY.md).
   */
  maxPayeeMissesPerDay: 50_000,
  /** Rows of one list page, unless the request or the operation says otherwise. */
  defaultPageRows: 20,
  maxPageRows: 100,
  /** Customers of one list page, which exports read whole: 0.4 KB each, and at most 6 KB. */
  maxCustomerPageRows: 1_000,
  /** Last row of a list that a page number reaches: D1 reads every row before it, at 1 µs each. */
  maxNumberedRow: 10_000,
  /** Rows of a page of a batch's results, which clients read whole: a failure has up to 2 KB, a customer 0.3 KB. */
  maxFailurePageRows: 1_000,
  maxCreatedPageRows: 5_000,
  /** Rows of a page of events, of up to 0.4 KB each. */
  maxEventPageRows: 1_000,
} as const;
