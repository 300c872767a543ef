/** The introduction of the reference: what all operations have in common. Markdown, as Swagger UI renders it. */
import { SCOPES, type Scope } from '../api-keys/scopes.ts';
import { customer } from '../customers/customers.responses.ts';
import { standardCustomer } from '../customers/customers.standard.ts';
import { LIMITS } from '../limits.ts';

const standardNames = Object.keys(standardCustomer.shape);
const extendedNames = Object.keys(customer().shape).filter((name) => !standardNames.includes(name));
const listNames = (names: string[]) => names.map((name) => `\`${name}\``).join(', ');

const SCOPE_MEANINGS: Record<Scope, string> = {
  'customers:read': `look up and list customers: ${listNames(standardNames)} (the Standard fields)`,
  'customers:read:extended': `the same, and ${listNames(extendedNames)}`,
  'customers:write': 'create and update customers',
  'customers:erase': 'erase customers',
  'audit:read': 'read the audit log',
  'events:read': 'read events',
  'webhooks:manage': 'create, change, test and delete webhooks',
  'network:resolve': 'find out who is behind a phrase, at whatever bank. No API key has it by default',
};

const format = (value: number) => value.toLocaleString('en');

export const INTRODUCTION = `Banks add their customers to the network, and each customer gets a **phrase**, a human-readable alias of four words. Before a payment: given a phrase, who is this?

## API keys

Every request carries \`Authorization: Bearer <key>\`. An API key belongs to one bank and sees only that bank’s customers, and payees if it has the scope for them. Its scopes say what it may do:

| scope | allows you to |
| --- | --- |
${SCOPES.map((scope) => `| \`${scope}\` | ${SCOPE_MEANINGS[scope]} |`).join('\n')}

\`GET /v1/bank\` shows an API key its bank, its scopes and its limits. An API key that may read or write customers may also read batches and their results. A revoked API key opens nothing after 30 seconds; cached phrases and payees until it is checked again, or for up to 5 minutes while the database does not respond.

## Retries

Send an \`Idempotency-Key\` with every batch. If its response is lost, or is a 503, send the same body with the same Idempotency-Key: you get the first response again, marked \`Idempotent-Replayed: true\`, and nothing is created twice. The same Idempotency-Key with another body is a 422. While the first request is in progress, a retry is a 409 with \`Retry-After\`. Idempotency keys are remembered for 72 hours.

Lookups, lists, updates and erasures can be sent again as they are. A second erasure is a 404.

## Lists

Every list is read page by page. \`limit\` is the number of rows on a page: at most ${format(LIMITS.maxCustomerPageRows)} customers, ${format(LIMITS.maxFailurePageRows)} failures, ${format(LIMITS.maxCreatedPageRows)} created customers, or ${LIMITS.maxPageRows} of anything else. Follow the URL of \`next\` in the \`Link\` header until there is none. That costs the same at any depth. Its cursor is encrypted; do not build or change it.

A list of customers is a bare array, and \`X-Total-Count\` is its whole length. It also has numbered pages, up to row ${format(LIMITS.maxNumberedRow)}. All other lists are in the envelope, with an array in \`data\`.

## Concurrent changes

A lookup has an \`ETag\`, which changes whenever the customer does.

- Send it as \`If-Match\` with an update or an erasure. A 412 says that the customer has changed since you read it: by somebody else, or by an update of your own whose response was lost. A cached response may have an old ETag, so read the customer again with \`Cache-Control: no-cache\`.
- Send it as \`If-None-Match\` with a lookup. A 304 without a body says that the customer has not changed.

Responses ask proxies not to compress them (\`no-transform\`), because that would weaken the ETag. A weak one (\`W/"…"\`) is accepted all the same.

## Freshness

A lookup by phrase alone, with an API key that has \`customers:read\` but not \`customers:read:extended\`, may be answered from the edge cache (\`X-Cache: HIT\`), and so may every payee. An update is written at once to the cache of the data centre that takes it, and reaches the others when their copies end: no cached response is older than 5 minutes. For a lookup, \`Cache-Control: no-cache\` bypasses the cache.

Every other response comes from the database, lookups and lists from its nearest replica. That a phrase which may be cached is unknown, only the primary says. It has an \`X-D1-Bookmark\`. It begins with the name of a database. Send the newest one (those of one database sort as text; otherwise, the last one) with your next request: the response then sees at least what the earlier one saw, such as your update, or the customers of a completed batch.

## Limits

| for each API key | limit |
| --- | --- |
| lookups, lists and reads of results | 10,000 in 10 seconds |
| payees | 10,000 in 10 seconds |
| updates and erasures | 1,000 in 10 seconds |
| batches | 300 in 60 seconds |
| misses | 50 in 10 seconds |

A miss is a phrase or an email that is unknown, in a filter of a list too. A filter with more misses than are left is refused whole. When the misses are used up, the API key is refused for everybody who uses it until the window ends. So check that a phrase has four words of the BIP-39 English list before you send it, limit the misses of each user of your app, and use one API key per channel.

| for each bank | limit | beyond it |
| --- | --- | --- |
| open batches | 100 | 429 until one is completed |
| failed rows in a UTC day | 1,000,000 | 429 until midnight for a batch with failed rows, refused whole |
| unknown payees in a UTC day | ${format(LIMITS.maxPayeeMissesPerDay)} | 429 until midnight for every payee, known or not |
| failures that are kept | 2,000,000 | the oldest are removed, and their batch counts them in \`failuresRemoved\` |

\`RateLimit-Policy\` has the limits of the API key, and \`RateLimit\` what is left of them, as far as the responding server knows. Limits count per Cloudflare location. A 429 has \`Retry-After\`. The operator of the service may have set other limits.

## Errors

Every error has the same shape: \`statusCode\`, \`success\`, \`message\`, \`data\`, a \`code\` from a closed set, \`docs\` with a link to its [cause and fix](/errors), \`requestId\`, and \`errors\` with each fault by its field. \`retryAfter\` has the seconds to wait, if waiting helps. An error never repeats a value that was sent.

## Paths and texts

Paths do not end with a slash. Texts are trimmed. None may contain control characters, text-direction overrides, broken Unicode or more than 30 combining marks in a row. Lengths are in UTF-16 units of the composed text.`;
