/** What a key may open. A closed set: the routes name them, `npm run key` gives them out. */
export const SCOPES = [
  'customers:read',
  'customers:read:extended',
  'customers:write',
  'customers:erase',
  'audit:read',
] as const;
export type Scope = (typeof SCOPES)[number];
