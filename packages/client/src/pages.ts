/** Reads lists page by page, and follows the event log. */
import type { ClientRequest, ClientResponse, ResponseHeaders, Transport } from './transport.ts';
import type { Event, ListEventsQuery } from './types.ts';

type Place = Pick<ClientRequest, 'path' | 'query'>;
type Signal = AbortSignal | undefined;

/** Events of a page: the service's maximum. */
export const EVENTS_PAGE_ROWS = 1_000;
/** Time between two reads of the event log while nothing happens, unless the caller says otherwise. */
const FOLLOW_INTERVAL_MS = 2_000;

/** Fetches the next page only when the caller reads on. */
export async function* readPages<Row>(
  transport: Transport,
  first: Place,
  signal: Signal,
  rowsOf: (body: unknown) => Row[],
): AsyncGenerator<Row> {
  let next: Place | undefined = first;
  while (next !== undefined) {
    const page: ClientResponse<unknown> = await readPage(transport, next, signal);
    yield* rowsOf(page.body);
    const path = pathTo('next', page.headers);
    next = path === undefined ? undefined : { path };
  }
}

/** Never ends by itself. */
export async function* followEvents(
  transport: Transport,
  { intervalMs = FOLLOW_INTERVAL_MS, ...query }: ListEventsQuery & { intervalMs?: number },
  signal: Signal,
): AsyncGenerator<Event> {
  let next: Place = {
    path: '/v1/bank/events',
    query: { limit: EVENTS_PAGE_ROWS, after: 'latest', ...query },
  };
  for (;;) {
    const { headers, body } = await readPage<{ data: Event[] }>(transport, next, signal);
    yield* body.data;
    const path = pathTo('next', headers);
    next = { path: path ?? pathTo('monitor', headers) ?? next.path };
    if (path === undefined) await transport.sleep(intervalMs, signal);
  }
}

function readPage<Body>(transport: Transport, place: Place, signal: Signal): Promise<ClientResponse<Body>> {
  return transport.send({ method: 'GET', ...place, repeatable: true, signal });
}

/** What a response's `Link` names: a path, or a URL of the service. */
export function pathTo(relation: 'next' | 'monitor', headers: ResponseHeaders): string | undefined {
  return new RegExp(`<([^>]+)>; rel="${relation}"`).exec(headers.get('Link') ?? '')?.[1];
}
