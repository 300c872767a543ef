/** The bindings and variables of the Worker, as in wrangler.toml. */
export interface Env {
  /** Banks, API keys, and which shard has which bank. */
  DIRECTORY: D1Database;
  /** The first database with banks' data. */
  SHARD_1: D1Database;
  /** Further ones: SHARD_2 to SHARD_17. */
  [shard: `SHARD_${number}`]: D1Database | undefined;
  BATCH_QUEUE: Queue;
  WEBHOOK_QUEUE: Queue;
  /** The reference and the other pages: dist/site, built by tools/build/site.ts. */
  ASSETS: Fetcher;
  /** Secrets, one per version of the field key, which encrypts account numbers and references: 32 bytes in base64. */
  [fieldKey: `FIELD_KEY_${number}`]: string | undefined;
  LOOKUP_LIMIT: RateLimit;
  PAYEE_LIMIT: RateLimit;
  CHANGE_LIMIT: RateLimit;
  BATCH_LIMIT: RateLimit;
  MISS_LIMIT: RateLimit;
  /** Batches of one bank that may be open at once. */
  MAX_OPEN_BATCHES: number;
  /** Where clients reach the service, such as `https://api.example.com`. Without it links are paths. */
  PUBLIC_URL?: string | undefined;
  /** Failures of one bank that are stored at any time. At least as many as one batch can have. */
  MAX_STORED_FAILURES: number;
  /** Failures of one bank that are stored per UTC day. Beyond it, batches with refused rows are refused whole. */
  MAX_FAILURES_PER_DAY: number;
  /** `local`: a developer's machine. Any other value, or none, is production, which refuses test API keys. */
  ENVIRONMENT?: string;
}

/** What depends on where the Worker runs. */
export interface Deployment {
  /** False: a developer's machine, with demo API keys, where receivers on the same machine are allowed. */
  production: boolean;
  /** Of this service, if it is known. */
  publicUrl: string | undefined;
}

/** Any ENVIRONMENT but `local` is production. */
export function deploymentOf({ ENVIRONMENT, PUBLIC_URL }: Env): Deployment {
  return { production: ENVIRONMENT !== 'local', publicUrl: PUBLIC_URL };
}

/** The names of queues, as in wrangler.toml. */
export const DEAD_LETTER_QUEUE = 'customer-batches-dlq';
export const WEBHOOK_QUEUE = 'webhook-deliveries';

/**
 * The cron of the moves of banks, as in wrangler.toml: every minute, like the other one, and apart from it, because a move
 * may use up all queries and CPU time of its event.
 */
export const MOVES_CRON = '*/1 * * * *';
