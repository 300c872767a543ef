/**
 * What each error code means to the person who meets it, and how it is mended. The page /errors is made of it, the
 * `docs` field of every error leads there, and the reference repeats it. A code without an entry does not compile.
 */
import type { FailureCode } from '../db/schema.ts';
import type { ErrorCode } from '../errors.ts';

export interface Guide {
  cause: string;
  cure: string;
}

/** Of a request that was refused as a whole. */
export const ERROR_GUIDE: Record<ErrorCode, Guide> = {
  INVALID_REQUEST: {
    cause:
      'A parameter, a header or the body is missing, misspelt or not in its format; or a batch holds no row that can become a customer.',
    cure: '`errors` names every fault by its field, and what would be right. Of a batch, `data.failures` says what is wrong with each row.',
  },
  UNAUTHENTICATED: {
    cause:
      'There was no key, or not one that is valid here: mistyped, cut off, revoked, expired, or a test key sent to production. All of these get the same answer.',
    cure: 'Send the header `Authorization: Bearer <key>`, with the word Bearer and one space. A key in another header, such as `X-API-Key`, or in the address is not read. Locally, `peere_test_lagos_full` works.',
  },
  FORBIDDEN: {
    cause: 'The key is good, and lacks the scope that this operation asks for.',
    cure: '`errors` names the scopes of which one is needed. Use a key that has it, or have one made.',
  },
  CUSTOMER_NOT_FOUND: {
    cause:
      'No customer of your bank has this id, email or phrase, or not all that you gave belong to the same one. A customer of another bank gets the same answer.',
    cure: 'Check the spelling; a phrase has four words. Right after a batch was accepted its customers may take a moment: ask for the batch, and when it is completed, again.',
  },
  BATCH_NOT_FOUND: {
    cause: 'Your bank has sent no batch with this id, or it was completed more than 30 days ago.',
    cure: 'Take the id from the `batchId` or the `Location` of the answer to the batch, or list your batches.',
  },
  ROUTE_NOT_FOUND: {
    cause: 'There is nothing at this address.',
    cure: 'The reference has every address. Mind the singular: one customer is `/v1/bank/customer`, the list is `/v1/bank/customers`.',
  },
  METHOD_NOT_ALLOWED: {
    cause: 'The address exists, and does not take this method.',
    cure: 'The `Allow` header names the methods that it takes.',
  },
  CUSTOMER_EXISTS: {
    cause:
      'Every row of the batch is a customer of your bank already, by its email, or is the same as an earlier row that is one.',
    cure: 'Nothing is left to do for them. To change one, use PATCH.',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    cause: 'A request with the same Idempotency-Key has not been answered yet.',
    cure: 'Wait for as long as `Retry-After` says and send the same request again: you get the answer to the first.',
  },
  PRECONDITION_FAILED: {
    cause:
      'The customer is not what `If-Match` says any more: somebody changed it since you read it, or an update of your own did, whose answer you did not get.',
    cure: 'Read the customer again, decide anew, and send the ETag that you were given now.',
  },
  PAYLOAD_TOO_LARGE: {
    cause: 'The body is larger than this operation takes.',
    cure: '`errors` says how many bytes it may have. Send a batch in several parts.',
  },
  URI_TOO_LONG: {
    cause: 'The address is longer than 16 KB.',
    cure: 'Ask for fewer ids or phrases at a time; a hundred of each fit.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    cause: 'The body is not declared as JSON, or is compressed.',
    cure: 'Send `Content-Type: application/json`, and no `Content-Encoding`. With curl: `-H "Content-Type: application/json"`.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    cause: 'This Idempotency-Key was used for other customers within the last 72 hours.',
    cure: 'Give every new batch a key of its own. Only a batch that is sent again has the key that it had.',
  },
  RATE_LIMITED: {
    cause:
      'The key has asked for more than it may in this stretch of time, has guessed at too many phrases or emails that are nobody’s (a filter that names more of them than may still be missed is refused whole), its bank has too many batches under way, or would leave more refused rows than it may in a UTC day.',
    cure: 'Wait for as long as `Retry-After` says; `errors` says what for. Stalled batches wait for the operator of the service. Refused rows of a day wait for midnight: a dry run names them, and a batch without them is taken at once. `RateLimit` tells what is left before it comes to this. Give each channel a key of its own, and let no user of an app use up the misses of all: check the four words before you ask, and limit each user.',
  },
  UNAVAILABLE: {
    cause:
      'The database is restarting or away, or has not answered in time: 5 seconds for a read, 10 for a change. Nothing is half done; a change may have been made, or may be made yet.',
    cure: 'Send the same request again after `Retry-After`. A batch that was sent with an Idempotency-Key is found, not doubled. An update or an erasure may be sent again as well; if it has `If-Match`, a 412 may then be its own doing: read the customer, and see.',
  },
  INTERNAL: {
    cause: 'A fault of ours, which we have been told of.',
    cure: 'Try once more. If it stays, write to us with the `requestId`; no data need be sent along.',
  },
};

/** Of one row of a batch; the other rows go in all the same. */
export const FAILURE_GUIDE: Record<FailureCode, Guide> = {
  INVALID_DATA: {
    cause: 'A field that must be there is absent, blank or not a text.',
    cure: 'Fill in the fields that the row’s `errors` name, and send the row again.',
  },
  VALIDATION_ERROR: {
    cause:
      'A field is there and not in its format: an email, a country code, a phone number, a length; or a spreadsheet has changed a number in it, such as `1.23457E+10` or `#REF!` for an account number.',
    cure: 'Correct the fields that the row’s `errors` name, and send the row again. Where a spreadsheet changed a number, take it from your source: format the column as text, and export it again.',
  },
  DUPLICATE_IN_BATCH: {
    cause: 'An earlier row of the same batch has this email or this clientRef, and goes in.',
    cure: 'If both are one person, nothing is to be done. Otherwise give each its own email and clientRef.',
  },
  EXISTING_CUSTOMER: {
    cause: 'Your bank has a customer with this email already.',
    cure: 'Nothing is to be done, or change that customer with PATCH.',
  },
};
