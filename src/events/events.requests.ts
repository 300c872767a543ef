/** The request that reads the event log. */
import * as z from 'zod/mini';
import { LIMITS } from '../limits.ts';
import { MAX_ID_CHARACTERS, pageParameters, single } from '../http/parameters.ts';
import { EVENT_TYPES } from './event-types.ts';

/** In place of an id: begins with the events that are still to come. */
export const LATEST = 'latest';

export const eventTypeRule = z.enum(EVENT_TYPES, `must be one of ${EVENT_TYPES.join(', ')}`);

export const eventList = z.strictObject({
  after: z.optional(single(MAX_ID_CHARACTERS)),
  type: z.optional(eventTypeRule),
  limit: pageParameters(LIMITS.maxEventPageRows).limit,
});
