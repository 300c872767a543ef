/** What an API key may do. Operations name the scopes they need, and `npm run key` grants them. */

/** For the customers of its own bank. */
export const BANK_SCOPES = [
  'customers:read',
  'customers:read:extended',
  'customers:write',
  'customers:erase',
  'audit:read',
  'events:read',
  'webhooks:manage',
] as const;

/** With `network:resolve`, for the customers of every bank. SECURITY.md says who should get it. */
export const SCOPES = [...BANK_SCOPES, 'network:resolve'] as const;
export type Scope = (typeof SCOPES)[number];
