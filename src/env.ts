/** The bindings and variables of the Worker, as wrangler.toml has them. */
export interface Env {
  DB: D1Database;
  PHRASE_CACHE: KVNamespace;
  BATCH_QUEUE: Queue;
  /** The reference and its kin: dist/site, made by tools/build/site.ts. */
  ASSETS: Fetcher;
  /** Secrets, one for each version of the key that seals account numbers and references: 32 bytes in base64. */
  [fieldKey: `FIELD_KEY_${number}`]: string | undefined;
  LOOKUP_LIMIT: RateLimit;
  CHANGE_LIMIT: RateLimit;
  BATCH_LIMIT: RateLimit;
  MISS_LIMIT: RateLimit;
  /** Batches of one bank that may be under way at once. */
  MAX_OPEN_BATCHES: number;
  /** Where clients reach the service, such as `https://api.example.com`; absent: links are paths. */
  PUBLIC_URL?: string | undefined;
  /** Failures of one bank that are stored at any time. At least one batch's. */
  MAX_STORED_FAILURES: number;
  /** Failures of one bank that are stored in a UTC day, until a batch with refused rows is refused whole. */
  MAX_FAILURES_PER_DAY: number;
  /** `local` is somebody's own machine. Anything else, and nothing at all, is production, which refuses test keys. */
  ENVIRONMENT?: string;
}

/** Names of the queues, as wrangler.toml has them. */
export const DEAD_LETTER_QUEUE = 'customer-batches-dlq';
