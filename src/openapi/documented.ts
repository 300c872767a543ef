/** What the reference adds to an operation: prose and examples. Everything else is derived from the operation. */
import type { Operation, SuccessStatus } from '../http/operation.ts';

export const TAGS = {
  Bank: 'Find out who an API key belongs to, and what it may do.',
  Customers: 'Look up, list, update and erase customers.',
  Payees: 'Find out who gets a payment, at whatever bank.',
  Batches: 'Create up to 10,000 customers in one request, and read the outcome of each row.',
  Events: 'Learn what happened without asking for it again and again.',
  Webhooks: 'Have events sent to you as they happen.',
  Audit: 'Read who changed what.',
  Service: 'Check whether the service is running.',
} as const;

export interface Parameter {
  description: string;
  /** Together with the other parameters' examples it makes a request that succeeds on a local server. */
  example: unknown;
  /** The schema of the text that is sent, if the code's schema transforms it. */
  schema?: object;
}

export interface Documented {
  operation: Operation;
  tag: keyof typeof TAGS;
  summary: string;
  description: string;
  params?: Record<string, Parameter>;
  query: Record<string, Parameter>;
  /** An example. */
  body?: unknown;
  /** Without a description it is the response's message; without an example it is its component's. */
  responses?: { [status in SuccessStatus]?: { description?: string; data?: unknown } };
}
