/** The route that reads the event log. */
import { continuationLink } from '../http/link-header.ts';
import type { Router } from '../http/router.ts';
import { listEventsOperation } from './events.operations.ts';
import { LATEST } from './events.requests.ts';
import { readEvents, type EventDeps, type EventListQuery } from './events.service.ts';

export function eventRoutes(router: Router<EventDeps>): void {
  router.mount(listEventsOperation, async ({ context, deps, caller, query }) => {
    const { type, limit } = query;
    const page = await readEvents(deps, caller, { after: toStart(query.after), type, limit });
    const relation = page.hasMore ? 'next' : 'monitor';
    const Link = continuationLink(context.req.path, { after: page.next, type, limit }, relation);
    return { data: page.events, headers: { Link } };
  });
}

function toStart(after: string | undefined): EventListQuery['after'] {
  if (after === undefined) return 'oldest';
  return after === LATEST ? 'latest' : { id: after };
}
