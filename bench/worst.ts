/** Compares the most expensive bodies that we know with an ordinary batch: what one bank can cost the others. */
import { LIMITS } from '../src/limits.ts';
import { generateCustomers } from '../tools/dev/customers.ts';
import { authorized } from './data.ts';
import type { BenchServer } from './servers.ts';

/** Combining marks out of order, in the longest runs that are accepted, which are costly to sort and compose. */
function marks(characters: number): string {
  return `a${'\u0301\u0323'.repeat(15)}`.repeat(Math.ceil(characters / 31)).slice(0, characters);
}

const validRow = (n: number) => ({
  clientRef: `worst-${n}`,
  firstname: 'A',
  lastname: 'B',
  accountName: 'A B',
  email: `worst.${n}@example.com`,
  country: 'US',
  accountNumber: `${10_000 + n}`,
  reference: `r-${n}`,
});

/** Keys per row: the limit counts the row itself and its list entry too. */
const KEYS_PER_ROW = LIMITS.batchBodyValues / LIMITS.batchRows - 2;

/** How each body builds its rows. Every body is as large as the limits allow. */
const ROWS: Record<string, (n: number) => object> = {
  'marks in an address': (n) => ({ ...validRow(n), address: marks(450) }),
  'marks in every field': () => {
    const fields = Object.keys({ ...validRow(0), middlename: '', address: '', gender: '', phone: '' });
    return Object.fromEntries(fields.map((field) => [field, marks(field === 'address' ? 100 : 38)]));
  },
  // North American numbers are matched against the longest patterns, of all countries that share the plan.
  'unassigned phone numbers': (n) => ({
    ...validRow(n),
    phone: `+1 99999${10_000 + n}`,
    address: marks(400),
  }),
  'a fault in every field': (n) => ({
    ...Object.fromEntries(Object.keys(validRow(0)).map((field) => [field, 1])),
    clientRef: `${n}\u0001`,
    phone: '(1)(1)(1)(1)(1)(1)(1)(1)(1)(1)(1)(1)(1)',
    gender: 'x',
    address: marks(400),
  }),
  // As many values as a body may have, and each row has other keys, so that the parser can't share object shapes.
  'unknown keys': (n) =>
    Object.fromEntries(
      Array.from({ length: KEYS_PER_ROW }, (_, name) => [(n * KEYS_PER_ROW + name).toString(36), 0]),
    ),
};

function bodyOf(rowOf: (n: number) => object): string {
  const rows: string[] = [];
  let bytes = 20;
  while (rows.length < LIMITS.batchRows) {
    const row = JSON.stringify(rowOf(rows.length));
    bytes += Buffer.byteLength(row) + 1;
    if (bytes > LIMITS.batchBodyBytes) break;
    rows.push(row);
  }
  return `{"customers":[${rows.join()}]}`;
}

/** @returns milliseconds of CPU time that the server takes for a body */
async function costOf(server: BenchServer, body: string, round: number): Promise<number> {
  const before = await server.cpu();
  const response = await fetch(new URL('/v1/bank/customers', server.url), {
    method: 'POST',
    headers: { ...authorized('full', round), 'Content-Type': 'application/json' },
    body,
  });
  const text = await response.text();
  // A body may be refused because of its rows, but it must have been validated.
  if (!text.includes('"summary"')) throw new Error(`A body returned ${response.status}: ${text}`);
  const after = await server.cpu();
  return before === null || after === null ? Number.NaN : after - before;
}

export interface Costs {
  /** Milliseconds of CPU time. */
  ordinary: number;
  worst: number;
}

export async function compareWorst(server: BenchServer, round: number): Promise<Costs> {
  const customers = generateCustomers(LIMITS.batchRows, round + 1, `ordinary${round}.example.com`);
  const ordinary = await costOf(server, JSON.stringify({ customers }), round);
  let worst = 0;
  for (const rowOf of Object.values(ROWS)) {
    worst = Math.max(worst, await costOf(server, bodyOf(rowOf), round));
  }
  return { ordinary, worst };
}
