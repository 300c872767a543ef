/** The operation that reads the event log. */
import { listOf, operation } from '../http/operation.ts';
import { eventList } from './events.requests.ts';
import { event } from './events.responses.ts';

export const listEventsOperation = operation({
  method: 'GET',
  path: '/v1/bank/events',
  rateLimitClass: 'lookups',
  scopes: ['events:read'],
  // A replica may not have the events in front of one that the reader has seen.
  consistency: 'primary',
  query: eventList,
  responses: {
    200: { message: 'List retrieved successfully', data: listOf(event), headers: { Link: 'always' } },
  },
  errors: ['INVALID_REQUEST', 'EVENTS_EXPIRED'],
});
