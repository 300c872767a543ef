/** What an API key may do. Operations name the scopes they need, and `npm run key` grants them. */
export const SCOPES = [
  'customers:read',
  'customers:read:extended',
  'customers:write',
  'customers:erase',
  'audit:read',
] as const;
export type Scope = (typeof SCOPES)[number];
