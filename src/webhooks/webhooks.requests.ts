/** The requests about webhook endpoints. */
import * as z from 'zod/mini';
import { EVENT_TYPES } from '../events/event-types.ts';
import { eventTypeRule } from '../events/events.requests.ts';
import { cleanedWithin, MAX_ID_CHARACTERS, pathId, single } from '../http/parameters.ts';
import type { BodyFaults } from '../http/validation.ts';
import { maxCharactersRule, safeText } from '../lib/text-rules.ts';
import { faultOfReceiverUrl, MAX_URL_CHARACTERS } from './receiver-url.ts';

export const webhookParams = z.strictObject({ webhookId: pathId });

export const enableQuery = z.strictObject({ after: z.optional(single(MAX_ID_CHARACTERS)) });

/** Which hosts are allowed depends on the deployment: `webhookFaults`. */
const url = z.pipe(
  cleanedWithin(MAX_URL_CHARACTERS),
  z
    .string('is required, as a string')
    .check(
      z.minLength(1, { error: 'must not be empty', abort: true }),
      maxCharactersRule(MAX_URL_CHARACTERS),
      safeText,
    ),
);

const types = z.pipe(
  z.transform((value: unknown) => (Array.isArray(value) ? [...new Set(value)] : value)),
  z
    .array(eventTypeRule, `is required, as a list of ${EVENT_TYPES.join(', ')}`)
    .check(z.minLength(1, 'must name at least one type')),
);

export const newWebhook = z.strictObject({ url, types }, 'must be an object with url and types');

export const webhookUpdate = z
  .strictObject({ url: z.optional(url), types: z.optional(types) }, 'must be an object with url or types')
  .check(
    z.refine(
      (update) => update.url !== undefined || update.types !== undefined,
      'must change at least one of url, types',
    ),
  );
export type WebhookUpdate = z.output<typeof webhookUpdate>;

/** What is wrong with the URL here. */
export const webhookFaults: BodyFaults = (body, deployment) => {
  const sent = (body as { url?: unknown } | null)?.url;
  const message = typeof sent === 'string' ? faultOfReceiverUrl(sent, deployment) : undefined;
  return message === undefined ? [] : [{ field: 'url', message }];
};
