/** Who is calling, and on whose behalf something is changed. */

export interface Caller {
  apiKeyId: string;
  bankId: string;
  scopes: ReadonlySet<string>;
  /** The bank's, for the cursors of its lists. */
  cursorKey: string;
  /** D1 did not say whether the API key is still valid: it opens what lies at the edge, and nothing else. */
  unchecked: boolean;
}

/** On whose behalf something is changed. */
export interface Actor {
  bankId: string;
  apiKeyId: string;
  requestId: string;
}
