/** Who is calling, and who a change is recorded for. */

export interface Caller {
  apiKeyId: string;
  bankId: string;
  scopes: ReadonlySet<string>;
  /** The bank's key for the cursors of its lists. */
  cursorKey: string;
  /** D1 did not confirm that the API key is still valid: it opens cached phrases, and nothing else. */
  unchecked: boolean;
}

/** Who a change is recorded for. */
export interface Actor {
  bankId: string;
  apiKeyId: string;
  requestId: string;
}
