/** The named shapes about the caller's bank. */
import { bank, bankLimits, rateLimit } from '../bank/bank.responses.ts';
import { component } from './component.ts';
import { BANK_LIMITS, DEMO_CUSTOMER, LOOKUP_RATE } from './examples.ts';

export const BANK_COMPONENTS = {
  RateLimit: component(
    rateLimit(),
    'How many requests an API key may send in a window of time.',
    {
      name: 'A class of operations, or `misses`: unknown phrases and emails. `RateLimit` names them the same.',
      limit: 'Requests, or misses, in one window.',
      seconds: 'Length of a window.',
    },
    LOOKUP_RATE,
  ),
  BankLimits: component(
    bankLimits(),
    'What one request, one API key or one bank may ask for.',
    {
      batchRows: 'Rows of one batch.',
      batchBytes: 'Bytes of the body of a batch.',
      openBatches: 'Batches of the bank that may be in process at the same time.',
      failuresPerDay: 'Failed rows of the bank in a UTC day.',
      payeeMissesPerDay: 'Unknown phrases that the bank may name in a UTC day when it asks for payees.',
      pageRows: 'The largest `limit` of the list of customers.',
      filterValues: 'Ids or phrases in one filter of that list.',
      rates: 'For each API key.',
    },
    BANK_LIMITS,
  ),
  Bank: component(
    bank(),
    'The bank of the API key, and what the key may do.',
    {
      id: 'The `bankId` of its customers.',
      name: 'The name of the bank.',
      keyId: 'The id of the API key, as the audit log names it.',
      scopes: 'What the API key may do.',
      customerCount: 'How many customers the bank has. Null if the API key may not read customers.',
      limits: 'What it may ask for.',
    },
    {
      id: DEMO_CUSTOMER.bankId,
      name: 'Demo Bank Lagos',
      keyId: 'key_demo_lagos_full',
      scopes: [
        'customers:read',
        'customers:read:extended',
        'customers:write',
        'customers:erase',
        'audit:read',
      ],
      customerCount: 1,
      limits: BANK_LIMITS,
    },
  ),
};
