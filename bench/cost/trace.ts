/** The trace: who looks up whom, from where and when. A pure function of its seed, so that every policy gets the same. */
import { BEGINNING } from './clock.ts';
import { LOCATIONS, paymentsPerMs, TRAFFIC, updatesPerMs } from './parameters.ts';
import { Random, Zipf } from './random.ts';

export interface Lookup {
  kind: 'own' | 'payee';
  at: number;
  /** `unknown`: a phrase that nobody has; `foreign`: one of another bank. Both are misses. */
  asks: 'customer' | 'unknown' | 'foreign';
  customer: number;
  /** The bank that asks. */
  bank: number;
  location: number;
  isolate: number;
  /** For the latencies of its calls. */
  seed: number;
}

export interface Update {
  kind: 'update';
  at: number;
  customer: number;
  location: number;
  isolate: number;
  seed: number;
}

export type TraceEvent = Lookup | Update;

/** A whole number that is spread evenly over the customers, and the same for one customer each time. */
const spread = (customer: number, over: number) => (Math.imul(customer + 1, 2_654_435_761) >>> 8) % over;
export const bankOf = (customer: number) => spread(customer, TRAFFIC.banks);
const homeOf = (customer: number) => spread(customer + 7, LOCATIONS.length);

/**
 * @param exponent of Zipf's law
 * @param lookups how many there are, about; the trace covers as much time as they take
 */
export function makeTrace(seed: number, exponent: number, lookups: number): TraceEvent[] {
  const random = new Random(seed);
  const zipf = new Zipf(TRAFFIC.customers, exponent);
  const endsAt = BEGINNING + lookups / 2 / paymentsPerMs();
  const events: TraceEvent[] = [];
  const place = (location: number) => ({
    location,
    isolate: random.below(TRAFFIC.isolatesPerLocation),
    seed: random.below(2 ** 31),
  });
  const somewhere = () => random.below(LOCATIONS.length);

  for (let at = BEGINNING; at < endsAt; at += random.exponential(1 / paymentsPerMs())) {
    const customer = zipf.draw(random);
    const location = random.happens(TRAFFIC.fromHome) ? homeOf(customer) : somewhere();
    const within = random.happens(TRAFFIC.withinOneBank);
    const others = (bankOf(customer) + 1 + random.below(TRAFFIC.banks - 1)) % TRAFFIC.banks;
    const lookUp = (time: number): Lookup => ({
      kind: within ? 'own' : 'payee',
      at: time,
      asks: 'customer',
      customer,
      bank: within ? bankOf(customer) : others,
      ...place(location),
    });
    events.push(lookUp(at), lookUp(at + random.within(TRAFFIC.betweenLookupsMs)));
    // A typo is found out at once, so there is no second lookup.
    if (random.happens(2 * TRAFFIC.unknown)) events.push({ ...lookUp(at), asks: 'unknown' });
    if (random.happens(2 * TRAFFIC.foreign))
      events.push({ ...lookUp(at), kind: 'own', asks: 'foreign', bank: others });
  }
  for (let at = BEGINNING; at < endsAt; at += random.exponential(1 / updatesPerMs())) {
    events.push({ kind: 'update', at, customer: zipf.draw(random), ...place(somewhere()) });
  }
  return events.toSorted((one, other) => one.at - other.at);
}
