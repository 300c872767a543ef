/**
 * What `npm run bench:cost` assumes: prices, latencies and traffic, each with its source. Sources were read in November
 * 2026; "assumption" marks what nobody publishes.
 */

/** Dollars per million, on Workers Paid, beyond what the plan includes. The Cache API costs nothing. */
export const PRICES = {
  /** Absent keys count. developers.cloudflare.com/kv/platform/pricing */
  kvRead: 0.5,
  /** Deletions cost the same. developers.cloudflare.com/kv/platform/pricing */
  kvWrite: 5,
  /** developers.cloudflare.com/d1/platform/pricing */
  d1RowRead: 0.001,
  /** developers.cloudflare.com/d1/platform/pricing */
  d1RowWritten: 1,
};

/** Least and most of an even distribution, in milliseconds. */
export type Range = readonly [min: number, max: number];

export const LATENCIES = {
  /**
   * A key that the location has read within its `cacheTtl`: under a millisecond for the hottest keys
   * (blog.cloudflare.com/faster-workers-kv), 6 to 8 ms for others (skills.sh/jezweb/claude-skills/cloudflare-kv).
   */
  kvHot: [1, 12],
  /** A key from a regional or central store: 100 to 300 ms by the same guide. Assumed to be a little less. */
  kvCold: [50, 250],
  /** Confirmed by a central store. Nobody waits for it. Assumption. */
  kvWrite: [100, 400],
  /** `match` in the data centre's own cache: about 5 to 15 ms (answeroverflow.com/m/1406008733749739602). */
  coloCache: [3, 15],
  /** What D1 takes beyond the way there: a read of one row takes 0.8 ms here (docs/scaling.md). The rest is assumed. */
  d1: [2, 8],
} as const satisfies Record<string, Range>;

/** How long a location keeps what it read from KV, absence too: the default `cacheTtl`. developers.cloudflare.com/kv */
export const KV_LOCATION_MS = 60_000;

/**
 * Mean age of what a replica answers, of an exponential distribution: p50 0.8 s, p95 3.4 s and p99 6.1 s were measured
 * in Tokyo against a primary in North America (news.warptechlab.com/news/206796014). D1 states no bound.
 */
export const REPLICA_LAG_MS = 1_200;

interface Location {
  /** Milliseconds to the primary and back. */
  toPrimary: number;
  /** Milliseconds to the nearest replica and back: D1 has one in each of its regions. */
  toReplica: number;
}

/**
 * Twenty locations and a primary in Western Europe: five each in Europe and North America, four in Africa, three each in
 * Asia and South America. D1 has no region for replicas in Africa and South America. Assumption: times as between large
 * cities.
 */
export const LOCATIONS: readonly Location[] = [
  ...[3, 10, 15, 25, 35].map((toPrimary) => ({ toPrimary, toReplica: Math.min(toPrimary, 15) })),
  ...[80, 90, 105, 130, 145].map((toPrimary) => ({ toPrimary, toReplica: 15 })),
  ...[90, 100, 150, 160].map((toPrimary) => ({ toPrimary, toReplica: toPrimary - 10 })),
  ...[160, 230, 250].map((toPrimary) => ({ toPrimary, toReplica: 20 })),
  ...[190, 200, 215].map((toPrimary) => ({ toPrimary, toReplica: 110 })),
];

/** The month of docs/scaling.md: a customer is paid four times, and each payment looks the customer up twice. */
export const TRAFFIC = {
  customers: 1_000_000,
  banks: 8,
  paymentsPerCustomerAndMonth: 4,
  /** The second lookup of a payment comes so long after the first, evenly distributed. */
  betweenLookupsMs: [60_000, 600_000] satisfies Range,
  /** Payments of a customer that are made from the one location where the customer lives. The rest: from anywhere. */
  fromHome: 0.9,
  /** Payments within one bank, which looks up its own customer; all others ask for another bank's payee. Assumption. */
  withinOneBank: 0.5,
  /** Lookups of phrases that do not exist, and of a bank's own that are another bank's. Assumption. */
  unknown: 0.01,
  foreign: 0.005,
  /** Updates of what others see of a customer. Assumption; they are there to measure staleness. */
  updatesPerCustomerAndMonth: 0.1,
  isolatesPerLocation: 3,
  /** An isolate lives so long, then another takes its place and remembers nothing. Assumption. */
  isolateLifeMs: 3_600_000,
};

const MONTH_MS = 30 * 86_400_000;
export const paymentsPerMs = () => (TRAFFIC.customers * TRAFFIC.paymentsPerCustomerAndMonth) / MONTH_MS;
export const updatesPerMs = () => (TRAFFIC.customers * TRAFFIC.updatesPerCustomerAndMonth) / MONTH_MS;
