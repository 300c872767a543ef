/**
 * What each error code means and how to fix it. The page /errors consists of it, the `docs` field of every error leads
 * there, and the reference repeats it. A code without an entry does not compile.
 */
import type { FailureCode } from '../db/schema.ts';
import type { ErrorCode } from '../errors.ts';

export interface Guide {
  cause: string;
  fix: string;
}

/** Errors of a whole request. */
export const ERROR_GUIDE: Record<ErrorCode, Guide> = {
  INVALID_REQUEST: {
    cause:
      'A parameter, a header or the body is missing, misspelt or not in its format; or a batch has no row that can become a customer.',
    fix: '`errors` names every fault by its field, and what would be right. For a batch, `data.failures` says what is wrong with each row.',
  },
  UNAUTHENTICATED: {
    cause:
      'There was no API key, or one that is not valid here: mistyped, cut off, revoked, expired, or a test key sent to production. The response is the same for all of these.',
    fix: 'Send the header `Authorization: Bearer <key>`, with the word Bearer and one space. An API key in another header, such as `X-API-Key`, or in the URL is not read. Locally, `peere_test_lagos_full` works.',
  },
  FORBIDDEN: {
    cause: 'The API key is valid, but lacks the scope that this operation needs.',
    fix: '`errors` names the scopes, any one of which is enough. Use an API key that has one, or request one.',
  },
  CUSTOMER_NOT_FOUND: {
    cause:
      'No customer of your bank has this id, email or phrase, or the ones that you gave do not all belong to the same customer. The response is the same for a customer of another bank.',
    fix: 'Check the spelling; a phrase has four words. Just after a batch was accepted, its customers may take a moment: read the batch, and look the customer up again when it is completed.',
  },
  PAYEE_NOT_FOUND: {
    cause: 'No customer of any bank has this phrase. The response is the same for a text that is no phrase.',
    fix: 'Ask the payer to check the spelling. A phrase has four words of the BIP-39 English list: check them before you ask, because every unknown phrase counts for your bank.',
  },
  BATCH_NOT_FOUND: {
    cause: 'Your bank has sent no batch with this id, or it was completed more than 30 days ago.',
    fix: 'Take the id from the `batchId` or the `Location` of the response to the batch, or list your batches.',
  },
  WEBHOOK_NOT_FOUND: {
    cause: 'Your bank has no webhook with this id, or it was deleted.',
    fix: 'Take the id from the response that created it, or list your webhooks.',
  },
  ROUTE_NOT_FOUND: {
    cause: 'There is nothing at this URL.',
    fix: 'The reference lists every path. Mind the singular: one customer is `/v1/bank/customer`, the list is `/v1/bank/customers`.',
  },
  METHOD_NOT_ALLOWED: {
    cause: 'The URL exists, but does not support this method.',
    fix: 'The `Allow` header names the methods that it supports.',
  },
  CUSTOMER_EXISTS: {
    cause:
      'Every row of the batch is already a customer of your bank, by its email, or repeats an earlier row that is one.',
    fix: 'Nothing is left to do for them. To change one, use PATCH.',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    cause: 'An earlier request with the same Idempotency-Key has no response yet.',
    fix: 'Wait as long as `Retry-After` says and send the same request again: you get the response to the first.',
  },
  WEBHOOK_LIMIT_REACHED: {
    cause: 'Your bank has 20 webhooks, which is as many as a bank may have.',
    fix: 'Delete one that is no longer needed, or add the event types to one that exists.',
  },
  EVENTS_EXPIRED: {
    cause: 'Events are kept for 30 days, and some of those after the one that you named are gone.',
    fix: 'You have missed events. `errors` names the oldest that is kept, and the `after` to go on with. Then compare the batches and customers that you have with ours: list batches, and look customers up.',
  },
  PRECONDITION_FAILED: {
    cause:
      'The customer no longer matches `If-Match`: somebody changed it since you read it, or an update of your own did whose response you did not get.',
    fix: 'Read the customer again, decide again, and send its current ETag.',
  },
  PAYLOAD_TOO_LARGE: {
    cause: 'The body is larger than this operation allows.',
    fix: '`errors` says how many bytes it may have. Split a batch into several.',
  },
  URI_TOO_LONG: {
    cause: 'The URL is longer than 16 KB.',
    fix: 'Ask for fewer ids or phrases at a time; a hundred of each fit.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    cause: 'The body is not declared as JSON, or is compressed.',
    fix: 'Send `Content-Type: application/json`, and no `Content-Encoding`. With curl: `-H "Content-Type: application/json"`.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    cause: 'This Idempotency-Key was used for other customers within the last 72 hours.',
    fix: 'Use a new Idempotency-Key for every new batch. Only a batch that you send again keeps the one that it had.',
  },
  RATE_LIMITED: {
    cause:
      'The API key has sent more requests than it may in this window; or it has named too many phrases or emails that are unknown (a filter that names more of them than may still be missed is refused whole); or its bank has too many open batches, would have more refused rows than it may in a UTC day, or has asked for too many unknown payees in it.',
    fix: 'Wait as long as `Retry-After` says; `errors` names the limit. Stalled batches wait for the operator of the service. Refused rows of a day wait for midnight: a dry run names them, and a batch without them is accepted at once. Payees wait for midnight too, cached ones included. `RateLimit` says in every response what is left. Use one API key per channel, and let no user of an app use up the misses of all: check the four words before you ask, and limit each user.',
  },
  UNAVAILABLE: {
    cause:
      'The database is restarting or unavailable, or did not respond in time: 5 seconds for a read, 10 for a change. Nothing is half done, but a change may have been made, or may still be made.',
    fix: 'Send the same request again after `Retry-After`. A batch with an Idempotency-Key is recognised, not doubled. An update or an erasure may be sent again as well. If it has `If-Match`, a 412 may then be its own effect: read the customer to find out.',
  },
  INTERNAL: {
    cause: 'A fault of ours. It has been reported to us.',
    fix: 'Try once more. If it persists, write to us with the `requestId`. There is no need to send any data.',
  },
};

/** Failures of one row of a batch. The other rows are accepted all the same. */
export const FAILURE_GUIDE: Record<FailureCode, Guide> = {
  INVALID_DATA: {
    cause: 'A required field is absent, blank or not a text.',
    fix: 'Fill in the fields that the row’s `errors` name, and send the row again.',
  },
  VALIDATION_ERROR: {
    cause:
      'A field is not in its format: an email, a country code, a phone number, a length; or a spreadsheet has changed a number in it, such as `1.23457E+10` or `#REF!` for an account number.',
    fix: 'Correct the fields that the row’s `errors` name, and send the row again. If a spreadsheet changed a number, take it from your source: format the column as text, and export it again.',
  },
  DUPLICATE_IN_BATCH: {
    cause: 'An earlier row of the same batch has this email or this clientRef, and is accepted.',
    fix: 'If both are one person, there is nothing to do. Otherwise give each its own email and clientRef.',
  },
  EXISTING_CUSTOMER: {
    cause: 'Your bank already has a customer with this email.',
    fix: 'There is nothing to do. To change that customer, use PATCH.',
  },
};
